-- Top-ups and auto-recharge.

-- What stands of auto-recharge and alerts, packed; null where neither was ever set.
ALTER TABLE wallet_states ADD COLUMN standing BLOB;

-- Every top-up that was ever opened. Up to credited_by: what the log says, written in the commit of its rows. Behind
-- it: what is noted of the calls to the payment provider. plan: the methods to try, once they are settled, packed.
-- poll_at and expires_at are of the system's clock.
CREATE TABLE top_ups (
    id             INTEGER PRIMARY KEY,
    merchant_id    INTEGER NOT NULL,
    wallet_id      INTEGER NOT NULL,
    amount         INTEGER NOT NULL,
    reason         INTEGER NOT NULL,
    channel        INTEGER NOT NULL,
    method         INTEGER,
    backups        BLOB,
    status         INTEGER NOT NULL,
    opened_at      INTEGER NOT NULL,
    charged        INTEGER NOT NULL,
    payment_id     TEXT,
    failure        TEXT,
    updated_at     INTEGER NOT NULL,
    opened_by      INTEGER NOT NULL,
    credited_by    INTEGER,
    plan           BLOB,
    charged_method INTEGER,
    next_action    TEXT,
    page_url       TEXT,
    expires_at     INTEGER,
    poll_at        INTEGER NOT NULL DEFAULT 0,
    polls          INTEGER NOT NULL DEFAULT 0,
    unanswered     INTEGER NOT NULL DEFAULT 0,
    quarantined    TEXT,
    CHECK (0 <= charged AND charged <= amount),
    CHECK ((status = 3) = (credited_by IS NOT NULL))
);
CREATE INDEX top_ups_by_wallet ON top_ups (wallet_id, id);
-- What the list of transactions shows of them: all that have not succeeded, where they were opened.
CREATE INDEX top_ups_listed ON top_ups (merchant_id, opened_by) WHERE status <> 3;
CREATE INDEX top_ups_listed_by_wallet ON top_ups (wallet_id, opened_by) WHERE status <> 3;
CREATE INDEX top_ups_open ON top_ups (poll_at) WHERE status < 3;
CREATE INDEX top_ups_open_by_wallet ON top_ups (wallet_id) WHERE status < 3;
-- One auto-recharge (reason 2) in flight for each wallet.
CREATE UNIQUE INDEX top_ups_one_recharge ON top_ups (wallet_id) WHERE status < 3 AND reason = 2;

-- By which ways a wallet's alerts are told, as JSON; null: by all.
ALTER TABLE wallets ADD COLUMN alert_ways TEXT;
