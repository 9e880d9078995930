-- Where a job's task is on a cluster, or was last, in its scheduler's words.
ALTER TABLE jobs ADD COLUMN placement TEXT CHECK (placement IS NULL OR json_valid(placement));
