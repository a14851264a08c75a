"""The gallery's tables.

Every list that the gallery shows is one index, in the order in which it is shown, by time: all of a user's items,
those of one type, the favourites, the trash. Ids compare by bytes (collation "C"), so that they sort the same
everywhere and for ever.
"""

SCHEMA_SQL = """
CREATE TABLE gallery_generations (
    generation_id text COLLATE "C" PRIMARY KEY,
    user_id text COLLATE "C" NOT NULL,
    generation_type text NOT NULL,
    model text NOT NULL,
    prompt text NOT NULL,
    improved_prompt text NOT NULL,
    aspect_ratio text NOT NULL,
    credits integer NOT NULL
);

CREATE TABLE gallery_items (
    item_id text COLLATE "C" PRIMARY KEY,
    generation_id text COLLATE "C" NOT NULL,
    user_id text COLLATE "C" NOT NULL,
    generation_type text NOT NULL,
    index integer NOT NULL,
    model text NOT NULL,
    prompt text NOT NULL,
    improved_prompt text NOT NULL,
    aspect_ratio text NOT NULL,
    seed bigint,
    credits integer NOT NULL,
    media jsonb NOT NULL,
    thumbnail jsonb NOT NULL,
    favorite boolean NOT NULL,
    trashed boolean NOT NULL,
    create_time timestamptz NOT NULL,
    create_position bigint NOT NULL,
    update_position bigint NOT NULL,
    imported boolean NOT NULL,
    search tsvector NOT NULL
);
CREATE INDEX gallery_items_shown ON gallery_items (user_id, create_time, create_position) WHERE NOT trashed;
CREATE INDEX gallery_items_typed ON gallery_items (user_id, generation_type, create_time, create_position)
    WHERE NOT trashed;
CREATE INDEX gallery_items_favorite ON gallery_items (user_id, create_time, create_position)
    WHERE favorite AND NOT trashed;
CREATE INDEX gallery_items_trash ON gallery_items (user_id, create_time, create_position) WHERE trashed;
CREATE INDEX gallery_items_changed ON gallery_items (user_id, update_position);
-- A search also looks through what is not merged into the index yet, so little of that is kept.
CREATE INDEX gallery_items_search ON gallery_items USING gin (search) WITH (gin_pending_list_limit = 512);

CREATE TABLE gallery_counts (
    user_id text COLLATE "C" NOT NULL,
    generation_type text NOT NULL,
    count bigint NOT NULL,
    favorite_count bigint NOT NULL,
    trashed_count bigint NOT NULL,
    PRIMARY KEY (user_id, generation_type)
);
"""
