"""``docs/settings.md``: from the fields of ``Settings``, and the catalog's from its structs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from pydantic import SecretStr
from pydantic.fields import FieldInfo

import service
from service.config import ROLES, Settings
from service.config.expected import expected
from service.config.settings import FILE_VARIABLE, PREFIX
from service.domain.catalog import Catalog, MediaType
from tools.docs.fields import type_in_words
from tools.docs.markdown import GENERATED, code, fenced, page, prose, table
from tools.docs.source import attribute_docstrings, headings

MEBIBYTE = 2**20
# The same page has to come out on every machine.
PLATFORM_DEFAULTS = {"data_dir": "the platform's folder for data, such as `~/.local/share/triptych`"}

INTRODUCTION = f"""
Every setting is an environment variable, or a key of the TOML file that `{FILE_VARIABLE}` names: without the prefix
and in lower case. The environment wins over the file, and an option of the command line over both. An empty variable
counts as not set. With nothing set the service runs on this machine alone: an embedded PostgreSQL, media on the disk,
the API on loopback.

A name that does not exist and a value that cannot be right are refused at start, all of them at once:
"""

REFUSAL = """
triptychd: TRIPTYCH_API_PROT: there is no such setting; did you mean TRIPTYCH_API_PORT?
triptychd: TRIPTYCH_LEASE_SECONDS: must be a number above 0 and at most 86400
"""

EXAMPLE = """
event_store = "postgresql://triptych@db.example/triptych"
roles = ["worker", "webhook"]
webhook_public_url = "https://hooks.example"
worker_concurrency = 64
"""

CATALOG = """
What can be made, with which model of the vendor, at what price: a TOML file. Copy the one that is built in, change
it, and name it in `TRIPTYCH_CATALOG_FILE`. It is checked at start, and a key that does not exist is refused.
"""


def settings_page() -> str:
    built_in = (Path(service.__file__).parent / "catalog.toml").read_text("utf-8")
    return page(
        "# Settings",
        GENERATED,
        INTRODUCTION,
        fenced("text", REFUSAL),
        "A settings file:",
        fenced("toml", EXAMPLE),
        *_groups(),
        "## The catalog",
        CATALOG,
        table(["key", "what", "may be"], _keys(Catalog, "")),
        "For each type, in its table `[types.NAME]`:",
        table(["key", "what", "may be"], _keys(MediaType, "")),
        "The catalog that is built in:",
        fenced("toml", built_in),
    )


def _groups() -> Iterator[str]:
    begins = headings(Settings)
    rows: list[list[str]] = []
    for name, field in Settings.model_fields.items():
        if name in begins:
            if rows:
                yield table(["variable", "what", "default", "may be"], rows)
            yield f"## {begins[name]}"
            rows = []
        rows.append([code(PREFIX + name.upper()), field.description or "", _default(name, field), expected(field)])
    yield table(["variable", "what", "default", "may be"], rows)


def _default(name: str, field: FieldInfo) -> str:
    if name in PLATFORM_DEFAULTS:
        return PLATFORM_DEFAULTS[name]
    value = field.default
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if value in ("", None):
        return "empty"
    if isinstance(value, bool):
        return code(str(value).lower())
    if isinstance(value, frozenset):
        return code(",".join(role for role in ROLES if role in value))
    if name.endswith("_bytes"):
        return f"{code(str(value))} ({value // MEBIBYTE} MiB)"
    return code(f"{value:g}" if isinstance(value, float) else str(value))


def _keys(struct: Any, prefix: str) -> Iterator[list[str]]:
    docs = attribute_docstrings(struct)
    for field in msgspec.structs.fields(struct):
        what = prose(docs.get(field.name))
        kind = "tables of keys" if field.name == "types" else type_in_words(field.type)
        yield [code(prefix + field.name), what, kind if field.required else f"{kind}; {_without(field)}"]


def _without(field: msgspec.structs.FieldInfo) -> str:
    default = field.default if field.default is not msgspec.NODEFAULT else None
    if default is None:
        return "empty if left out"
    return f"{code(str(default).lower() if isinstance(default, bool) else str(default))} if left out"
