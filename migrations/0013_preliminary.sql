-- What a job's verdict will be, where the running or last attempt knows that before it; NULL: it doesn't.
ALTER TABLE jobs ADD COLUMN preliminary TEXT CHECK (preliminary IS NULL OR json_valid(preliminary));

-- The job's log tells of it.
ALTER TABLE events RENAME TO events_0012;
DROP TRIGGER events_update;
DROP TRIGGER events_delete;
DROP INDEX events_job;
DROP INDEX events_succeeded;
CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    job INTEGER NOT NULL REFERENCES jobs (seq),
    at REAL NOT NULL,
    kind TEXT NOT NULL
        CHECK (kind IN ('state', 'progress', 'phase', 'preliminary', 'verdict', 'metrics', 'curve')),
    data TEXT NOT NULL CHECK (json_valid(data))
) STRICT;
INSERT INTO events SELECT id, job, at, kind, data FROM events_0012;
DELETE FROM sqlite_sequence WHERE name = 'events';
INSERT INTO sqlite_sequence SELECT 'events', seq FROM sqlite_sequence WHERE name = 'events_0012';
DROP TABLE events_0012;
CREATE INDEX events_job ON events (job, id);
CREATE UNIQUE INDEX events_succeeded ON events (job)
    WHERE kind = 'state' AND json_extract(data, '$.state') = 'succeeded';
CREATE TRIGGER events_update BEFORE UPDATE ON events
BEGIN
    SELECT RAISE(ABORT, 'events are append-only');
END;
CREATE TRIGGER events_delete BEFORE DELETE ON events
WHEN NOT EXISTS (SELECT 1 FROM tombstones JOIN jobs USING (id) WHERE jobs.seq = old.job)
BEGIN
    SELECT RAISE(ABORT, 'events are append-only');
END;
