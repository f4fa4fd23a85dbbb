-- What is derived from the log may trail it.

-- The rows of each wallet, by version. It is a table, not an index of the log, as it trails the log: rows behind
-- trail_fold.folded_to may be missing here, and then wallet_states and lots stand before them too.
CREATE TABLE wallet_log (
    wallet_id INTEGER NOT NULL,
    version   INTEGER NOT NULL,
    entry_id  INTEGER NOT NULL,
    PRIMARY KEY (wallet_id, version)
) WITHOUT ROWID;
INSERT INTO wallet_log (wallet_id, version, entry_id) SELECT wallet_id, version, id FROM log ORDER BY wallet_id, version;
DROP INDEX log_by_wallet;

-- Every row up to folded_to is in wallet_log, and in the state and lots of its wallet.
CREATE TABLE trail_fold (
    folded_to INTEGER NOT NULL
);
INSERT INTO trail_fold (folded_to) SELECT coalesce(max(id), 0) FROM log;

-- The log in the order of wallets and versions.
CREATE VIEW log_of_wallets AS
    SELECT w.wallet_id, w.version, log.id, log.merchant_id, log.seq, log.kind, log.reason, log.amount, log.balance_after,
        log.at, log.key, log.fingerprint, log.body, log.description, log.reference, log.metadata, log.salt, log.hash
    FROM wallet_log w CROSS JOIN log ON log.id = w.entry_id;
