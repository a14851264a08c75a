"""Signed addresses: sign-in links that work once, and addresses of files that run out.

Both carry what they are for and a signature with the gallery's secret; neither can be guessed or changed. A sign-in
link that was used leaves an empty file with its name, created with O_EXCL: of two that come at the same time one
wins, whatever process it reaches, and a restart forgets nothing. The files go when the links have run out anyway.

The address of a file names the end of its time, rounded up to the next full period, so that pages which are made
within the same period carry the same address and browsers keep what they have.
"""

from __future__ import annotations

import re
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from itsdangerous import BadData, URLSafeSerializer, URLSafeTimedSerializer

USER_ID = re.compile(r"[A-Za-z0-9_.:@=+-]{1,128}")
Rendition = Literal["original", "thumbnail", "reference"]


class BadLink(Exception):
    """A link that is not the gallery's, has run out, or was used before."""


class SignInLinks:
    """Issues and takes sign-in links; ``lifetime_seconds`` is how long one may wait."""

    def __init__(self, secret: str, folder: Path, lifetime_seconds: int) -> None:
        self._serializer = URLSafeTimedSerializer(secret, salt="sign-in")
        self._used = folder / "used"
        self._lifetime_seconds = lifetime_seconds

    def issue(self, user_id: str) -> str:
        """A token for ``/sign-in/TOKEN``. Raises ValueError for what is no user's id."""
        if not USER_ID.fullmatch(user_id):
            raise ValueError("a user id has 1 to 128 letters, digits or _ . : @ = + -")
        return self._serializer.dumps([user_id, secrets.token_hex(16)])

    def check(self, token: str) -> str:
        """Whose it is, without using it. Raises BadLink."""
        return self._read(token)[0]

    def use(self, token: str) -> str:
        """Whose it is; from now on it is used. Raises BadLink, OSError."""
        user_id, name = self._read(token)
        self._used.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._forget()
        try:
            (self._used / name).touch(exist_ok=False)
        except FileExistsError:
            raise BadLink("the link was used before") from None
        return user_id

    def _read(self, token: str) -> tuple[str, str]:
        try:
            user_id, name = self._serializer.loads(token, max_age=self._lifetime_seconds)
        except BadData as error:
            raise BadLink("the link is not ours or has run out") from error
        if (self._used / name).exists():
            raise BadLink("the link was used before")
        return str(user_id), str(name)

    def _forget(self) -> None:
        oldest = time.time() - self._lifetime_seconds - 60
        for path in self._used.iterdir():
            if path.stat().st_mtime < oldest:
                path.unlink(missing_ok=True)


@dataclass(frozen=True)
class MediaLink:
    """A file that may be fetched: of whom, which (an item's id or a reference's), in which form, until when."""

    user_id: str
    name: str
    rendition: Rendition
    until: int


class MediaLinks:
    """Addresses of files; each is good for one to two ``period_seconds``."""

    def __init__(self, secret: str, period_seconds: int) -> None:
        self._serializer = URLSafeSerializer(secret, salt="media")
        self._period_seconds = period_seconds

    def path(self, user_id: str, name: str, rendition: Rendition, now: float | None = None) -> str:
        """The path that a page names; it is the same within a period."""
        period = int((time.time() if now is None else now) // self._period_seconds)
        until = (period + 2) * self._period_seconds
        return "/media/" + self._serializer.dumps([user_id, name, rendition, until])

    def read(self, token: str, now: float | None = None) -> MediaLink:
        """What a token stands for. Raises BadLink."""
        try:
            link = MediaLink(*self._serializer.loads(token))
        except BadData as error:
            raise BadLink("the address is not ours") from error
        if link.until < (time.time() if now is None else now):
            raise BadLink("the address has run out")
        return link
