"""GalleryService: lists, watches, curation, files."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from triptych.v1 import gallery_service_pb2 as pb
from triptych.v1 import media_pb2
from triptych.v1.item_pb2 import Item

from service.adapters.media import ObjectMediaStore
from tests.support.api import BOUND_SECONDS, Api, bounded, fresh_name, picture
from tests.support.grpc_errors import refusal_of

Rendition = pb.DownloadMediaRequest.Rendition


async def gallery_of(api: Api, prompts: list[str]) -> tuple[str, list[str], int]:
    """A user with a picture for each prompt: ``(user_id, item ids oldest first, position)``."""
    user_id = await api.user_with(1000)
    items, position = [], 0
    for prompt in prompts:
        generation = (await api.request(user_id, prompt=prompt)).generation
        await api.prepare(generation)
        position = await api.deliver(generation, 1)
        items.append(f"{generation.generation_id}.0")
    return user_id, items, position


async def list_items(api: Api, user_id: str, position: int = 0, **changes: Any) -> pb.ListItemsResponse:
    request = pb.ListItemsRequest(user_id=user_id, at_least_position=position, **changes)
    response: pb.ListItemsResponse = await api.gallery.ListItems(request, timeout=BOUND_SECONDS)
    return response


def ids(items: Any) -> list[str]:
    return [item.item_id for item in items]


async def curate(api: Api, verb: str, user_id: str, item_id: str) -> Any:
    request = getattr(pb, f"{verb}ItemRequest")(user_id=user_id, item_id=item_id)
    return await getattr(api.gallery, f"{verb}Item")(request, timeout=BOUND_SECONDS)


async def test_item_has_all_that_is_known_of_it(api: Api) -> None:
    user_id, (item_id,), position = await gallery_of(api, ["a red fox"])
    request = pb.GetItemRequest(user_id=user_id, item_id=item_id, at_least_position=position)
    item = (await api.gallery.GetItem(request, timeout=BOUND_SECONDS)).item
    assert (item.type, item.kind, item.index, item.credits) == ("imagen4", media_pb2.MEDIA_KIND_IMAGE, 0, 5)
    assert (item.prompt, item.effective_prompt, item.seed) == ("a red fox", "a red fox", 7)
    assert (item.media.width, item.media.height, item.media.content_type) == (64, 48, "image/png")
    assert not item.favorite
    assert not item.trashed


async def test_lists_go_both_ways(api: Api) -> None:
    user_id, items, position = await gallery_of(api, [f"fox number {number}" for number in range(5)])
    first = await list_items(api, user_id, position, page_size=2)
    second = await list_items(api, user_id, page_size=2, page_token=first.next_page_token)
    third = await list_items(api, user_id, page_size=2, page_token=second.next_page_token)
    assert ids(first.items) + ids(second.items) + ids(third.items) == items[::-1]
    assert (first.previous_page_token, third.next_page_token) == ("", "")
    back = await list_items(api, user_id, page_size=2, page_token=third.previous_page_token)
    assert ids(back.items) == ids(second.items)


async def test_filters(api: Api) -> None:
    user_id, items, _ = await gallery_of(api, ["a red fox in snow", "a blue fox", "рыжая лиса"])
    await curate(api, "Favorite", user_id, items[1])
    position = (await curate(api, "Trash", user_id, items[2])).position
    for changes, expected in (
        ({}, [items[1], items[0]]),
        ({"favorite_only": True}, [items[1]]),
        ({"trashed": True}, [items[2]]),
        ({"trashed": True, "words": "ЛИСА"}, [items[2]]),
        ({"words": "snow FOX"}, [items[0]]),
        ({"words": "fo"}, [items[1], items[0]]),
        ({"words": "dragon"}, []),
        ({"type": "imagen4"}, [items[1], items[0]]),
        ({"type": "video"}, []),
    ):
        assert ids((await list_items(api, user_id, position, **changes)).items) == expected, changes


async def test_search_takes_any_sign_for_what_it_is(api: Api) -> None:
    user_id, (snow, tree), position = await gallery_of(
        api, ["100% snow, 'quoted' \\ back|slash & more :* (brackets) 🦊", "Ёлка под снегом"]
    )
    for words, expected in {
        "100%": [snow],
        "'quoted'": [snow],
        "back|slash": [snow],
        "snow & more": [snow],
        "(brackets) | !snow <-> more": [snow],
        "елка": [tree],
        "ЁЛКА": [tree],
        "снег": [tree],
        "snow 🦊": [snow],
        "  ": [tree, snow],
        "%": [],
        "_": [],
        "'": [],
        "\\": [],
        ":*": [],
        "🦊": [],
    }.items():
        assert ids((await list_items(api, user_id, position, words=words)).items) == expected, words


async def test_pages_stay_in_place_when_new_items_come(api: Api) -> None:
    user_id, items, position = await gallery_of(api, ["one", "two", "three"])
    first = await list_items(api, user_id, position, page_size=1)
    for _ in range(2):
        generation = await api.made(user_id)
        items.append(f"{generation.generation_id}.0")
    position = (await curate(api, "Favorite", user_id, items[-1])).position

    page = await list_items(api, user_id, position, page_size=1, page_token=first.next_page_token)
    assert ids(page.items) == [items[1]]
    newer = []
    while page.previous_page_token:
        page = await list_items(api, user_id, page_size=1, page_token=page.previous_page_token)
        newer += ids(page.items)
    assert newer == items[2:]
    while page.next_page_token:
        page = await list_items(api, user_id, page_size=3, page_token=page.next_page_token)
        newer += ids(page.items)
    assert newer == [*items[2:], *items[3::-1]]


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("user_id", {"user_id": "a/b"}),
        ("type", {"type": "poster"}),
        ("words", {"words": "x" * 201}),
        ("words", {"words": "a\0b"}),
        ("page_size", {"page_size": 201}),
        ("page_token", {"page_token": "nonsense"}),
        ("at_least_position", {"position": -1}),
    ],
)
async def test_list_that_cannot_be_right_names_the_field(api: Api, field: str, changes: dict[str, Any]) -> None:
    refusal = await refusal_of(list_items(api, **({"user_id": fresh_name()} | changes)))
    assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT
    assert list(refusal.fields) == [field]


async def test_token_with_other_filters_is_refused(api: Api) -> None:
    user_id, _, position = await gallery_of(api, ["one", "two"])
    token = (await list_items(api, user_id, position, page_size=1)).next_page_token
    refusal = await refusal_of(list_items(api, user_id, page_size=1, page_token=token, favorite_only=True))
    assert list(refusal.fields) == ["page_token"]


async def test_stream_brings_everything_in_pages(api: Api) -> None:
    user_id, items, position = await gallery_of(api, [f"fox number {number}" for number in range(5)])
    request = pb.StreamItemsRequest(user_id=user_id, page_size=2, at_least_position=position)
    pages = [ids(page.items) async for page in api.gallery.StreamItems(request, timeout=BOUND_SECONDS)]
    assert [len(page) for page in pages] == [2, 2, 1]
    assert [item_id for page in pages for item_id in page] == items[::-1]


async def test_stream_of_an_empty_gallery_just_ends(api: Api) -> None:
    request = pb.StreamItemsRequest(user_id=fresh_name())
    assert [page async for page in api.gallery.StreamItems(request, timeout=BOUND_SECONDS)] == []


async def test_counts_name_every_type(api: Api) -> None:
    user_id, items, _ = await gallery_of(api, ["one", "two", "three"])
    await curate(api, "Favorite", user_id, items[0])
    position = (await curate(api, "Trash", user_id, items[1])).position
    request = pb.CountItemsRequest(user_id=user_id, at_least_position=position)
    response = await api.gallery.CountItems(request, timeout=BOUND_SECONDS)
    counts = [(each.type, each.count, each.favorite_count, each.trashed_count) for each in response.counts]
    assert counts == [("avatar", 0, 0, 0), ("imagen4", 2, 1, 1), ("video", 0, 0, 0)]


@pytest.mark.parametrize(
    ("verb", "undo", "mark"), [("Favorite", "Unfavorite", "favorite"), ("Trash", "Restore", "trashed")]
)
async def test_marks_come_and_go_and_twice_is_once(api: Api, verb: str, undo: str, mark: str) -> None:
    user_id, (item_id,), position = await gallery_of(api, ["a red fox"])
    marked = await curate(api, verb, user_id, item_id)
    again = await curate(api, verb, user_id, item_id)
    assert getattr(marked.item, mark)
    assert (again.item, again.position) == (marked.item, marked.position)
    assert marked.position > position
    request = pb.GetItemRequest(user_id=user_id, item_id=item_id, at_least_position=marked.position)
    assert (await api.gallery.GetItem(request, timeout=BOUND_SECONDS)).item == marked.item
    undone = await curate(api, undo, user_id, item_id)
    assert not getattr(undone.item, mark)


async def test_item_is_marked_before_the_gallery_shows_it(api: Api) -> None:
    user_id = await api.user_with(100)
    for _ in range(3):
        generation = await api.made(user_id)
        assert (await curate(api, "Favorite", user_id, f"{generation.generation_id}.0")).item.favorite


@pytest.mark.parametrize("verb", ["Get", "Favorite", "Unfavorite", "Trash", "Restore"])
async def test_item_that_is_not_there_or_not_theirs(api: Api, verb: str) -> None:
    user_id, (item_id,), _ = await gallery_of(api, ["a red fox"])
    for user, item in ((fresh_name(), item_id), (user_id, item_id.replace(".0", ".9"))):
        assert (await refusal_of(curate(api, verb, user, item))).code is grpc.StatusCode.NOT_FOUND
    for wrong in ("", "a/b", item_id + "/..", item_id[:-2]):
        assert list((await refusal_of(curate(api, verb, user_id, wrong))).fields) == ["item_id"]


class Gallery:
    """What a watcher has of a gallery."""

    def __init__(self, stream: AsyncIterator[pb.WatchItemsResponse]) -> None:
        self._stream = stream
        self.items: dict[str, Item] = {}
        self.position = 0

    async def reach(self, position: int) -> list[str]:
        """Until everything up to ``position`` is told; the ids there are then."""
        told = False
        while not told or self.position < position:
            response = await bounded(self._stream)
            self.items |= {item.item_id: item for item in response.items}
            for item_id in response.removed_item_ids:
                self.items.pop(item_id, None)
            self.position, told = response.position, response.caught_up
        return sorted(self.items)


def watch(api: Api, user_id: str, **changes: Any) -> Gallery:
    request = pb.WatchItemsRequest(user_id=user_id, **changes)
    return Gallery(aiter(api.gallery.WatchItems(request, timeout=BOUND_SECONDS * 2)))


async def test_watcher_gets_what_is_there_and_what_changes(api: Api) -> None:
    user_id, items, position = await gallery_of(api, ["one", "two"])
    gallery = watch(api, user_id)
    assert await gallery.reach(position) == sorted(items)

    generation = (await api.request(user_id)).generation
    position = await api.deliver(generation, 1)
    third = f"{generation.generation_id}.0"
    assert await gallery.reach(position) == sorted([*items, third])

    position = (await curate(api, "Favorite", user_id, third)).position
    await gallery.reach(position)
    assert gallery.items[third].favorite

    position = (await curate(api, "Trash", user_id, items[0])).position
    assert await gallery.reach(position) == sorted([items[1], third])
    position = (await curate(api, "Restore", user_id, items[0])).position
    assert await gallery.reach(position) == sorted([*items, third])


async def test_watcher_of_an_empty_gallery_is_told_so(api: Api) -> None:
    assert await watch(api, fresh_name()).reach(0) == []


async def test_watcher_resumes_where_it_was(api: Api) -> None:
    user_id, items, position = await gallery_of(api, ["one", "two"])
    gallery = watch(api, user_id)
    await gallery.reach(position)
    trashed_at = (await curate(api, "Trash", user_id, items[0])).position
    resumed = watch(api, user_id, after_position=gallery.position)
    resumed.items = dict(gallery.items)
    assert await resumed.reach(trashed_at) == [items[1]]


async def test_watcher_of_one_type_sees_no_other(api: Api) -> None:
    user_id, items, position = await gallery_of(api, ["one"])
    assert await watch(api, user_id, type="imagen4").reach(position) == items
    assert await watch(api, user_id, type="video").reach(position) == []


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("user_id", {"user_id": ""}),
        ("type", {"type": "poster"}),
        ("after_position", {"after_position": 10**12}),
        ("after_position", {"after_position": -3}),
    ],
)
async def test_watch_that_cannot_be_right_names_the_field(api: Api, field: str, changes: dict[str, Any]) -> None:
    request = pb.WatchItemsRequest(**({"user_id": "u"} | changes))
    refusal = await refusal_of(api.gallery.WatchItems(request, timeout=BOUND_SECONDS))
    assert list(refusal.fields) == [field]


async def download(api: Api, **request: Any) -> tuple[pb.DownloadMediaResponse.Metadata, bytes]:
    call = api.gallery.DownloadMedia(pb.DownloadMediaRequest(**request), timeout=BOUND_SECONDS)
    first, *rest = [message async for message in call]
    assert all(message.WhichOneof("content") == "chunk" for message in rest)
    return first.metadata, b"".join(message.chunk for message in rest)


@pytest.mark.parametrize(
    ("rendition", "size"),
    [
        (Rendition.RENDITION_UNSPECIFIED, (64, 48)),
        (Rendition.RENDITION_ORIGINAL, (64, 48)),
        (Rendition.RENDITION_THUMBNAIL, (16, 12)),
    ],
)
async def test_download_brings_the_file(api: Api, rendition: int, size: tuple[int, int]) -> None:
    user_id, (item_id,), position = await gallery_of(api, ["a red fox"])
    metadata, content = await download(
        api, user_id=user_id, item_id=item_id, rendition=rendition, at_least_position=position
    )
    assert content == picture("red", size)
    assert (metadata.size_bytes, metadata.content_type) == (len(content), "image/png")
    assert metadata.sha256 == hashlib.sha256(content).hexdigest()
    assert metadata.file_name.startswith(item_id)
    assert metadata.file_name.endswith(".png")


async def test_file_that_is_not_there_is_told_before_anything_is_sent(api: Api) -> None:
    user_id, (item_id,), position = await gallery_of(api, ["a red fox"])
    request = pb.GetItemRequest(user_id=user_id, item_id=item_id, at_least_position=position)
    item = (await api.gallery.GetItem(request, timeout=BOUND_SECONDS)).item
    assert isinstance(api.core.media, ObjectMediaStore)
    path = api.core.media.path_of(item.media.key)
    assert path is not None
    path.unlink()
    wanted = pb.DownloadMediaRequest(user_id=user_id, item_id=item_id)
    call = api.gallery.DownloadMedia(wanted, timeout=BOUND_SECONDS)
    assert (await refusal_of(anext(aiter(call)))).code is grpc.StatusCode.NOT_FOUND


async def upload(api: Api, *messages: pb.UploadMediaRequest) -> pb.UploadMediaResponse:
    response: pb.UploadMediaResponse = await api.gallery.UploadMedia(iter(messages), timeout=BOUND_SECONDS)
    return response


def metadata(user_id: str, size_bytes: int = 0) -> pb.UploadMediaRequest:
    return pb.UploadMediaRequest(metadata=pb.UploadMediaRequest.Metadata(user_id=user_id, size_bytes=size_bytes))


def chunk(content: bytes) -> pb.UploadMediaRequest:
    return pb.UploadMediaRequest(chunk=content)


async def test_reference_is_kept_used_and_given_back(api: Api) -> None:
    user_id = await api.user_with(100)
    content = picture("blue", (512, 512), "JPEG")
    kept = await upload(api, metadata(user_id, len(content)), chunk(content[:1000]), chunk(content[1000:]))
    assert (kept.content_type, kept.width, kept.height) == ("image/jpeg", 512, 512)
    again = await upload(api, metadata(user_id), chunk(content))
    assert again.media_id == kept.media_id

    generation = (await api.request(user_id, type="avatar", reference_media_id=kept.media_id)).generation
    assert generation.reference_media_id == kept.media_id
    told, downloaded = await download(api, user_id=user_id, reference_media_id=kept.media_id)
    assert hashlib.sha256(downloaded).hexdigest() == told.sha256
    others = await refusal_of(
        api.gallery.DownloadMedia(
            pb.DownloadMediaRequest(user_id=fresh_name(), reference_media_id=kept.media_id), timeout=BOUND_SECONDS
        )
    )
    assert others.code is grpc.StatusCode.NOT_FOUND


BAD_UPLOADS: list[tuple[str, list[pb.UploadMediaRequest]]] = [
    ("metadata", []),
    ("metadata", [chunk(b"x")]),
    ("metadata.user_id", [metadata("a/b"), chunk(b"x")]),
    ("metadata.size_bytes", [metadata("u", 2**40), chunk(b"x")]),
    ("chunk", [metadata("u")]),
    ("chunk", [metadata("u"), metadata("u")]),
    ("chunk", [metadata("u"), chunk(b"x" * (2**20 + 1))]),
    ("chunk", [metadata("u"), *[chunk(b"x" * 2**20)] * 11]),
    ("content", [metadata("u"), chunk(b"This is no picture, it is a text file.\n" * 100)]),
]


@pytest.mark.parametrize(("field", "messages"), BAD_UPLOADS)
async def test_upload_that_cannot_be_right_names_the_field(
    api: Api, field: str, messages: list[pb.UploadMediaRequest]
) -> None:
    refusal = await refusal_of(upload(api, *messages))
    assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT
    assert list(refusal.fields) == [field]


async def test_download_of_what_is_not_there(api: Api) -> None:
    user_id, (item_id,), _ = await gallery_of(api, ["a red fox"])
    cases: list[tuple[grpc.StatusCode, dict[str, Any]]] = [
        (grpc.StatusCode.NOT_FOUND, {"user_id": fresh_name(), "item_id": item_id}),
        (grpc.StatusCode.NOT_FOUND, {"user_id": user_id, "reference_media_id": "nothing"}),
        (grpc.StatusCode.INVALID_ARGUMENT, {"user_id": user_id, "reference_media_id": "../x"}),
        (grpc.StatusCode.INVALID_ARGUMENT, {"user_id": user_id, "item_id": "../x"}),
        (grpc.StatusCode.INVALID_ARGUMENT, {"user_id": user_id}),
    ]
    for code, changes in cases:
        call = api.gallery.DownloadMedia(pb.DownloadMediaRequest(**changes), timeout=BOUND_SECONDS)
        assert (await refusal_of(call)).code is code, changes
