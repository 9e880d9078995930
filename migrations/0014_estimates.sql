-- What a pass through the model takes, as its probe measured it (PassCost); NULL: not measured.
ALTER TABLE models ADD COLUMN pass TEXT CHECK (pass IS NULL OR json_valid(pass));

-- Whether a task of the job turned out to need more than the estimate that it was given.
ALTER TABLE jobs ADD COLUMN is_enlarged INTEGER NOT NULL DEFAULT 0 CHECK (is_enlarged IN (0, 1));
