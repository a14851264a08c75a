"""Whether what is there fits together, and with what the clients were told. Each finding is a plain sentence."""

from __future__ import annotations

from collections.abc import Iterator

from tests.soak.evidence import Evidence, Story
from tests.soak.load import Notes


def judge(notes: Notes, evidence: Evidence) -> list[str]:
    """What is wrong; empty if nothing is."""
    return [
        *notes.contradictions,
        *_acknowledged(notes, evidence),
        *_generations(evidence),
        *_accounts(notes, evidence),
        *_gallery(evidence),
        *_vendor(evidence),
        *_doctor(evidence),
    ]


def _acknowledged(notes: Notes, evidence: Evidence) -> Iterator[str]:
    for generation_id, ask in notes.acknowledged.items():
        story = evidence.stories.get(generation_id)
        if story is None:
            yield f"{ask.request_id} was acknowledged as {generation_id}, and the log does not have it"
        elif story.user_id != ask.user_id:
            yield f"{generation_id} belongs to {story.user_id}, and {ask.user_id} asked for it"
    for user_id, credits in notes.granted.items():
        if evidence.granted[user_id] != credits:
            yield f"{user_id} was granted {credits} credits, and the log says {evidence.granted[user_id]}"


def _generations(evidence: Evidence) -> Iterator[str]:
    for generation_id, story in evidence.stories.items():
        if len(story.ends) != 1:
            yield f"{generation_id} has these ends: {', '.join(story.ends) or 'none'}"
        elif problem := _money(story):
            yield f"{generation_id} {problem}"


def _money(story: Story) -> str:
    kept, owed = story.debited - story.refunded, story.price * story.outputs
    if kept != owed:
        return f"kept {kept} credits for {story.outputs} outputs at {story.price}"
    if story.refunded_by_hand not in (0, kept):
        return f"gave back {story.refunded_by_hand} of {kept} credits by hand"
    if (story.ends == ["GenerationSucceeded"]) is not (story.outputs > 0):
        return f"ended as {story.ends[0]} with {story.outputs} outputs"
    return ""


def _accounts(notes: Notes, evidence: Evidence) -> Iterator[str]:
    if evidence.lowest < 0:
        yield f"an account was down to {evidence.lowest} credits"
    for user_id in notes.users:
        account = evidence.accounts[user_id]
        reckoned = account.credits_granted - account.credits_debited + account.credits_refunded
        if not account.balance == reckoned == evidence.balances.get(user_id, 0):
            yield f"{user_id} has {account.balance} credits, the log {evidence.balances.get(user_id, 0)}: {account}"


def _gallery(evidence: Evidence) -> Iterator[str]:
    for item_id in evidence.produced.keys() - evidence.shown.keys():
        yield f"{item_id} was produced, and no gallery shows it"
    for item_id in evidence.shown.keys() - evidence.produced.keys():
        yield f"{item_id} is in a gallery, and was never produced"
    for item_id, file in evidence.shown.items():
        if item_id in evidence.produced and evidence.produced[item_id].media != file:
            yield f"{item_id} is shown as {file}, and was produced as {evidence.produced[item_id].media}"
    yield from evidence.wrong_files


def _vendor(evidence: Evidence) -> Iterator[str]:
    for generation_id, jobs in evidence.jobs.items():
        if generation_id not in evidence.stories:
            yield f"the vendor has a job for {generation_id!r}, and the log does not know it"
        elif jobs > 1:
            yield f"{generation_id} was submitted {jobs} times"
    for generation_id, story in evidence.stories.items():
        if story.outputs and evidence.jobs[generation_id] == 0:
            yield f"{generation_id} has outputs, and the vendor never had it"


def _doctor(evidence: Evidence) -> Iterator[str]:
    report = evidence.doctor
    yield from report["findings"]
    yield from report["differences"]
    if not report["healthy"] or report["exit_code"] != 0:
        yield f"triptychd doctor ended with {report['exit_code']}"
