-- Links by which anybody can pay in an amount of their choice. One that names an amount is a top-up, and no row here.
CREATE TABLE payment_links (
    token TEXT PRIMARY KEY,
    merchant_id INTEGER NOT NULL,
    wallet_id INTEGER NOT NULL,
    description TEXT,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
