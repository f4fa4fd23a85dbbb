-- Top-ups that were given up here, and of which the provider has not said so yet: it is asked until it does.
ALTER TABLE top_ups ADD COLUMN to_give_up INTEGER NOT NULL DEFAULT 0;
CREATE INDEX top_ups_to_give_up ON top_ups (poll_at) WHERE to_give_up = 1;
