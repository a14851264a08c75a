from __future__ import annotations

from service.adapters.postgres.read_notifier import MAX_KEYS, MAX_PAYLOAD_BYTES, Notice, ReadNotifier, decode, encode


def test_a_notice_survives_the_channel() -> None:
    notice = Notice("gallery", 7, ["user-1"])
    assert decode(encode(notice)) == notice


def test_a_notice_that_would_be_too_long_names_no_keys() -> None:
    keys = ["u" * 128 + str(number) for number in range(100)]
    payload = encode(Notice("gallery", 7, keys))
    assert len(payload) <= MAX_PAYLOAD_BYTES
    assert decode(payload) == Notice("gallery", 7)


def test_notices_that_wait_become_one() -> None:
    notifier = ReadNotifier("")
    notifier.announce("gallery", 7, {"user-1"})
    notifier.announce("gallery", 5, {"user-2"})
    notifier.announce("credits", 6, ())
    assert notifier.pending == [Notice("gallery", 7, ["user-1", "user-2"]), Notice("credits", 6, [])]


def test_too_many_keys_are_all_keys() -> None:
    notifier = ReadNotifier("")
    notifier.announce("gallery", 1, {f"user-{number}" for number in range(MAX_KEYS + 1)})
    notifier.announce("gallery", 2, {"user-1"})
    assert notifier.pending == [Notice("gallery", 2, None)]
