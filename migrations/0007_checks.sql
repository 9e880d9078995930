-- An upload whose bytes are all there is marked before a worker looks at it. A look that ended with the service is
-- counted, so that none is repeated for ever.
DROP TRIGGER uploads_transition;
DROP INDEX uploads_expires;
DROP INDEX uploads_owner;
ALTER TABLE uploads RENAME TO uploads_0006;
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
    state TEXT NOT NULL CHECK (state IN ('receiving', 'checking', 'committing', 'finished', 'rejected')),
    -- How often a look at the whole file was begun.
    checks INTEGER NOT NULL DEFAULT 0 CHECK (checks >= 0),
    sha256 TEXT CHECK (length(sha256) = 64 AND sha256 NOT GLOB '*[^0-9a-f]*'),
    -- What the checks before `committing` found a model to be.
    summary TEXT CHECK (summary IS NULL OR json_valid(summary)),
    -- The id of the model or data set that it became.
    input TEXT,
    problem TEXT CHECK (problem IS NULL OR json_valid(problem)),
    created_at REAL NOT NULL,
    expires_at REAL NOT NULL,
    CHECK ((state IN ('checking', 'committing', 'finished')) = (sha256 IS NOT NULL)),
    CHECK ((state = 'finished') = (input IS NOT NULL)),
    CHECK ((state = 'rejected') = (problem IS NOT NULL))
) STRICT;
INSERT INTO uploads (seq, id, owner, kind, name, length, metadata, expected_sha256, state, sha256, summary, input,
    problem, created_at, expires_at)
SELECT seq, id, owner, kind, name, length, metadata, expected_sha256, state, sha256, summary, input, problem,
    created_at, expires_at FROM uploads_0006;
DELETE FROM sqlite_sequence WHERE name = 'uploads';
INSERT INTO sqlite_sequence SELECT 'uploads', seq FROM sqlite_sequence WHERE name = 'uploads_0006';
DROP TABLE uploads_0006;
CREATE INDEX uploads_expires ON uploads (expires_at);
CREATE INDEX uploads_owner ON uploads (owner, state);
CREATE TRIGGER uploads_transition BEFORE UPDATE OF state ON uploads
WHEN old.state <> new.state AND NOT (
    (old.state = 'receiving' AND new.state IN ('checking', 'rejected'))
    -- Back again where the service could not look: it stops, or has no worker.
    OR (old.state = 'checking' AND new.state IN ('receiving', 'committing', 'rejected'))
    OR (old.state = 'committing' AND new.state IN ('finished', 'rejected')))
BEGIN
    SELECT RAISE(ABORT, 'forbidden upload state transition');
END;
