"""The Bot API server as a program of its own."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import httpx

from tests.support.telegram import BOUND_SECONDS, bot_api_process


async def test_the_program_says_where_it_is_and_takes_the_options_it_is_given(tmp_path: Path) -> None:
    options = ["--token", "42:of-my-own", "--username", "my_bot", "--lenient", "--chat-per-second", "0"]
    async with bot_api_process(tmp_path, *options) as telegram:
        assert telegram.environment() == {
            "TRIPTYCH_TELEGRAM_API_URL": telegram.api_url,
            "TRIPTYCH_TELEGRAM_TOKEN": "42:of-my-own",
        }
        person = await telegram.user()
        await person.start()
        async with httpx.AsyncClient(timeout=BOUND_SECONDS, trust_env=False) as http:
            me = await http.get(f"{telegram.api_url}/bot42:of-my-own/getMe", params={"unknown": "1"})
            assert (me.json()["result"]["id"], me.json()["result"]["username"]) == (42, "my_bot")
            updates = (await http.get(f"{telegram.api_url}/bot42:of-my-own/getUpdates")).json()["result"]
        assert updates[0]["message"]["text"] == "/start"
    assert (tmp_path / "bot-api.log").read_text() == ""


async def test_wrong_options_are_refused_in_words() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sandbox.telegram", "--token", "secret", stderr=subprocess.PIPE
    )
    _, errors = await asyncio.wait_for(process.communicate(), BOUND_SECONDS)
    assert process.returncode == 2
    assert "token is 'secret'; it must be a number, a colon and a secret" in errors.decode()
