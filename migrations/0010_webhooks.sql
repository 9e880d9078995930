-- What is told to other services of finished jobs. The address stands in the job's request; what is sent is written down
-- when the job ends, in the same transaction, and is sent until it is taken or given up.
CREATE TABLE deliveries (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE CHECK (id GLOB 'evt_*' AND length(id) = 30),
    job INTEGER NOT NULL REFERENCES jobs (seq) ON DELETE CASCADE,
    url TEXT NOT NULL CHECK (length(url) BETWEEN 1 AND 2000),
    body TEXT NOT NULL CHECK (json_valid(body)),
    state TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'abandoned')),
    tries INTEGER NOT NULL CHECK (tries >= 0),
    next_at REAL,
    -- Of the last try: the status of the answer, or why there was none.
    status INTEGER,
    failure TEXT,
    created_at REAL NOT NULL,
    ended_at REAL,
    CHECK ((state = 'pending') = (next_at IS NOT NULL)),
    CHECK ((state = 'pending') = (ended_at IS NULL))
) STRICT;
CREATE INDEX deliveries_due ON deliveries (next_at) WHERE state = 'pending';
CREATE INDEX deliveries_job ON deliveries (job);
