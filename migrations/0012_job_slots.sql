-- Slots that one job of the key may use; NULL: the configuration's.
ALTER TABLE keys ADD COLUMN job_slots INTEGER CHECK (job_slots IS NULL OR job_slots >= 1);
