-- Ids are made by the server. Times are seconds since 1970. JSON columns hold the REST API's names.

CREATE TABLE models (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE CHECK (id GLOB 'mdl_*' AND length(id) = 30),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
    sha256 TEXT NOT NULL CHECK (length(sha256) = 64 AND sha256 NOT GLOB '*[^0-9a-f]*'),
    size INTEGER NOT NULL CHECK (size >= 0),
    state TEXT NOT NULL CHECK (state IN ('importing', 'ready', 'rejected')),
    problem TEXT CHECK (problem IS NULL OR json_valid(problem)),
    summary TEXT CHECK (summary IS NULL OR json_valid(summary)),
    attempt INTEGER NOT NULL DEFAULT 0 CHECK (attempt >= 0),
    failures INTEGER NOT NULL DEFAULT 0 CHECK (failures >= 0),
    not_before REAL NOT NULL DEFAULT 0,
    lease TEXT,
    created_at REAL NOT NULL,
    CHECK ((state = 'rejected') = (problem IS NOT NULL)),
    CHECK (state <> 'ready' OR summary IS NOT NULL),
    CHECK (state = 'importing' OR lease IS NULL)
) STRICT;
CREATE INDEX models_importing ON models (created_at) WHERE state = 'importing';
CREATE INDEX models_sha256 ON models (sha256);

CREATE TABLE datasets (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE CHECK (id GLOB 'dst_*' AND length(id) = 30),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
    sha256 TEXT NOT NULL CHECK (length(sha256) = 64 AND sha256 NOT GLOB '*[^0-9a-f]*'),
    size INTEGER NOT NULL CHECK (size >= 0),
    state TEXT NOT NULL CHECK (state IN ('importing', 'ready', 'rejected')),
    problem TEXT CHECK (problem IS NULL OR json_valid(problem)),
    summary TEXT CHECK (summary IS NULL OR json_valid(summary)),
    attempt INTEGER NOT NULL DEFAULT 0 CHECK (attempt >= 0),
    failures INTEGER NOT NULL DEFAULT 0 CHECK (failures >= 0),
    not_before REAL NOT NULL DEFAULT 0,
    lease TEXT,
    created_at REAL NOT NULL,
    CHECK ((state = 'rejected') = (problem IS NOT NULL)),
    CHECK (state <> 'ready' OR summary IS NOT NULL),
    CHECK (state = 'importing' OR lease IS NULL)
) STRICT;
CREATE INDEX datasets_importing ON datasets (created_at) WHERE state = 'importing';
CREATE INDEX datasets_sha256 ON datasets (sha256);

-- What a job was given is kept by id for good; the *_ref columns hold the inputs themselves. Deleting an
-- input sets them to NULL, which the last CHECK refuses while the job is not finished.
CREATE TABLE jobs (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE CHECK (id GLOB 'job_*' AND length(id) = 30),
    type TEXT NOT NULL CHECK (type IN ('scan', 'purify')),
    request TEXT NOT NULL CHECK (json_valid(request)),
    -- The model as it was uploaded.
    model_sha256 TEXT NOT NULL CHECK (length(model_sha256) = 64 AND model_sha256 NOT GLOB '*[^0-9a-f]*'),
    model_ref TEXT REFERENCES models (id) ON DELETE SET NULL,
    dataset_ref TEXT REFERENCES datasets (id) ON DELETE SET NULL,
    clean_ref TEXT REFERENCES datasets (id) ON DELETE SET NULL,
    triggered_ref TEXT REFERENCES datasets (id) ON DELETE SET NULL,
    state TEXT NOT NULL
        CHECK (state IN ('queued', 'running', 'cancelling', 'succeeded', 'failed', 'cancelled')),
    phase TEXT CHECK (phase IN
        ('boundary_analysis', 'detection', 'decoupling', 'refinement', 'evaluation')),
    round INTEGER NOT NULL DEFAULT 0 CHECK (round >= 0),
    progress REAL NOT NULL DEFAULT 0 CHECK (progress BETWEEN 0 AND 1),
    seconds_left REAL CHECK (seconds_left >= 0),
    attempt INTEGER NOT NULL DEFAULT 0 CHECK (attempt >= 0),
    failures INTEGER NOT NULL DEFAULT 0 CHECK (failures >= 0),
    not_before REAL NOT NULL DEFAULT 0,
    -- The server process whose worker runs the job.
    lease TEXT,
    verdict TEXT CHECK (verdict IS NULL OR json_valid(verdict)),
    metrics TEXT CHECK (metrics IS NULL OR json_valid(metrics)),
    problem TEXT CHECK (problem IS NULL OR json_valid(problem)),
    created_at REAL NOT NULL,
    started_at REAL,
    finished_at REAL,
    CHECK ((state IN ('running', 'cancelling')) = (lease IS NOT NULL)),
    CHECK (state NOT IN ('running', 'cancelling', 'succeeded') OR started_at IS NOT NULL),
    CHECK (state NOT IN ('running', 'cancelling', 'succeeded') OR attempt > 0),
    CHECK ((state IN ('succeeded', 'failed', 'cancelled')) = (finished_at IS NOT NULL)),
    CHECK ((state = 'failed') = (problem IS NOT NULL)),
    CHECK (state <> 'succeeded' OR verdict IS NOT NULL),
    CHECK (state IN ('succeeded', 'failed', 'cancelled') OR (
        model_ref IS NOT NULL AND dataset_ref IS NOT NULL
        AND (clean_ref IS NULL) = (json_extract(request, '$.evaluation.clean') IS NULL)
        AND (triggered_ref IS NULL) = (json_extract(request, '$.evaluation.triggered') IS NULL)))
) STRICT;
CREATE INDEX jobs_state ON jobs (state, seq);
CREATE INDEX jobs_model ON jobs (model_ref);
CREATE INDEX jobs_dataset ON jobs (dataset_ref);
CREATE INDEX jobs_clean ON jobs (clean_ref) WHERE clean_ref IS NOT NULL;
CREATE INDEX jobs_triggered ON jobs (triggered_ref) WHERE triggered_ref IS NOT NULL;

