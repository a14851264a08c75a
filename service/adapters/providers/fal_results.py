"""What fal's models deliver.

pictures  {"images": [{url, content_type, file_name, file_size, ...} or a bare url, ...], "seed", ...}
          some models {"image": {...}}; ``has_nsfw_concepts[i]`` marks a picture that a checker blanked
video     {"video": {url, content_type, ...}} or {"videos": [...]}
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from service.ports.media_provider import Completed, ProducedFile, Refused

_LISTS = ("images", "videos")
_SINGLES = ("image", "video")
_MOST_FILES = 64


def completed(result: Any) -> Completed | Refused:
    """The outputs in a result; Refused when it has none of the fields that models promise."""
    if not isinstance(result, Mapping):
        return Refused("no_output", f"fal's result is a {type(result).__name__}, not an object")
    found = _outputs(result)
    if found is None:
        names = ", ".join(sorted(str(name) for name in result)[:10]) or "nothing"
        return Refused("no_output", f"fal's result has neither pictures nor video; it has: {names}")
    flags = result.get("has_nsfw_concepts")
    seed = result.get("seed")
    return Completed(
        tuple(
            _file(output, seed=seed, flagged=isinstance(flags, list) and index < len(flags) and bool(flags[index]))
            for index, output in enumerate(found[:_MOST_FILES])
            if _url(output)
        )
    )


def _outputs(result: Mapping[str, Any]) -> list[Any] | None:
    for name in _LISTS:
        if isinstance(result.get(name), list):
            return list(result[name])
    for name in _SINGLES:
        if name in result:
            return [result[name]]
    return None


def _url(output: Any) -> str:
    url = output.get("url") if isinstance(output, Mapping) else output
    return url if isinstance(url, str) else ""


def _file(output: Any, *, seed: Any, flagged: bool) -> ProducedFile:
    facts: Mapping[str, Any] = output if isinstance(output, Mapping) else {}
    content_type = facts.get("content_type")
    size_bytes = facts.get("file_size")
    return ProducedFile(
        url=_url(output),
        content_type=content_type if isinstance(content_type, str) else "",
        size_bytes=size_bytes if _is_count(size_bytes) else None,
        seed=seed if _is_count(seed) else None,
        flagged=flagged,
    )


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63
