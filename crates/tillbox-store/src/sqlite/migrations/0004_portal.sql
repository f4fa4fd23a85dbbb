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
