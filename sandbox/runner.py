"""Runs jobs as the vendor's runners do: wait in the queue, check the arguments, work, deliver or fail.

Wrong arguments and unusable reference pictures show only here, after the queue has taken the job, because the
vendor's queue does not know the models; the option ``validate_at`` can move the check of the arguments to the submit.
"""

from __future__ import annotations

from collections.abc import Callable

from pydantic import ValidationError

from sandbox.background import Background
from sandbox.fal_errors import VendorRefusal, named_error, request_error, validation_error
from sandbox.fault_kinds import MODEL_ERRORS, REQUEST_ERRORS
from sandbox.jobs import Job
from sandbox.media import DrawnFile, Studio
from sandbox.models import Arguments
from sandbox.options import SandboxOptions
from sandbox.outputs import file_for, payload_for, specs_for
from sandbox.references import References


class Runner:
    """Works on any number of jobs at a time.

    ``files_url`` gives the address under which a job's files are served, ``announce`` is told of every job that ended
    by itself.
    """

    def __init__(
        self,
        options: SandboxOptions,
        background: Background,
        references: References,
        studio: Studio,
        files_url: Callable[[Job], str],
        announce: Callable[[Job], None],
    ) -> None:
        self._options = options
        self._background = background
        self._references = references
        self._studio = studio
        self._files_url = files_url
        self._announce = announce

    def accept(self, job: Job) -> None:
        """Starts a job; returns at once."""
        job.task = self._background.start(self._run(job))

    def cancel(self, job: Job, *, even_in_progress: bool) -> None:
        """Takes a job out of the queue. One that is being made goes on, unless ``even_in_progress``."""
        job.cancel_requests += 1
        if job.status == "IN_QUEUE" or even_in_progress:
            if job.task is not None:
                job.task.cancel()
            job.fail(request_error("client_cancelled"))

    async def _run(self, job: Job) -> None:
        plan = job.plan.kind if job.plan else ""
        if plan == "stuck_in_queue":
            return
        await self._background.pause(job.queue_seconds)
        if plan == "vanished":
            job.vanished = True
            return
        job.start()
        if plan == "stuck" or self._background.closing:
            return
        try:
            await self._make(job, plan)
        except VendorRefusal as refusal:
            job.fail(refusal.error)
        self._announce(job)

    async def _make(self, job: Job, plan: str) -> None:
        arguments = checked_arguments(job)
        reference = ""
        image_url = getattr(arguments, "image_url", None)
        if image_url is not None:
            reference = await self._references.load(image_url)
        job.shorten_arguments()
        if plan in MODEL_ERRORS or plan in REQUEST_ERRORS:
            await self._background.pause(job.run_seconds)
            raise VendorRefusal(named_error(plan, job.prompt))
        specs = specs_for(job, arguments, reference, self._options.picture_side)
        await self._background.pause(job.run_seconds)
        drawn = [await self._studio.draw(spec) for spec in specs]
        files: list[DrawnFile] = [file_for(spec, content) for spec, content in zip(specs, drawn, strict=True)]
        job.succeed(payload_for(job, arguments, files, drawn, self._files_url(job)), files)


def checked_arguments(job: Job) -> Arguments:
    """The arguments as the model sees them.

    Raises:
        VendorRefusal: they are wrong; the error lists every field that is.
    """
    try:
        return job.model.arguments.model_validate(job.arguments)
    except ValidationError as error:
        raise VendorRefusal(validation_error(error)) from error
