-- What stands above the builds of projections: which there are and how far, what was skipped, passing reports.
-- The views that readers use are put into this schema by the projections themselves.

CREATE SCHEMA IF NOT EXISTS read;

CREATE TABLE read.projections (
    name text NOT NULL,
    build integer NOT NULL,
    version integer NOT NULL,
    schema_name text NOT NULL UNIQUE,
    position bigint NOT NULL DEFAULT 0,
    live boolean NOT NULL,
    state text NOT NULL CHECK (state IN ('building', 'live', 'stopped', 'retired')),
    error_position bigint NOT NULL DEFAULT 0,
    error_event_type text NOT NULL DEFAULT '',
    error text NOT NULL DEFAULT '',
    create_time timestamptz NOT NULL DEFAULT now(),
    update_time timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (name, build)
) WITH (fillfactor = 10); -- A few rows that change with every batch: room for many versions of each on its page.
CREATE UNIQUE INDEX projections_live ON read.projections (name) WHERE live;

CREATE TABLE read.projection_skips (
    name text NOT NULL,
    version integer NOT NULL,
    position bigint NOT NULL,
    event_type text NOT NULL,
    error text NOT NULL,
    actor text NOT NULL,
    reason text NOT NULL,
    skip_time timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (name, version, position)
);

-- The vendor's last word on a generation that is under way. Reports, not facts: nothing is decided on them.
CREATE TABLE read.generation_progress (
    generation_id text COLLATE "C" PRIMARY KEY,
    queue_position integer,
    log_line text NOT NULL,
    report_time timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);
