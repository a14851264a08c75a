"""The rows of the generations projection, as stored: one type for Python and one table."""

from __future__ import annotations

from datetime import datetime

import msgspec

from service.domain.generation.events import StoredMedia


class Output(msgspec.Struct):
    """What a generation delivered; the rest of an item's row is its generation's."""

    item_id: str
    index: int
    seed: int | None
    media: StoredMedia
    thumbnail: StoredMedia
    favorite: bool
    trashed: bool
    create_time: datetime
    create_position: int
    update_position: int


class StoredGeneration(msgspec.Struct):
    """The columns of ``generations``."""

    generation_id: str
    user_id: str
    request_id: str
    generation_type: str
    model: str
    state: str
    cancelling: bool
    """The user wants out and the vendor has not answered yet; ``state`` is what it would be otherwise."""
    prompt: str
    improved_prompt: str
    prompt_source: str
    own_words_reason: str
    aspect_ratio: str
    output_count: int
    seed: int | None
    enhance_prompt: bool
    reference_media_id: str
    credits_per_output: int
    credits_debited: int
    credits_refunded: int
    delivered_count: int
    failure_reason: str
    failure_detail: str
    cancel_refused_why: str
    provider_request_id: str
    create_time: datetime
    create_position: int
    deadline_time: datetime
    end_time: datetime | None
    update_position: int
    outputs: list[Output]
    imported: bool


SCHEMA_SQL = """
CREATE TABLE generations (
    generation_id text COLLATE "C" PRIMARY KEY,
    user_id text COLLATE "C" NOT NULL,
    request_id text NOT NULL,
    generation_type text NOT NULL,
    model text NOT NULL,
    state text NOT NULL,
    cancelling boolean NOT NULL,
    prompt text NOT NULL,
    improved_prompt text NOT NULL,
    prompt_source text NOT NULL,
    own_words_reason text NOT NULL,
    aspect_ratio text NOT NULL,
    output_count integer NOT NULL,
    seed bigint,
    enhance_prompt boolean NOT NULL,
    reference_media_id text NOT NULL,
    credits_per_output integer NOT NULL,
    credits_debited bigint NOT NULL,
    credits_refunded bigint NOT NULL,
    delivered_count integer NOT NULL,
    failure_reason text NOT NULL,
    failure_detail text NOT NULL,
    cancel_refused_why text NOT NULL,
    provider_request_id text NOT NULL,
    create_time timestamptz NOT NULL,
    create_position bigint NOT NULL,
    deadline_time timestamptz NOT NULL,
    end_time timestamptz,
    update_position bigint NOT NULL,
    outputs jsonb NOT NULL,
    imported boolean NOT NULL
) WITH (fillfactor = 80);
CREATE INDEX generations_listed ON generations (user_id, create_time, create_position);
CREATE INDEX generations_unfinished ON generations (user_id, create_time, create_position) WHERE end_time IS NULL;
"""
