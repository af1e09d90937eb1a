-- The check that decides a participant's verdict (store.Known.Decides), so that no query repeats
-- that rule. The rows are filled once, by the rule of this version.

-- +goose Up
ALTER TABLE latest ADD COLUMN decides_report_id TEXT;
UPDATE latest SET decides_report_id = CASE WHEN last_verdict = 'ready' THEN full_report_id ELSE report_id END
WHERE report_id IS NOT NULL;
