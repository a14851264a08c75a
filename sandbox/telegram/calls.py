"""A call of a method: its arguments, wherever they were sent, and the files that came with it.

Arguments may stand in the query, in a form (with files: multipart) or in a JSON body, and what is structured may
come as JSON inside a string. The accessors read them as Telegram does: whatever the way, one value.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from sandbox.options import MEBIBYTE
from sandbox.telegram.errors import BotApiError, bad_request

MAX_UPLOAD_BYTES: Final = 50 * MEBIBYTE
_MAX_BODY_BYTES: Final = MAX_UPLOAD_BYTES + MEBIBYTE
_TOLD_AS: Final = {
    "reply_markup": "reply keyboard markup",
    "reply_parameters": "reply parameters",
    "link_preview_options": "link preview options",
    "scope": "BotCommandScope",
    "menu_button": "menu button",
}
"""How Telegram calls parameters whose JSON is broken."""


@dataclass(frozen=True)
class Upload:
    """A file that came with a call."""

    name: str
    content: bytes


@dataclass(frozen=True)
class Call:
    """One call of ``method`` (in the documentation's spelling)."""

    method: str
    arguments: Mapping[str, Any]
    files: Mapping[str, Upload] = field(default_factory=dict)

    def has(self, name: str) -> bool:
        return self.arguments.get(name) not in (None, "")

    def text(self, name: str) -> str:
        """A string, empty if it was not given."""
        value = self.arguments.get(name)
        if value is None:
            return ""
        if isinstance(value, bool | dict | list):
            raise bad_request(f"parameter {name} must be a String")
        return str(value)

    def integer(self, name: str, default: int = 0) -> int:
        value = self.text(name).strip()
        if not value:
            return default
        try:
            return int(value)
        except ValueError:
            raise bad_request(f"parameter {name} must be a valid Integer") from None

    def flag(self, name: str) -> bool:
        value = self.arguments.get(name)
        return value is True or str(value).strip().lower() in ("true", "yes", "1")

    def structure(self, name: str, expected: type[dict[str, Any]] | type[list[Any]]) -> Any:
        """An object or an array, None if it was not given. Raises BotApiError if it is something else."""
        value = self.arguments.get(name)
        if value in (None, ""):
            return None
        if isinstance(value, str):
            try:
                value = json.loads(value)
            except ValueError:
                raise bad_request(f"can't parse {_TOLD_AS.get(name, name)} JSON object") from None
        if not isinstance(value, expected):
            raise bad_request(f"parameter {name} must be {'an Object' if expected is dict else 'an Array'}")
        return value


async def read_call(request: Request, method: str) -> Call:
    """The call that a request makes. Raises BotApiError if its body cannot be read or is too large."""
    if int(request.headers.get("content-length") or 0) > _MAX_BODY_BYTES:
        raise BotApiError(413, "Request Entity Too Large")
    arguments: dict[str, Any] = dict(request.query_params)
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type == "application/json":
        arguments |= _json_object(await request.body())
        return Call(method, arguments)
    if media_type not in ("application/x-www-form-urlencoded", "multipart/form-data"):
        return Call(method, arguments)
    files: dict[str, Upload] = {}
    try:
        async with request.form() as form:
            for name, value in form.multi_items():
                if not isinstance(value, UploadFile):
                    arguments[name] = value
                elif (value.size or 0) > MAX_UPLOAD_BYTES:
                    raise BotApiError(413, "Request Entity Too Large")
                else:
                    files[name] = Upload(value.filename or name, await value.read())
    except HTTPException as error:
        raise bad_request(f"can't parse the form: {error.detail}") from error
    return Call(method, arguments, files)


def _json_object(body: bytes) -> dict[str, Any]:
    if not body:
        return {}
    try:
        parsed = json.loads(body)
    except ValueError:
        raise bad_request("can't parse JSON object") from None
    if not isinstance(parsed, dict):
        raise bad_request("object expected as the request body")
    return parsed
