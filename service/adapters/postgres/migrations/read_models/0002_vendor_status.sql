-- How each worker finds its vendors. Reports that may be lost at any time, hence unlogged.
CREATE UNLOGGED TABLE read.vendor_status (
    vendor      text        NOT NULL,
    worker      text        NOT NULL,
    state       text        NOT NULL,
    detail      text        NOT NULL,
    reported_at timestamptz NOT NULL,
    PRIMARY KEY (vendor, worker)
);