CREATE TRIGGER jobs_transition BEFORE UPDATE OF state ON jobs
WHEN old.state <> new.state AND NOT (
    (old.state = 'queued' AND new.state IN ('running', 'failed', 'cancelled'))
    OR (old.state = 'running' AND new.state IN ('queued', 'cancelling', 'succeeded', 'failed'))
    OR (old.state = 'cancelling' AND new.state = 'cancelled')
    OR (old.state IN ('failed', 'cancelled') AND new.state = 'queued'))
BEGIN
    SELECT RAISE(ABORT, 'forbidden job state transition');
END;

CREATE TRIGGER jobs_attempt BEFORE UPDATE OF attempt ON jobs WHEN new.attempt < old.attempt
BEGIN
    SELECT RAISE(ABORT, 'a job''s attempt never decreases');
END;

CREATE TABLE phases (
    job INTEGER NOT NULL REFERENCES jobs (seq) ON DELETE CASCADE,
    phase TEXT NOT NULL CHECK (phase IN
        ('boundary_analysis', 'detection', 'decoupling', 'refinement', 'evaluation')),
    round INTEGER NOT NULL CHECK (round >= 0),
    seconds REAL NOT NULL CHECK (seconds >= 0),
    finished_at REAL NOT NULL,
    PRIMARY KEY (job, phase, round)
) STRICT, WITHOUT ROWID;

CREATE TABLE metrics (
    job INTEGER NOT NULL REFERENCES jobs (seq) ON DELETE CASCADE,
    phase TEXT NOT NULL CHECK (phase IN
        ('boundary_analysis', 'detection', 'decoupling', 'refinement', 'evaluation')),
    round INTEGER NOT NULL CHECK (round >= 0),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    value REAL NOT NULL,
    PRIMARY KEY (job, phase, round, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE samples (
    job INTEGER NOT NULL REFERENCES jobs (seq) ON DELETE CASCADE,
    sample INTEGER NOT NULL CHECK (sample >= 0),
    name TEXT NOT NULL,
    given_label INTEGER NOT NULL CHECK (given_label >= 0),
    predicted_label INTEGER NOT NULL CHECK (predicted_label >= 0),
    boundary_distance REAL NOT NULL CHECK (boundary_distance >= 0),
    adversarial_label INTEGER NOT NULL CHECK (adversarial_label >= 0),
    coherence REAL NOT NULL,
    score REAL NOT NULL,
    flagged INTEGER NOT NULL CHECK (flagged IN (0, 1)),
    restored_label INTEGER NOT NULL CHECK (restored_label >= 0),
    PRIMARY KEY (job, sample),
    CHECK (flagged = 1 OR restored_label = given_label)
) STRICT, WITHOUT ROWID;
CREATE INDEX samples_score ON samples (job, score, sample);
CREATE INDEX samples_boundary_distance ON samples (job, boundary_distance, sample);
CREATE INDEX samples_coherence ON samples (job, coherence, sample);
CREATE INDEX samples_given_label ON samples (job, given_label, sample);
CREATE INDEX samples_flagged ON samples (job, sample) WHERE flagged = 1;

CREATE TABLE artifacts (
    job INTEGER NOT NULL REFERENCES jobs (seq) ON DELETE CASCADE,
    role TEXT NOT NULL CHECK (role IN ('purified_model', 'corrected_labels', 'trained_model')),
    sha256 TEXT NOT NULL CHECK (length(sha256) = 64 AND sha256 NOT GLOB '*[^0-9a-f]*'),
    size INTEGER NOT NULL CHECK (size >= 0),
    PRIMARY KEY (job, role)
) STRICT, WITHOUT ROWID;
CREATE INDEX artifacts_sha256 ON artifacts (sha256);

CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    job INTEGER NOT NULL REFERENCES jobs (seq),
    at REAL NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('state', 'progress', 'phase', 'verdict', 'metrics')),
    data TEXT NOT NULL CHECK (json_valid(data))
) STRICT;
CREATE INDEX events_job ON events (job, id);
CREATE TRIGGER events_update BEFORE UPDATE ON events
BEGIN
    SELECT RAISE(ABORT, 'events are append-only');
END;
CREATE TRIGGER events_delete BEFORE DELETE ON events
BEGIN
    SELECT RAISE(ABORT, 'events are append-only');
END;

CREATE TABLE idempotency (
    key TEXT PRIMARY KEY CHECK (length(key) BETWEEN 1 AND 255),
    request_hash TEXT NOT NULL,
    job INTEGER NOT NULL REFERENCES jobs (seq) ON DELETE CASCADE,
    created_at REAL NOT NULL
) STRICT, WITHOUT ROWID;
