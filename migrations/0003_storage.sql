-- Uploads that go on after an interruption, fair and prioritised jobs, leases that expire, retention.

-- Among the jobs of one owner, higher ones run first.
ALTER TABLE jobs ADD COLUMN priority INTEGER NOT NULL DEFAULT 0 CHECK (priority BETWEEN -10 AND 10);
-- Why a queued job that was running waits, where that is not its turn. It goes on by itself.
ALTER TABLE jobs ADD COLUMN paused TEXT CHECK (paused IS NULL OR (paused = 'disk_full' AND state = 'queued'));
-- The lease ends here unless its holder renews it.
ALTER TABLE jobs ADD COLUMN lease_until REAL NOT NULL DEFAULT 0;
ALTER TABLE models ADD COLUMN lease_until REAL NOT NULL DEFAULT 0;
ALTER TABLE datasets ADD COLUMN lease_until REAL NOT NULL DEFAULT 0;

-- When an owner was last served, counted in claims: the one served longest ago is next. '' is for jobs without a
-- key.
CREATE TABLE owners (
    owner TEXT PRIMARY KEY,
    served INTEGER NOT NULL CHECK (served > 0)
) STRICT, WITHOUT ROWID;

-- What a job found stands still once it is finished; a retry starts over in `queued`.
CREATE TRIGGER jobs_result BEFORE UPDATE OF verdict, metrics, started_at, finished_at, attempt ON jobs
WHEN old.state IN ('succeeded', 'failed', 'cancelled') AND new.state = old.state
BEGIN
    SELECT RAISE(ABORT, 'a finished job does not change');
END;
CREATE TRIGGER artifacts_insert BEFORE INSERT ON artifacts
WHEN (SELECT state FROM jobs WHERE seq = new.job) NOT IN ('running', 'cancelling')
BEGIN
    SELECT RAISE(ABORT, 'only a running job gets results');
END;
CREATE UNIQUE INDEX events_succeeded ON events (job)
    WHERE kind = 'state' AND json_extract(data, '$.state') = 'succeeded';

-- What is left of a removed job.
CREATE TABLE tombstones (
    id TEXT PRIMARY KEY CHECK (id GLOB 'job_*' AND length(id) = 30),
    owner TEXT,
    type TEXT NOT NULL CHECK (type IN ('scan', 'purify')),
    state TEXT NOT NULL CHECK (state IN ('succeeded', 'failed', 'cancelled')),
    -- The verdict's result, where there was one.
    result TEXT,
    created_at REAL NOT NULL,
    finished_at REAL NOT NULL,
    removed_at REAL NOT NULL,
    reason TEXT NOT NULL CHECK (reason IN ('retention', 'request'))
) STRICT, WITHOUT ROWID;
CREATE INDEX tombstones_removed ON tombstones (removed_at);

-- Events go only together with their job.
DROP TRIGGER events_delete;
CREATE TRIGGER events_delete BEFORE DELETE ON events
WHEN NOT EXISTS (SELECT 1 FROM tombstones JOIN jobs USING (id) WHERE jobs.seq = old.job)
BEGIN
    SELECT RAISE(ABORT, 'events are append-only');
END;
CREATE TRIGGER jobs_delete BEFORE DELETE ON jobs
WHEN old.state NOT IN ('succeeded', 'failed', 'cancelled')
    OR NOT EXISTS (SELECT 1 FROM tombstones WHERE id = old.id)
BEGIN
    SELECT RAISE(ABORT, 'only a finished job with a tombstone is removed');
END;
CREATE INDEX jobs_finished ON jobs (finished_at) WHERE finished_at IS NOT NULL;

CREATE INDEX idempotency_job ON idempotency (job);

-- Resumable uploads. The bytes lie in uploads/<id>.part; its size is the offset. `committing` stands before
-- the file becomes a blob, so that a start after a crash in between finishes it.
CREATE TABLE uploads (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE CHECK (id GLOB 'upl_*' AND length(id) = 30),
    owner TEXT REFERENCES keys (id),
    kind TEXT NOT NULL CHECK (kind IN ('model', 'dataset')),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
    length INTEGER NOT NULL CHECK (length > 0),
    -- The Upload-Metadata header as it came.
    metadata TEXT,
    -- What the client says the whole file's SHA-256 is.
    expected_sha256 TEXT CHECK (length(expected_sha256) = 64 AND expected_sha256 NOT GLOB '*[^0-9a-f]*'),
    state TEXT NOT NULL CHECK (state IN ('receiving', 'committing', 'finished', 'rejected')),
    sha256 TEXT CHECK (length(sha256) = 64 AND sha256 NOT GLOB '*[^0-9a-f]*'),
    -- What the checks before `committing` found a model to be.
    summary TEXT CHECK (summary IS NULL OR json_valid(summary)),
    -- The id of the model or data set that it became.
    input TEXT,
    problem TEXT CHECK (problem IS NULL OR json_valid(problem)),
    created_at REAL NOT NULL,
    expires_at REAL NOT NULL,
    CHECK ((state IN ('committing', 'finished')) = (sha256 IS NOT NULL)),
    CHECK ((state = 'finished') = (input IS NOT NULL)),
    CHECK ((state = 'rejected') = (problem IS NOT NULL))
) STRICT;
CREATE INDEX uploads_expires ON uploads (expires_at);
CREATE INDEX uploads_owner ON uploads (owner, state);
CREATE TRIGGER uploads_transition BEFORE UPDATE OF state ON uploads
WHEN old.state <> new.state AND NOT (
    (old.state = 'receiving' AND new.state IN ('committing', 'rejected'))
    OR (old.state = 'committing' AND new.state IN ('finished', 'rejected')))
BEGIN
    SELECT RAISE(ABORT, 'forbidden upload state transition');
END;
