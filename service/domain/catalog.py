"""What can be made: the types, their models, prices and limits.

The vendor's models come and go, so the catalog is a TOML file that operators edit, checked when it is loaded:

    max_prompt_characters = 2000

    [types.imagen4]
    title_ru = "Изображения"
    model = "fal-ai/imagen4/preview"
    credits_per_output = 5
    ...

``docs/settings.md`` describes every key.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from typing import Literal, TypeVar

import msgspec

from service.domain.errors import InvalidField
from service.domain.generation.events import AskedParameters

_TYPE_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
# No store keeps these as they are, and a repeated request is compared with what was stored.
UNSTORABLE = re.compile("[\0\ud800-\udfff]")
S = TypeVar("S", bound=msgspec.Struct)

MAX_SEED = 2**32 - 1
"""What vendors report as the seed of an output can be asked for again."""


class CatalogError(Exception):
    """The catalog file cannot be right; the message names the key and what would be."""


class MediaType(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One type of the gallery. Prices in credits, times in seconds."""

    title_ru: str
    """Shown to users, in Russian."""
    title_en: str
    """The same in English."""
    icon: str
    """A character or a name, shown as it is."""
    kind: Literal["image", "video"]
    """What is delivered."""
    model: str
    """The vendor's application id."""
    credits_per_output: int
    """1 to 100000; a price already charged never changes."""
    max_outputs: int
    """How many may be asked for at once, 1 to 16."""
    aspect_ratios: tuple[str, ...]
    """Those the model has, such as ``16:9``. The first is the default."""
    deadline_seconds: int
    """What has not ended by then is failed and paid back; 5 to 86400."""
    needs_reference: bool = False
    """Whether a picture must be uploaded and named in the request."""
    arguments: dict[str, str | int | float | bool] = {}
    """Handed to the vendor as they are."""


class Catalog(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    types: dict[str, MediaType]
    """By name: a lower-case letter, then lower-case letters, digits and ``_``, at most 32."""
    max_prompt_characters: int = 2000
    """Longest prompt that is taken, 1 to 10000."""

    def find(self, name: str) -> MediaType:
        """The type, or InvalidField that names those there are."""
        found = self.types.get(name)
        if found is None:
            known = ", ".join(self.types)
            problem = "is missing" if not name else f"{name!r} is not a known type"
            raise InvalidField("type", f"{problem}; choose one of: {known}")
        return found


def parse_catalog(text: str) -> Catalog:
    """The catalog in ``text`` (TOML), or CatalogError."""
    try:
        read = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CatalogError(f"the catalog is not valid TOML: {error}") from error
    types = read.get("types")
    for name, fields in types.items() if isinstance(types, dict) else ():
        _convert(fields, MediaType, f"types.{name}: ")  # On their own: the whole's errors do not say which type.
    catalog = _convert(read, Catalog, "")
    if not catalog.types:
        raise CatalogError("the catalog has no [types.NAME] table: nothing could be made")
    if not 1 <= catalog.max_prompt_characters <= 10_000:
        raise CatalogError("max_prompt_characters must be 1 to 10000")
    for name, media_type in catalog.types.items():
        _check_type(name, media_type)
    return catalog


def _convert(read: object, shape: type[S], where: str) -> S:
    try:
        return msgspec.convert(read, shape)
    except msgspec.ValidationError as error:
        raise CatalogError(f"the catalog is wrong: {where}{error}") from error


def _check_type(name: str, media_type: MediaType) -> None:
    rules: Mapping[str, tuple[bool, str]] = {
        "": (bool(_TYPE_NAME.fullmatch(name)), "the name must be lower-case letters, digits and _"),
        "title_ru": (bool(media_type.title_ru.strip()), "must not be empty"),
        "title_en": (bool(media_type.title_en.strip()), "must not be empty"),
        "model": (
            "/" in media_type.model,
            "must be the vendor's application id, such as 'fal-ai/imagen4/preview'",
        ),
        "credits_per_output": (0 < media_type.credits_per_output <= 100_000, "must be 1 to 100000"),
        "max_outputs": (1 <= media_type.max_outputs <= 16, "must be 1 to 16"),
        "aspect_ratios": (
            bool(media_type.aspect_ratios)
            and all(re.fullmatch(r"[1-9]\d?:[1-9]\d?", ratio) for ratio in media_type.aspect_ratios),
            "must list at least one ratio such as '16:9'",
        ),
        "deadline_seconds": (5 <= media_type.deadline_seconds <= 86_400, "must be 5 to 86400"),
    }
    for key, (holds, rule) in rules.items():
        if not holds:
            raise CatalogError(f"the catalog is wrong: types.{name}{'.' if key else ''}{key} {rule}")


class ResolvedRequest(msgspec.Struct, frozen=True):
    """A valid request with the catalog's defaults filled in."""

    media_type: MediaType
    aspect_ratio: str
    output_count: int

    @property
    def price(self) -> int:
        return self.media_type.credits_per_output * self.output_count


def resolve(catalog: Catalog, asked: AskedParameters) -> ResolvedRequest:
    """Checks what was asked against the catalog; raises InvalidField for the first thing that is wrong."""
    media_type = catalog.find(asked.generation_type)
    length = len(asked.prompt)
    if not asked.prompt.strip():
        raise InvalidField("prompt", "is empty; describe in your own words what you want to see")
    if UNSTORABLE.search(asked.prompt):
        raise InvalidField("prompt", "has a NUL character or half of a surrogate pair in it; leave it out")
    if length > catalog.max_prompt_characters:
        raise InvalidField("prompt", f"has {length} characters; at most {catalog.max_prompt_characters} are possible")
    aspect_ratio = asked.aspect_ratio or media_type.aspect_ratios[0]
    if aspect_ratio not in media_type.aspect_ratios:
        possible = ", ".join(media_type.aspect_ratios)
        raise InvalidField("aspect_ratio", f"{aspect_ratio!r} is not possible here; choose one of: {possible}")
    output_count = asked.output_count
    if not 1 <= output_count <= media_type.max_outputs:
        raise InvalidField("output_count", f"must be 1 to {media_type.max_outputs}, not {output_count}")
    if asked.seed is not None and not 0 <= asked.seed <= MAX_SEED:
        raise InvalidField("seed", f"must be 0 to {MAX_SEED}, not {asked.seed}")
    if media_type.needs_reference and not asked.reference_media_id:
        raise InvalidField("reference_media_id", "is missing; upload a picture with UploadMedia and name it here")
    if not media_type.needs_reference and asked.reference_media_id:
        raise InvalidField("reference_media_id", f"is not used by {asked.generation_type}; leave it out")
    return ResolvedRequest(media_type, aspect_ratio, output_count)
