-- Times follow positions: an event is never recorded earlier than one before it, also when the server's clock is set
-- back. So a moment is a place in the log, and is found by halving.

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
CREATE OR REPLACE FUNCTION triptych.append_events(
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
    base   bigint;
    before timestamptz;
    at     timestamptz;
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

    SELECT e.position, e.recorded_at INTO base, before FROM triptych.events e ORDER BY e.position DESC LIMIT 1;
    base := coalesce(base, 0);
    at := greatest(clock_timestamp(), before);  -- nulls, of an empty log, are passed over
    INSERT INTO triptych.events (position, stream, version, event_id, type, data, metadata, recorded_at)
        SELECT base + n.ordinality, n.stream, n.version, n.id, n.type, n.data::jsonb, n.metadata::jsonb, at
        FROM unnest(event_streams, event_versions, event_ids, event_types, event_data, event_metadata)
            WITH ORDINALITY AS n (stream, version, id, type, data, metadata, ordinality);

    RETURN QUERY SELECT base + cardinality(event_ids), NULL::text, NULL::integer;
END
$$;

-- The position of the last event that was recorded at a moment or before it; 0 when there is none.
CREATE FUNCTION triptych.position_at(moment timestamptz) RETURNS bigint
LANGUAGE plpgsql STABLE AS $$
DECLARE
    low     bigint := 0;  -- everything up to here was recorded by then
    high    bigint;       -- nothing after this was
    middle  bigint;
    nearest record;
BEGIN
    SELECT coalesce(max(e.position), 0) INTO high FROM triptych.events e;
    WHILE low < high LOOP
        middle := low + (high - low + 1) / 2;
        SELECT e.position, e.recorded_at INTO nearest
            FROM triptych.events e WHERE e.position <= middle ORDER BY e.position DESC LIMIT 1;
        IF nearest.recorded_at > moment THEN
            high := nearest.position - 1;
        ELSE
            low := middle;
        END IF;
    END LOOP;
    RETURN low;
END
$$;

COMMENT ON TABLE triptych.events IS 'Append-only. Written by triptych.append_events, which keeps positions in commit order, and by the import of whole histories, which takes the same lock.';
COMMENT ON COLUMN triptych.events.recorded_at IS 'By the server''s clock; never earlier than that of a lower position.';
