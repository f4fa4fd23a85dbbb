-- Links to the customers' pages and the sessions that they open. Of each token there is its BLAKE3 alone.

CREATE TABLE portal_links (
    hash        BLOB PRIMARY KEY,
    merchant_id INTEGER NOT NULL,
    customer_id INTEGER NOT NULL,
    return_url  TEXT,
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    used_at     INTEGER
) WITHOUT ROWID;
CREATE INDEX portal_links_expire ON portal_links (expires_at);
CREATE INDEX portal_links_by_customer ON portal_links (merchant_id, customer_id);

-- expires_at: when it ends unless it is used before. ends_at: when it ends in any case.
CREATE TABLE portal_sessions (
    hash        BLOB PRIMARY KEY,
    merchant_id INTEGER NOT NULL,
    customer_id INTEGER NOT NULL,
    return_url  TEXT,
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    ends_at     INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX portal_sessions_expire ON portal_sessions (expires_at);
CREATE INDEX portal_sessions_by_customer ON portal_sessions (merchant_id, customer_id);

-- Transactions that are neither spending (reasons 7 to 12) nor refunds of it (kind 4): few, however much is spent. With
-- them and two balances, what was spent between two instants is known without reading each debit; debits and holds
-- leave this index alone.
CREATE INDEX log_beside_spending ON log (wallet_id, version)
    WHERE seq IS NOT NULL AND kind <> 4 AND reason NOT BETWEEN 7 AND 12;
