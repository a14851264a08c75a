"""The catalog: every wrong key is named, every wrong request is refused with its field."""

from __future__ import annotations

from pathlib import Path

import pytest

import service
from service.domain.catalog import MAX_SEED, CatalogError, parse_catalog, resolve
from service.domain.errors import InvalidField
from tests.support.samples import CATALOG, asked

TYPE = {
    "title_ru": '"Изображения"',
    "title_en": '"Images"',
    "icon": '"image"',
    "kind": '"image"',
    "model": '"fal-ai/imagen4/preview"',
    "credits_per_output": "5",
    "max_outputs": "4",
    "aspect_ratios": '["1:1", "16:9"]',
    "deadline_seconds": "300",
}


def toml(changes: dict[str, str | None] | None = None, *, name: str = "imagen4", head: str = "") -> str:
    lines = [f"{key} = {value}" for key, value in {**TYPE, **(changes or {})}.items() if value is not None]
    return "\n".join([head, f"[types.{name}]", *lines])


def test_a_right_catalog_is_read() -> None:
    catalog = parse_catalog(toml(head="max_prompt_characters = 99"))
    assert catalog.max_prompt_characters == 99
    assert catalog.types["imagen4"].credits_per_output == 5
    assert catalog.types["imagen4"].aspect_ratios == ("1:1", "16:9")


def test_the_catalog_that_comes_with_the_service_is_right() -> None:
    shipped = Path(service.__file__).with_name("catalog.toml").read_text(encoding="utf-8")
    catalog = parse_catalog(shipped)
    assert set(catalog.types) == {"avatar", "imagen4", "video"}
    assert catalog.types["imagen4"].credits_per_output == 5


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *((key, None) for key in TYPE),
        ("title_ru", '" "'),
        ("title_en", '""'),
        ("kind", '"audio"'),
        ("model", '"imagen4"'),
        ("credits_per_output", "0"),
        ("credits_per_output", "-5"),
        ("credits_per_output", "100001"),
        ("credits_per_output", "2.5"),
        ("max_outputs", "0"),
        ("max_outputs", "17"),
        ("aspect_ratios", "[]"),
        ("aspect_ratios", '["wide"]'),
        ("aspect_ratios", '["0:1"]'),
        ("deadline_seconds", "4"),
        ("deadline_seconds", "86401"),
        ("needs_reference", '"yes"'),
        ("unheard_of", "1"),
    ],
)
def test_a_wrong_key_is_named(key: str, value: str | None) -> None:
    with pytest.raises(CatalogError, match=key):
        parse_catalog(toml({key: value}))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("types = [", "not valid TOML"),
        ("", "types"),
        ("[types]", "nothing could be made"),
        (toml(head="max_prompt_characters = 0"), "max_prompt_characters"),
        (toml(head="max_prompt_characters = 10001"), "max_prompt_characters"),
        (toml(head="presets = 1"), "presets"),
        (toml(name="Imagen"), "types.Imagen"),
        ('[types.x]\ntitle_ru = "a"', "types.x: .*title_en"),
        ("[types]\nx = 3", "types.x: "),
    ],
)
def test_a_wrong_file_says_what_is_wrong(text: str, said: str) -> None:
    with pytest.raises(CatalogError, match=said):
        parse_catalog(text)


def test_what_was_left_out_comes_from_the_catalog() -> None:
    resolved = resolve(CATALOG, asked(output_count=3))
    assert resolved.aspect_ratio == "1:1"
    assert resolved.price == 15


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("type", {"generation_type": ""}),
        ("type", {"generation_type": "music"}),
        ("prompt", {"prompt": ""}),
        ("prompt", {"prompt": " \n"}),
        ("prompt", {"prompt": "x" * 2001}),
        ("prompt", {"prompt": "a\0fox"}),
        ("prompt", {"prompt": "a \ud800 fox"}),
        ("aspect_ratio", {"aspect_ratio": "3:4"}),
        ("output_count", {"output_count": 0}),
        ("output_count", {"output_count": 5}),
        ("output_count", {"output_count": -1}),
        ("seed", {"seed": -1}),
        ("seed", {"seed": MAX_SEED + 1}),
        ("reference_media_id", {"generation_type": "avatar"}),
        ("reference_media_id", {"reference_media_id": "m"}),
    ],
)
def test_a_wrong_request_is_refused_with_its_field(field: str, changes: dict[str, object]) -> None:
    with pytest.raises(InvalidField) as caught:
        resolve(CATALOG, asked(**changes))
    assert caught.value.field == field


def test_an_unknown_type_is_told_which_there_are() -> None:
    with pytest.raises(InvalidField, match="imagen4, avatar, video"):
        CATALOG.find("music")
