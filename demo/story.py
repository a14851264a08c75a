"""The story: what a user of Triptych lives through, from the first credits to the statement."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

from PIL import Image, ImageDraw

from clients.sdk import (
    FailureReason,
    Generation,
    GenerationState,
    InsufficientCredits,
    PromptSource,
    Triptych,
)
from demo.stage import PANELS, Stage

USER = "anna"
GRANTED = 100


def tell(stage: Stage, client: Triptych, media_dir: Path) -> None:
    """Tells and checks all of it. Raises NotTrue, TriptychError."""
    prices = {each.type: each.credits_per_output for each in client.list_types().types}
    _credits(stage, client)
    _one_picture(stage, client, prices["imagen4"])
    _two_of_four(stage, client, prices["imagen4"])
    _avatar(stage, client, prices["avatar"])
    _video(stage, client, prices["video"])
    _paid_back(stage, client)
    _sent_twice(stage, client, prices["imagen4"])
    _beyond_the_balance(stage, client, prices["video"])
    _gallery(stage, client, media_dir)


def _balance(client: Triptych) -> int:
    return client.get_account(USER).balance


def _credits(stage: Stage, client: Triptych) -> None:
    stage.chapter(f"Anna gets {GRANTED} credits")
    client.grant_credits(USER, GRANTED, grant_id="welcome", note="welcome")
    client.grant_credits(USER, GRANTED, grant_id="welcome", note="welcome")
    stage.check(f"the same grant sent twice counts once: her balance is {GRANTED}", _balance(client) == GRANTED)


def _one_picture(stage: Stage, client: Triptych, price: int) -> None:
    stage.chapter("She asks for a picture in her own words")
    before = _balance(client)
    requested = client.request_generation(USER, "imagen4", "кот на крыше ночью", output_count=1)
    done = stage.watch(client, requested.generation)
    stage.say(f"her words:   {done.prompt}")
    stage.say(f"improved:    {done.effective_prompt}")
    improved = done.prompt_source is PromptSource.IMPROVED and done.effective_prompt != done.prompt
    stage.check("the picture is there, made from the improved words", _succeeded(done, 1) and improved, done)
    stage.check(f"it cost {price} credits", _balance(client) == before - price, _balance(client))


def _two_of_four(stage: Stage, client: Triptych, price: int) -> None:
    stage.chapter("She asks for four, and the vendor delivers two")
    before = _balance(client)
    prompt = "море на закате, лодка [sandbox:two-of-four]"
    done = stage.watch(client, client.request_generation(USER, "imagen4", prompt, output_count=4).generation)
    stage.check("two of four pictures came", _succeeded(done, 2), done)
    stage.check(
        f"{done.credits_debited} credits were taken and {done.credits_refunded} came back",
        (done.credits_debited, done.credits_refunded) == (4 * price, 2 * price)
        and _balance(client) == before - 2 * price,
        (done.credits_debited, done.credits_refunded, _balance(client)),
    )


def _avatar(stage: Stage, client: Triptych, price: int) -> None:
    stage.chapter("A photo with herself, from a reference picture")
    before = _balance(client)
    reference = client.upload_reference(USER, _portrait())
    stage.say(f"uploaded a {reference.content_type} of {reference.width}×{reference.height}")
    requested = client.request_generation(
        USER, "avatar", "я в горах, солнечное утро", reference_media_id=reference.media_id, aspect_ratio="3:4"
    )
    done = stage.watch(client, requested.generation)
    stage.check("the photo is there", _succeeded(done, 1), done)
    stage.check(f"it cost {price} credits", _balance(client) == before - price, _balance(client))


def _video(stage: Stage, client: Triptych, price: int) -> None:
    stage.chapter("A video")
    before = _balance(client)
    done = stage.watch(client, client.request_generation(USER, "video", "волны у скал, чайки").generation)
    plays = _succeeded(done, 1) and done.items[0].media.content_type == "video/mp4"
    stage.check("the video is there", plays and done.items[0].media.duration_seconds > 0, done)
    stage.check(f"it cost {price} credits", _balance(client) == before - price, _balance(client))


def _paid_back(stage: Stage, client: Triptych) -> None:
    stage.chapter("What cannot be made is paid back")
    before = _balance(client)
    refused = stage.watch(client, client.request_generation(USER, "imagen4", "что-то запрещённое").generation)
    _check_failed(stage, refused, FailureReason.CONTENT_POLICY)
    failed = stage.watch(
        client, client.request_generation(USER, "imagen4", "лес в тумане [sandbox:internal-server-error]").generation
    )
    _check_failed(stage, failed, FailureReason.VENDOR_UNAVAILABLE)
    stage.check(f"her balance is what it was: {before}", _balance(client) == before, _balance(client))


def _check_failed(stage: Stage, generation: Generation, reason: FailureReason) -> None:
    failure = generation.failure
    told = failure.message.en if failure else ""
    stage.say(f"Anna reads: {failure.message.ru if failure else ''}")
    stage.check(
        f"{generation.credits_refunded} of {generation.credits_debited} credits came back: {told}",
        generation.state is GenerationState.FAILED
        and failure is not None
        and failure.reason is reason
        and generation.credits_refunded == generation.credits_debited > 0,
        generation,
    )


def _sent_twice(stage: Stage, client: Triptych, price: int) -> None:
    stage.chapter("The connection stutters, and the same request is sent twice")
    before = _balance(client)
    first = client.request_generation(USER, "imagen4", "старый маяк", request_id="lighthouse")
    again = client.request_generation(USER, "imagen4", "старый маяк", request_id="lighthouse")
    done = stage.watch(client, first.generation)
    same = first.generation.generation_id == again.generation.generation_id and first.created and not again.created
    stage.check("it is one generation with one picture", same and _succeeded(done, 1), (first, again))
    stage.check(f"and one charge of {price} credits", _balance(client) == before - price, _balance(client))


def _beyond_the_balance(stage: Stage, client: Triptych, price: int) -> None:
    stage.chapter("She wants more than she has credits for")
    before, head = _balance(client), client.get_head()
    try:
        client.request_generation(USER, "video", "полёт над городом")
    except InsufficientCredits as refusal:
        stage.say(str(refusal))
        right = (refusal.balance, refusal.price) == (before, price)
        nothing = _balance(client) == before and client.get_head() == head
        stage.check("refused, with the balance and the price; nothing was taken or recorded", right and nothing)
    else:
        stage.check("a request beyond the balance is refused", False, "it was accepted")


def _gallery(stage: Stage, client: Triptych, media_dir: Path) -> None:
    stage.chapter("Her gallery, her statement, her files")
    counts = client.count_items(USER)
    stage.say("everything, newest first")
    everything = list(client.iter_items(USER))
    stage.show_items(everything)
    stage.show_counts(counts)
    for count in counts:
        stage.say(f"only {PANELS[count.type]}")
        items = list(client.iter_items(USER, type=count.type))
        stage.show_items(items)
        stage.check(
            f"{count.count} as counted", len(items) == count.count and {i.type for i in items} == {count.type}
        )
    entries = list(reversed(client.list_ledger_entries(USER, page_size=100).items))
    stage.say("the statement")
    stage.show_statement(entries)
    running = 0
    for entry in entries:
        running += entry.amount
        if running != entry.balance_after:
            stage.check(f"row {entry.entry_number} adds up", False, entry)
    stage.check(f"it adds up to her balance of {running}", running == _balance(client), _balance(client))
    whole = all(_is_on_disk(media_dir, item.media.key, item.media.sha256) for item in everything)
    stage.check(
        f"all {len(everything)} files are on disk, byte for byte, under {media_dir}", whole and bool(everything)
    )


def _succeeded(generation: Generation, count: int) -> bool:
    return generation.state is GenerationState.SUCCEEDED and len(generation.items) == count


def _is_on_disk(media_dir: Path, key: str, sha256: str) -> bool:
    file = media_dir / key
    return file.is_file() and hashlib.sha256(file.read_bytes()).hexdigest() == sha256


def _portrait() -> bytes:
    """A reference picture: a face, as simply drawn as it gets."""
    picture = Image.new("RGB", (512, 640), "#9db8c9")
    draw = ImageDraw.Draw(picture)
    draw.ellipse((60, 470, 452, 900), fill="#5b6f8c")
    draw.ellipse((146, 110, 366, 420), fill="#6b4a34")
    draw.ellipse((166, 150, 346, 420), fill="#e8c4a2")
    for x in (214, 298):
        draw.ellipse((x - 11, 262, x + 11, 284), fill="#2f2a28")
    draw.arc((216, 300, 296, 366), 15, 165, fill="#a4534b", width=7)
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()
