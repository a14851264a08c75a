-- The log: every event of every stream, in the order in which readers see it.

CREATE TABLE triptych.events (
    position    bigint      NOT NULL,
    stream      text        NOT NULL,
    version     integer     NOT NULL,
    event_id    uuid        NOT NULL,
    type        text        NOT NULL,
    data        jsonb       NOT NULL,
    metadata    jsonb       NOT NULL,
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (position),
    UNIQUE (stream, version),
    UNIQUE (event_id)
);

-- Filtered reads and an analyst's "all events of this type".
CREATE INDEX events_by_type ON triptych.events (type, position);

COMMENT ON TABLE triptych.events IS 'Append-only. Written by triptych.append_events alone, which keeps positions in commit order.';
COMMENT ON COLUMN triptych.events.position IS 'From 1, without gaps, in the order of commits.';
COMMENT ON COLUMN triptych.events.version IS 'From 1 in each stream, without gaps.';
COMMENT ON COLUMN triptych.events.data IS 'The event, with its type; see service/domain for what the fields mean.';
COMMENT ON COLUMN triptych.events.metadata IS 'Who, why, trace, schema_version (1 where it is missing).';

-- Appends a batch, or nothing of it.
--
-- streams, expected_versions: each stream of the batch once, and the version that the batch builds on.
-- The other arrays hold one element an event, in order.
--
-- Returns one row (last_position, null, null) when it has written; otherwise a row (null, stream, actual_version)
-- for each stream that is at another version.
--
-- It must be called by a statement of its own in autocommit mode: then the lock is held only while the server
-- works, and no client that stops in the middle can hold up the others. Isolation must be READ COMMITTED: each
-- statement in here then sees everything that was committed before the lock was granted.
CREATE FUNCTION triptych.append_events(
    streams           text[],
    expected_versions integer[],
    event_streams     text[],
    event_versions    integer[],
    event_ids         uuid[],
    event_types       text[],
    event_data        text[],
    event_metadata    text[]
) RETURNS TABLE (last_position bigint, stream text, actual_version integer)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    base bigint;
    at   timestamptz;
BEGIN
    -- Until this transaction has committed and is visible, no other append can take a position.
    PERFORM pg_advisory_xact_lock(8101814132998149);

    RETURN QUERY
        SELECT NULL::bigint, known.stream, known.version
        FROM (
            SELECT asked.stream, asked.expected, coalesce(
                (SELECT e.version FROM triptych.events e
                 WHERE e.stream = asked.stream ORDER BY e.version DESC LIMIT 1), 0) AS version
            FROM unnest(streams, expected_versions) AS asked (stream, expected)
        ) known
        WHERE known.version <> known.expected;
    IF FOUND THEN
        RETURN;
    END IF;

    SELECT coalesce(max(e.position), 0) INTO base FROM triptych.events e;
    at := clock_timestamp();
    INSERT INTO triptych.events (position, stream, version, event_id, type, data, metadata, recorded_at)
        SELECT base + n.ordinality, n.stream, n.version, n.id, n.type, n.data::jsonb, n.metadata::jsonb, at
        FROM unnest(event_streams, event_versions, event_ids, event_types, event_data, event_metadata)
            WITH ORDINALITY AS n (stream, version, id, type, data, metadata, ordinality);

    RETURN QUERY SELECT base + cardinality(event_ids), NULL::text, NULL::integer;
END
$$;
