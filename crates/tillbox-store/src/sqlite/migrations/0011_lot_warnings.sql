-- Warnings before value expires.

-- For each lot that will expire, the next instant at which that is told; moved on by whoever tells it, gone behind the
-- last. A lot has at most one.
CREATE TABLE lot_warnings (
    merchant_id INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    lot_id      INTEGER NOT NULL,
    wallet_id   INTEGER NOT NULL,
    PRIMARY KEY (merchant_id, at, lot_id)
) WITHOUT ROWID;

-- Lots that are there already. 86,400,000,000: microseconds in a day.
INSERT INTO lot_warnings (merchant_id, at, lot_id, wallet_id)
    SELECT w.merchant_id,
           CASE WHEN l.expires_at - 30 * 86400000000 > l.created_at THEN l.expires_at - 30 * 86400000000
                WHEN l.expires_at - 7 * 86400000000 > l.created_at THEN l.expires_at - 7 * 86400000000
                ELSE l.expires_at - 86400000000 END,
           l.id, l.wallet_id
    FROM lots l JOIN wallets w ON w.id = l.wallet_id
    WHERE l.open = 1 AND l.expires_at - 86400000000 > l.created_at;
