from __future__ import annotations

import base64

import pytest

from service.adapters.providers.fal_arguments import Unsuitable, arguments_for, image_size, shape_of
from tests.support.vendors import AVATAR, VIDEO, submit_request


def test_the_catalog_cannot_change_what_was_paid_for() -> None:
    arguments = arguments_for(
        submit_request(output_count=2, arguments={"num_images": 4, "prompt": "another", "safety_tolerance": "2"})
    )
    assert arguments == {
        "num_images": 2,
        "prompt": "a lighthouse at dawn",
        "aspect_ratio": "16:9",
        "safety_tolerance": "2",
    }


def test_a_reference_is_sent_as_the_file_itself() -> None:
    arguments = arguments_for(
        submit_request(model=AVATAR, reference=b"\xff\x00", reference_content_type="image/webp")
    )
    assert arguments["image_url"] == "data:image/webp;base64," + base64.b64encode(b"\xff\x00").decode()
    assert arguments["image_size"] == "landscape_16_9"
    assert "aspect_ratio" not in arguments


def test_a_model_without_references_refuses_one() -> None:
    with pytest.raises(Unsuitable, match="needs_reference = false"):
        arguments_for(submit_request(reference=b"x", reference_content_type="image/png"))


def test_a_lora_is_a_list_at_the_vendor() -> None:
    arguments = arguments_for(
        submit_request(
            model="fal-ai/flux-lora", arguments={"lora_path": "https://example.test/me", "lora_scale": 0.8}
        )
    )
    assert arguments["loras"] == [{"path": "https://example.test/me", "scale": 0.8}]
    assert "lora_path" not in arguments


def test_a_video_is_one_a_request() -> None:
    assert "num_images" not in arguments_for(submit_request(model=VIDEO))
    with pytest.raises(Unsuitable, match="max_outputs = 1"):
        arguments_for(submit_request(model=VIDEO, output_count=2))


def test_a_model_of_no_known_family_gets_the_common_names() -> None:
    arguments = arguments_for(submit_request(model="fal-ai/next-year", seed=0, output_count=3))
    assert arguments == {"prompt": "a lighthouse at dawn", "aspect_ratio": "16:9", "num_images": 3, "seed": 0}


@pytest.mark.parametrize("model", ["fal-ai/veo3.1/fast", "fal-ai/veo4", "fal-ai/imagen4/preview/ultra"])
def test_families_go_by_their_prefix(model: str) -> None:
    assert shape_of(model).size == "aspect_ratio"


@pytest.mark.parametrize(
    ("aspect_ratio", "size"),
    [
        ("1:1", "square_hd"),
        ("9:16", "portrait_16_9"),
        ("21:9", {"width": 1568, "height": 672}),
        ("2:3", {"width": 832, "height": 1248}),
    ],
)
def test_sizes_have_names_where_the_vendor_has_them(aspect_ratio: str, size: object) -> None:
    assert image_size(aspect_ratio) == size
