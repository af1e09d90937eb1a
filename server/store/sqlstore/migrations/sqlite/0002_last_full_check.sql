-- A background check does not use the microphone: it may find a fault of the line,
-- but cannot show that somebody will be heard. Therefore the last check that used
-- the microphone is stored in addition to the last one, and verdict is the combined
-- result of both.

-- +goose Up
ALTER TABLE latest ADD COLUMN full_report_id TEXT REFERENCES reports (id); -- NULL before the first
ALTER TABLE latest ADD COLUMN full_verdict TEXT NOT NULL DEFAULT '';
ALTER TABLE latest ADD COLUMN full_checked_at INTEGER NOT NULL DEFAULT 0;

-- In existing rows only the trigger distinguishes the two kinds of checks.
UPDATE latest SET full_report_id = (
    SELECT r.id FROM reports r
    WHERE r.participant_id = latest.participant_id AND r.trigger_kind <> 'schedule'
    ORDER BY r.checked_at DESC, r.id DESC LIMIT 1);
UPDATE latest SET
    full_verdict = (SELECT r.verdict FROM reports r WHERE r.id = full_report_id),
    full_checked_at = (SELECT r.checked_at FROM reports r WHERE r.id = full_report_id)
WHERE full_report_id IS NOT NULL;
UPDATE latest SET verdict = CASE full_verdict WHEN '' THEN 'unknown' ELSE full_verdict END
WHERE verdict = 'ready' AND report_id IS NOT full_report_id;
UPDATE latest SET verdict_rank = CASE verdict WHEN 'not_ready' THEN 0 WHEN 'limited' THEN 1 WHEN 'ready' THEN 3 ELSE 2 END
WHERE report_id IS NOT NULL;
