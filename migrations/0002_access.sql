-- API keys, whose an upload or job is, and the audit log.

-- A key's secret has 256 random bits: it cannot be guessed, so its plain SHA-256 gives nothing away, and no slow
-- password hash is needed. The secret itself is nowhere.
CREATE TABLE keys (
    id TEXT PRIMARY KEY CHECK (id GLOB 'key_*' AND length(id) = 30),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
    secret_sha256 TEXT NOT NULL UNIQUE
        CHECK (length(secret_sha256) = 64 AND secret_sha256 NOT GLOB '*[^0-9a-f]*'),
    scope TEXT NOT NULL CHECK (scope IN ('read', 'submit', 'admin')),
    -- Quotas; NULL stands for the configuration's.
    stored_bytes INTEGER CHECK (stored_bytes >= 0),
    queued_jobs INTEGER CHECK (queued_jobs >= 0),
    upload_bytes_per_hour INTEGER CHECK (upload_bytes_per_hour >= 0),
    created_at REAL NOT NULL,
    expires_at REAL,
    revoked_at REAL
) STRICT, WITHOUT ROWID;

CREATE TRIGGER keys_update BEFORE UPDATE ON keys
WHEN old.revoked_at IS NOT NULL OR new.id <> old.id OR new.secret_sha256 <> old.secret_sha256
    OR new.scope <> old.scope OR new.created_at <> old.created_at
BEGIN
    SELECT RAISE(ABORT, 'a key is only ever revoked, once');
END;
CREATE TRIGGER keys_delete BEFORE DELETE ON keys
BEGIN
    SELECT RAISE(ABORT, 'keys are kept: uploads, jobs and the audit log name them');
END;

-- NULL: from a time, or an address, without keys.
ALTER TABLE models ADD COLUMN owner TEXT REFERENCES keys (id);
ALTER TABLE datasets ADD COLUMN owner TEXT REFERENCES keys (id);
ALTER TABLE jobs ADD COLUMN owner TEXT REFERENCES keys (id);
CREATE INDEX models_owner ON models (owner, size) WHERE owner IS NOT NULL;
CREATE INDEX datasets_owner ON datasets (owner, size) WHERE owner IS NOT NULL;
CREATE INDEX jobs_owner ON jobs (owner, state) WHERE owner IS NOT NULL;

-- Each key has idempotency keys of its own; '' is for requests without a key.
ALTER TABLE idempotency RENAME TO idempotency_0001;
CREATE TABLE idempotency (
    owner TEXT NOT NULL,
    key TEXT NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    request_hash TEXT NOT NULL,
    job INTEGER NOT NULL REFERENCES jobs (seq) ON DELETE CASCADE,
    created_at REAL NOT NULL,
    PRIMARY KEY (owner, key)
) STRICT, WITHOUT ROWID;
INSERT INTO idempotency SELECT '', key, request_hash, job, created_at FROM idempotency_0001;
DROP TABLE idempotency_0001;

-- Who did what, when, from where, and what came of it.
CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at REAL NOT NULL,
    -- A key's id; NULL without a valid key.
    key TEXT,
    -- The client's address, or 'local' for a command on the machine itself.
    remote TEXT NOT NULL,
    -- Such as 'POST /v1/jobs' or 'keys.create'.
    action TEXT NOT NULL,
    -- What it was done to: a path or an id.
    target TEXT,
    -- The HTTP status; NULL for what is no request.
    status INTEGER CHECK (status BETWEEN 100 AND 599),
    request_id TEXT,
    detail TEXT
) STRICT;
CREATE INDEX audit_key ON audit (key, id) WHERE key IS NOT NULL;
CREATE TRIGGER audit_update BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;
CREATE TRIGGER audit_delete BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;
