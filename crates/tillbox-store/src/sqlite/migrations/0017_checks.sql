-- Payments that were credited are asked about once more, as a bank may return one weeks later. checks: how often, the
-- first time, at once, only to say when; poll_at then says when next. Those from long before are left as they are.
ALTER TABLE top_ups ADD COLUMN checks INTEGER NOT NULL DEFAULT 0;
UPDATE top_ups SET checks = 12
    WHERE status = 3 AND updated_at < (SELECT max(updated_at) FROM top_ups) - 85 * 86400000000;
CREATE INDEX top_ups_to_check ON top_ups (iif(checks = 0, 0, poll_at)) WHERE status = 3 AND checks < 12;
