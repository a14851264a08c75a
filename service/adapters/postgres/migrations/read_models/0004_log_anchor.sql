-- One event of the log that the read models are built from, and where it stood: by it a service finds out at its start
-- whether it was pointed at another log.

CREATE TABLE read.log_anchor (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    stream text NOT NULL,
    version integer NOT NULL,
    event_id uuid NOT NULL,
    position bigint NOT NULL,
    note_time timestamptz NOT NULL DEFAULT now()
);
