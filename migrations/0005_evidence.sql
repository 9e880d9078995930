-- What one looks at: reviews by hand, curves, estimated triggers, accuracies class by class.

-- A person's decisions about a job's samples.
CREATE TABLE reviews (
    job INTEGER NOT NULL REFERENCES jobs (seq) ON DELETE CASCADE,
    sample INTEGER NOT NULL CHECK (sample >= 0),
    decision TEXT NOT NULL CHECK (decision IN ('accept', 'reject', 'relabel')),
    label INTEGER CHECK (label >= 0),
    PRIMARY KEY (job, sample),
    CHECK ((decision = 'relabel') = (label IS NOT NULL))
) STRICT, WITHOUT ROWID;

-- The decisions that a purification goes by: another job's, as they were when it was submitted.
CREATE TABLE applied_reviews (
    job INTEGER NOT NULL REFERENCES jobs (seq) ON DELETE CASCADE,
    sample INTEGER NOT NULL CHECK (sample >= 0),
    decision TEXT NOT NULL CHECK (decision IN ('accept', 'reject', 'relabel')),
    label INTEGER CHECK (label >= 0),
    PRIMARY KEY (job, sample),
    CHECK ((decision = 'relabel') = (label IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE TRIGGER applied_reviews_update BEFORE UPDATE ON applied_reviews
BEGIN
    SELECT RAISE(ABORT, 'what a job goes by does not change');
END;

CREATE TABLE curves (
    job INTEGER NOT NULL REFERENCES jobs (seq) ON DELETE CASCADE,
    phase TEXT NOT NULL CHECK (phase IN
        ('boundary_analysis', 'detection', 'decoupling', 'refinement', 'evaluation')),
    round INTEGER NOT NULL CHECK (round >= 0),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    step INTEGER NOT NULL CHECK (step >= 0),
    value REAL NOT NULL,
    PRIMARY KEY (job, phase, round, name, step)
) STRICT, WITHOUT ROWID;

CREATE TABLE triggers (
    job INTEGER NOT NULL REFERENCES jobs (seq) ON DELETE CASCADE,
    label INTEGER NOT NULL CHECK (label >= 0),
    name TEXT NOT NULL,
    form TEXT NOT NULL CHECK (form IN ('boundary', 'moments')),
    effect REAL NOT NULL CHECK (effect BETWEEN 0 AND 1),
    random REAL NOT NULL CHECK (random BETWEEN 0 AND 1),
    amplification REAL NOT NULL CHECK (amplification > 0),
    PRIMARY KEY (job, label)
) STRICT, WITHOUT ROWID;

CREATE TABLE assessments (
    job INTEGER PRIMARY KEY REFERENCES jobs (seq) ON DELETE CASCADE,
    data TEXT NOT NULL CHECK (json_valid(data))
) STRICT;

-- Pictures of triggers: results of which there is one for each class.
ALTER TABLE artifacts RENAME TO artifacts_0004;
DROP TRIGGER artifacts_insert;
DROP INDEX artifacts_sha256;
CREATE TABLE artifacts (
    job INTEGER NOT NULL REFERENCES jobs (seq) ON DELETE CASCADE,
    role TEXT NOT NULL CHECK (role IN ('purified_model', 'corrected_labels', 'trained_model',
        'trigger_direction', 'trigger_clean', 'trigger_stamped')),
    -- The class; -1 for what is of the whole job.
    label INTEGER NOT NULL DEFAULT -1 CHECK (label >= -1),
    sha256 TEXT NOT NULL CHECK (length(sha256) = 64 AND sha256 NOT GLOB '*[^0-9a-f]*'),
    size INTEGER NOT NULL CHECK (size >= 0),
    PRIMARY KEY (job, role, label),
    CHECK ((label >= 0) = (role GLOB 'trigger_*'))
) STRICT, WITHOUT ROWID;
INSERT INTO artifacts (job, role, sha256, size) SELECT job, role, sha256, size FROM artifacts_0004;
DROP TABLE artifacts_0004;
CREATE INDEX artifacts_sha256 ON artifacts (sha256);
CREATE TRIGGER artifacts_insert BEFORE INSERT ON artifacts
WHEN (SELECT state FROM jobs WHERE seq = new.job) NOT IN ('running', 'cancelling')
BEGIN
    SELECT RAISE(ABORT, 'only a running job gets results');
END;

-- Events of one more kind. Their numbers go on where they were.
ALTER TABLE events RENAME TO events_0004;
DROP TRIGGER events_update;
DROP TRIGGER events_delete;
DROP INDEX events_job;
DROP INDEX events_succeeded;
CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    job INTEGER NOT NULL REFERENCES jobs (seq),
    at REAL NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('state', 'progress', 'phase', 'verdict', 'metrics', 'curve')),
    data TEXT NOT NULL CHECK (json_valid(data))
) STRICT;
INSERT INTO events SELECT id, job, at, kind, data FROM events_0004;
DELETE FROM sqlite_sequence WHERE name = 'events';
INSERT INTO sqlite_sequence SELECT 'events', seq FROM sqlite_sequence WHERE name = 'events_0004';
DROP TABLE events_0004;
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

-- A job's samples by what the model says of them.
CREATE INDEX samples_predicted_label ON samples (job, predicted_label, sample);
