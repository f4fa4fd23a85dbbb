-- Events.

-- What has happened that is no row of the log; append-only. Ids rise together with the log's, in the order of commits:
-- they are drawn on the ledger's thread. data: a JSON object, what the event is printed from.
CREATE TABLE outbox (
    id          INTEGER PRIMARY KEY,
    merchant_id INTEGER NOT NULL,
    wallet_id   INTEGER,
    type        TEXT NOT NULL,
    at          INTEGER NOT NULL,
    data        TEXT NOT NULL
);
CREATE INDEX outbox_by_merchant ON outbox (merchant_id, id);
CREATE INDEX outbox_by_type ON outbox (merchant_id, type, id);
CREATE INDEX outbox_by_wallet ON outbox (wallet_id, id) WHERE wallet_id IS NOT NULL;

-- Wallets that are there already: their own ids come before those of all of their rows.
INSERT INTO outbox (id, merchant_id, wallet_id, type, at, data)
    SELECT id, merchant_id, id, 'wallet.created', created_at, json_object('name', name, 'metadata', json(metadata))
    FROM wallets ORDER BY id;

-- Stretches name every row of a merchant, for its events. listed: whether one of them is in its list of transactions.
ALTER TABLE log_stretches ADD COLUMN listed INTEGER NOT NULL DEFAULT 1;
INSERT INTO log_stretches (merchant_id, stretch, listed)
    SELECT DISTINCT merchant_id, id >> 31, 0 FROM log WHERE true
    ON CONFLICT DO NOTHING;
