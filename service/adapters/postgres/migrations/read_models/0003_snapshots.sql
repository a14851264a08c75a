-- States of long streams, so that they need not be folded from the beginning. No fact lives here alone: rows may be
-- deleted at any time, and are not believed unless the log still has their event in its place.
CREATE TABLE read.snapshots (
    stream        text COLLATE "C" PRIMARY KEY,
    version       integer     NOT NULL,
    position      bigint      NOT NULL,
    event_id      uuid        NOT NULL,
    state_version text        NOT NULL,
    state         json        NOT NULL,
    save_time     timestamptz NOT NULL DEFAULT now()
);
