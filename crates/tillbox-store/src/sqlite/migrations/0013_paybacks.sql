-- What goes back of payments.

-- What has gone back of a payment, as its last row left it, packed.
CREATE TABLE paybacks (
    top_up_id   INTEGER PRIMARY KEY,
    merchant_id INTEGER NOT NULL,
    wallet_id   INTEGER NOT NULL,
    body        BLOB NOT NULL
);
CREATE INDEX paybacks_by_wallet ON paybacks (wallet_id);

-- What is to be paid back over the provider. id: the transaction that took the value. Up to updated_at: what the log
-- says. Behind it: what is noted of the calls; poll_at is of the system's clock.
CREATE TABLE payouts (
    id          INTEGER PRIMARY KEY,
    merchant_id INTEGER NOT NULL,
    wallet_id   INTEGER NOT NULL,
    top_up_id   INTEGER NOT NULL,
    amount      INTEGER NOT NULL,
    clawed      INTEGER NOT NULL,
    status      INTEGER NOT NULL,
    failure     TEXT,
    updated_at  INTEGER NOT NULL,
    poll_at     INTEGER NOT NULL DEFAULT 0,
    polls       INTEGER NOT NULL DEFAULT 0,
    CHECK (0 < amount AND 0 <= clawed)
);
CREATE INDEX payouts_by_wallet ON payouts (wallet_id, id);
CREATE INDEX payouts_open ON payouts (poll_at) WHERE status = 0;

-- Every dispute. id: the row that first told of it.
CREATE TABLE disputes (
    id          INTEGER PRIMARY KEY,
    merchant_id INTEGER NOT NULL,
    wallet_id   INTEGER NOT NULL,
    top_up_id   INTEGER NOT NULL,
    provider_id TEXT NOT NULL,
    status      INTEGER NOT NULL,
    amount      INTEGER NOT NULL,
    reason      TEXT,
    hold_id     INTEGER,
    opened_at   INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL
);
CREATE INDEX disputes_by_merchant ON disputes (merchant_id, id);
CREATE INDEX disputes_by_wallet ON disputes (wallet_id, id);
CREATE UNIQUE INDEX disputes_by_provider ON disputes (top_up_id, provider_id);
