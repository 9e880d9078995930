-- Distance and adversarial label are looked for where something is suspected, and for some samples elsewhere.
CREATE TABLE samples_0009 (
    job INTEGER NOT NULL REFERENCES jobs (seq) ON DELETE CASCADE,
    sample INTEGER NOT NULL CHECK (sample >= 0),
    name TEXT NOT NULL,
    given_label INTEGER NOT NULL CHECK (given_label >= 0),
    predicted_label INTEGER NOT NULL CHECK (predicted_label >= 0),
    boundary_distance REAL CHECK (boundary_distance >= 0),
    adversarial_label INTEGER CHECK (adversarial_label >= 0),
    coherence REAL NOT NULL,
    score REAL NOT NULL,
    flagged INTEGER NOT NULL CHECK (flagged IN (0, 1)),
    restored_label INTEGER NOT NULL CHECK (restored_label >= 0),
    label_confidence REAL CHECK (label_confidence BETWEEN 0 AND 1),
    PRIMARY KEY (job, sample),
    CHECK (flagged = 1 OR restored_label = given_label),
    CHECK ((boundary_distance IS NULL) = (adversarial_label IS NULL))
) STRICT, WITHOUT ROWID;
INSERT INTO samples_0009 (job, sample, name, given_label, predicted_label, boundary_distance, adversarial_label,
    coherence, score, flagged, restored_label, label_confidence)
SELECT job, sample, name, given_label, predicted_label, boundary_distance, adversarial_label,
    coherence, score, flagged, restored_label, label_confidence FROM samples;
DROP TABLE samples;
ALTER TABLE samples_0009 RENAME TO samples;
CREATE INDEX samples_score ON samples (job, score, sample);
CREATE INDEX samples_boundary_distance ON samples (job, boundary_distance, sample);
CREATE INDEX samples_coherence ON samples (job, coherence, sample);
CREATE INDEX samples_given_label ON samples (job, given_label, sample);
CREATE INDEX samples_predicted_label ON samples (job, predicted_label, sample);
CREATE INDEX samples_flagged ON samples (job, sample) WHERE flagged = 1;
