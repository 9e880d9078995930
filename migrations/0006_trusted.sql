-- A small set of images that the user trusts, which a purification is measured on and goes by.

ALTER TABLE jobs ADD COLUMN trusted_ref TEXT REFERENCES datasets (id) ON DELETE SET NULL
    CHECK (state IN ('succeeded', 'failed', 'cancelled')
        OR (trusted_ref IS NULL) = (json_extract(request, '$.options.trusted') IS NULL));
CREATE INDEX jobs_trusted ON jobs (trusted_ref) WHERE trusted_ref IS NOT NULL;
