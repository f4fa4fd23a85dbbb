-- What trails the log: sums of the journal, and snapshots of wallets. All of it is made from the log and can be made
-- again; it changes what answers cost, never what they say.

-- Rows of the log up to folded_to are in the sums.
CREATE TABLE book_fold (
    folded_to INTEGER NOT NULL
) STRICT;
INSERT INTO book_fold (folded_to) VALUES (0);

-- Postings by the quarter of an hour (since 1970) in which they were booked: days of every time zone begin with one.
-- A sum is high · 10⁶ + low, with low from 0 to 999,999: sums of amounts may leave the range of 64 bits.
CREATE TABLE book_postings (
    merchant_id INTEGER NOT NULL,
    slot        INTEGER NOT NULL,
    currency    TEXT NOT NULL,
    reason      INTEGER NOT NULL,
    debit       INTEGER NOT NULL,
    credit      INTEGER NOT NULL,
    high        INTEGER NOT NULL,
    low         INTEGER NOT NULL,
    PRIMARY KEY (merchant_id, slot, currency, reason, debit, credit)
) STRICT, WITHOUT ROWID;

-- Transactions by the same quarters; price_key is empty where none was used.
CREATE TABLE book_transactions (
    merchant_id   INTEGER NOT NULL,
    slot          INTEGER NOT NULL,
    currency      TEXT NOT NULL,
    kind          INTEGER NOT NULL,
    reason        INTEGER NOT NULL,
    price_key     TEXT NOT NULL,
    transactions  INTEGER NOT NULL,
    quantity_high INTEGER NOT NULL,
    quantity_low  INTEGER NOT NULL,
    billed_high   INTEGER NOT NULL,
    billed_low    INTEGER NOT NULL,
    high          INTEGER NOT NULL,
    low           INTEGER NOT NULL,
    PRIMARY KEY (merchant_id, slot, currency, kind, reason, price_key)
) STRICT, WITHOUT ROWID;

-- What remains of lots, by the day (UTC, since 1970) on which they were made.
CREATE TABLE book_lots (
    merchant_id INTEGER NOT NULL,
    currency    TEXT NOT NULL,
    funding     INTEGER NOT NULL,
    made_on     INTEGER NOT NULL,
    high        INTEGER NOT NULL,
    low         INTEGER NOT NULL,
    PRIMARY KEY (merchant_id, currency, funding, made_on)
) STRICT, WITHOUT ROWID;

-- Where in the log the rows of a quarter lie.
CREATE TABLE book_slots (
    merchant_id INTEGER NOT NULL,
    slot        INTEGER NOT NULL,
    first_id    INTEGER NOT NULL,
    last_id     INTEGER NOT NULL,
    PRIMARY KEY (merchant_id, slot)
) STRICT, WITHOUT ROWID;

-- Wallets as they stood behind some of their rows. checksum: BLAKE3 of state.
CREATE TABLE snapshots (
    wallet_id INTEGER NOT NULL,
    version   INTEGER NOT NULL,
    checksum  BLOB NOT NULL,
    state     BLOB NOT NULL,
    PRIMARY KEY (wallet_id, version)
) STRICT;
