-- What an upload was sent with, by the REST API's names: for a model {"architecture", "image"} or {"skeleton": id},
-- for a data set its import options. NULL: nothing.
ALTER TABLE models ADD COLUMN import_options TEXT CHECK (import_options IS NULL OR json_valid(import_options));
ALTER TABLE datasets ADD COLUMN import_options TEXT CHECK (import_options IS NULL OR json_valid(import_options));
CREATE INDEX models_skeleton ON models (json_extract(import_options, '$.skeleton'))
    WHERE import_options IS NOT NULL;
