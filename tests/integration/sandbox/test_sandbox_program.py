"""The sandbox as a program of its own, its pace, and its bounds."""

from __future__ import annotations

import asyncio
import json
import signal
import ssl
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from sandbox import SandboxControl, SandboxOptions, running_sandbox
from sandbox.listener import PortTaken
from sandbox.options import InvalidOption
from tests.support.fal_queue import BOUND_SECONDS, Queue, until


async def test_the_program_says_where_it_is_and_leaves_when_told(tmp_path: Path) -> None:
    ca_file = tmp_path / "trust" / "ca.pem"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sandbox", "--json", "--speed", "1000", "--ca-file", str(ca_file),
        stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), BOUND_SECONDS)
        told = json.loads(line)
        assert told["TRIPTYCH_CA_FILE"] == str(ca_file)
        context = ssl.create_default_context(cafile=str(ca_file))
        async with httpx.AsyncClient(verify=context, trust_env=False, timeout=BOUND_SECONDS) as http:
            answer = await http.post(
                f"https://{told['TRIPTYCH_FAL_QUEUE_HOST']}/fal-ai/imagen4/preview",
                json={"prompt": "x"},
                headers={"Authorization": f"Key {told['TRIPTYCH_FAL_KEY']}"},
            )
            assert answer.status_code == 200
        async with SandboxControl(told["SANDBOX_CONTROL_URL"]) as control:
            assert len(await control.jobs()) == 1
    finally:
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), BOUND_SECONDS) == 0


async def test_wrong_options_are_refused_in_words() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sandbox", "--speed", "0", stderr=subprocess.PIPE
    )
    _, errors = await asyncio.wait_for(process.communicate(), BOUND_SECONDS)
    assert process.returncode == 2
    assert "speed is 0.0; it must be above 0" in errors.decode()


def test_only_loopback_is_served() -> None:
    with pytest.raises(InvalidOption):
        SandboxOptions(host="0.0.0.0")


async def test_a_port_that_is_taken_is_named(queue: Queue) -> None:
    port = int(queue.sandbox.fal_host.rpartition(":")[2])
    with pytest.raises(PortTaken, match=str(port)):
        async with running_sandbox(SandboxOptions(fal_port=port)):
            pytest.fail("two sandboxes on one port")


async def test_the_queue_counts_down_at_a_believable_pace() -> None:
    """The first answer is a place in the queue; nothing is assumed about how long it stays."""
    async with running_sandbox(SandboxOptions(speed=4, picture_side=96)) as sandbox:
        context = ssl.create_default_context(cafile=str(sandbox.ca_file))
        headers = {"Authorization": f"Key {sandbox.fal_key}"}
        async with httpx.AsyncClient(verify=context, headers=headers, trust_env=False, timeout=BOUND_SECONDS) as http:
            queue = Queue(sandbox, http)
            job = await queue.accepted("x")
            assert job["status"] == "IN_QUEUE"
            places = [job["queue_position"]]
            states: list[str] = []
            async with asyncio.timeout(BOUND_SECONDS):
                while "COMPLETED" not in states:
                    state = (await http.get(job["status_url"], params={"logs": "true"})).json()
                    states.append(state["status"])
                    places.append(state.get("queue_position", 0))
                    await asyncio.sleep(0.05)
            assert places == sorted(places, reverse=True)
            assert state["logs"][-1]["message"] == "Encoding the output"


async def test_only_the_last_jobs_are_kept() -> None:
    async with running_sandbox(SandboxOptions(speed=1000, picture_side=96, jobs_kept=3)) as sandbox:
        context = ssl.create_default_context(cafile=str(sandbox.ca_file))
        headers = {"Authorization": f"Key {sandbox.fal_key}"}
        async with httpx.AsyncClient(verify=context, headers=headers, trust_env=False, timeout=BOUND_SECONDS) as http:
            queue = Queue(sandbox, http)
            jobs = [await queue.accepted(f"{number}") for number in range(5)]
            kept = [job.request_id for job in await sandbox.control.jobs()]
            assert kept == [job["request_id"] for job in jobs[2:]]
            assert (await http.get(jobs[0]["status_url"])).status_code == 404


async def test_arguments_can_be_checked_at_the_submit() -> None:
    async with running_sandbox(SandboxOptions(speed=1000, validate_at="submit")) as sandbox:
        context = ssl.create_default_context(cafile=str(sandbox.ca_file))
        headers = {"Authorization": f"Key {sandbox.fal_key}"}
        async with httpx.AsyncClient(verify=context, headers=headers, trust_env=False, timeout=BOUND_SECONDS) as http:
            answer = await Queue(sandbox, http).submit("x", num_images=7)
            assert answer.status_code == 422
            assert answer.json()["detail"][0]["loc"] == ["body", "num_images"]
            assert await sandbox.control.jobs() == []


async def test_bad_bodies_are_refused(queue: Queue) -> None:
    url = f"https://{queue.sandbox.fal_host}/fal-ai/imagen4/preview"
    assert (await queue.http.post(url, content=b"{")).status_code == 400
    assert (await queue.http.post(url, content=b"[]")).status_code == 400
    assert (await queue.http.get(url.replace("preview", "requests/none/status"))).status_code == 404


async def test_requests_are_counted(queue: Queue) -> None:
    await queue.result("x")
    counters = await queue.sandbox.control.counters()
    assert counters["fal.submit"] == counters["fal.submit.accepted"] == counters["fal.result"] == 1
    assert counters["fal.status"] >= 1


async def test_a_client_that_dies_in_its_request_leaves_no_job(
    queue: Queue, caplog: pytest.LogCaptureFixture
) -> None:
    host, _, port = queue.sandbox.fal_host.rpartition(":")
    context = ssl.create_default_context(cafile=str(queue.sandbox.ca_file))
    _, writer = await asyncio.open_connection(host, int(port), ssl=context)
    head = "POST /fal-ai/imagen4/preview HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n"
    writer.write(f"{head}Authorization: Key {queue.sandbox.fal_key}\r\n\r\n{{".encode())
    await writer.drain()
    await until(queue.sandbox.control.counters, lambda counted: counted.get("fal.submit") == 1)
    writer.transport.abort()
    await queue.result("x")
    assert len(await queue.sandbox.control.jobs()) == 1
    assert caplog.records == []
