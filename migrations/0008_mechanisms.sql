-- A trigger works by a mechanism that the method knows, and the method may learn more of them.
ALTER TABLE triggers RENAME TO triggers_0007;
CREATE TABLE triggers (
    job INTEGER NOT NULL REFERENCES jobs (seq) ON DELETE CASCADE,
    label INTEGER NOT NULL CHECK (label >= 0),
    name TEXT NOT NULL,
    form TEXT NOT NULL CHECK (length(form) BETWEEN 1 AND 100),
    effect REAL NOT NULL CHECK (effect BETWEEN 0 AND 1),
    random REAL NOT NULL CHECK (random BETWEEN 0 AND 1),
    amplification REAL NOT NULL CHECK (amplification > 0),
    PRIMARY KEY (job, label)
) STRICT, WITHOUT ROWID;
INSERT INTO triggers (job, label, name, form, effect, random, amplification)
SELECT job, label, name, form, effect, random, amplification FROM triggers_0007;
DROP TABLE triggers_0007;

-- How far a restored label can be relied on, where that was measured.
ALTER TABLE samples ADD COLUMN label_confidence REAL CHECK (label_confidence BETWEEN 0 AND 1);
