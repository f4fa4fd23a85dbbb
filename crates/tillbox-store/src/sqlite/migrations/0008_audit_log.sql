-- Who did what.

-- What was done that is no row of the log; append-only, written in the commit of what it tells of. Ids rise together
-- with the log's. actor_kind: 0 the system, 1 an API key, 2 a customer. targets: public ids, a space between. request:
-- the number of the call. changes: a JSON object. No free text is ever here: there is nothing to erase.
CREATE TABLE audit_log (
    id          INTEGER PRIMARY KEY,
    merchant_id INTEGER NOT NULL,
    wallet_id   INTEGER,
    actor_kind  INTEGER NOT NULL,
    actor_id    INTEGER NOT NULL,
    action      TEXT NOT NULL,
    targets     TEXT NOT NULL,
    at          INTEGER NOT NULL,
    request     INTEGER,
    changes     TEXT
) STRICT;
CREATE INDEX audit_log_by_merchant ON audit_log (merchant_id, id);

-- Rows of the log that may be somebody's deed: few, however much is spent. Debits, usage, holds and expiry (kinds 2 and
-- 5 to 11) leave this index alone.
CREATE INDEX log_deeds ON log (merchant_id, id, wallet_id) WHERE kind NOT IN (2, 5, 6, 7, 8, 9, 10, 11);
