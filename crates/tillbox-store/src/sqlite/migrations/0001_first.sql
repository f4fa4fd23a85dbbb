-- Amounts are micro-units, instants microseconds since 1970, ids the numbers inside the public ones.

-- The ledger --------------------------------------------------------------------------------------------

-- One row per applied command; append-only. (wallet_id, version) is unique: the log is the lock.
-- seq is null where no money moved. salt: 16 bytes hide the free text; 32 bytes are the commitment that
-- stays when the text was erased.
CREATE TABLE log (
    id            INTEGER PRIMARY KEY,
    merchant_id   INTEGER NOT NULL,
    wallet_id     INTEGER NOT NULL,
    version       INTEGER NOT NULL,
    seq           INTEGER,
    kind          INTEGER NOT NULL,
    reason        INTEGER NOT NULL,
    amount        INTEGER NOT NULL,
    balance_after INTEGER NOT NULL,
    at            INTEGER NOT NULL,
    key           BLOB,
    fingerprint   BLOB,
    body          BLOB NOT NULL,
    description   TEXT,
    reference     TEXT,
    metadata      TEXT,
    salt          BLOB,
    hash          BLOB NOT NULL
);
CREATE UNIQUE INDEX log_by_wallet ON log (wallet_id, version);

-- Stretches of the log (id >> 31, about a second) in which a merchant has transactions: its list walks these.
CREATE TABLE log_stretches (
    merchant_id INTEGER NOT NULL,
    stretch     INTEGER NOT NULL,
    PRIMARY KEY (merchant_id, stretch)
) WITHOUT ROWID;

-- Which row a key belongs to, up to the row folded_to; the log itself has the keys of later rows.
CREATE TABLE keys (
    key      BLOB PRIMARY KEY,
    entry_id INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE key_fold (
    folded_to INTEGER NOT NULL
);
INSERT INTO key_fold (folded_to) VALUES (0);

-- Refunds of a debit, to add up what was given back.
CREATE TABLE refunds (
    entry_id INTEGER PRIMARY KEY,
    debit_id INTEGER NOT NULL,
    amount   INTEGER NOT NULL
);
CREATE INDEX refunds_by_debit ON refunds (debit_id);

-- Debt that lots paid: late allocations of the debits that made it.
CREATE TABLE debt_payments (
    wallet_id INTEGER NOT NULL,
    debt_from INTEGER NOT NULL,
    amount    INTEGER NOT NULL,
    lot_id    INTEGER NOT NULL,
    entry_id  INTEGER NOT NULL,
    PRIMARY KEY (wallet_id, debt_from)
) WITHOUT ROWID;

-- The last state of each wallet, written once a batch. debt_gaps: canceled stretches, packed.
CREATE TABLE wallet_states (
    wallet_id         INTEGER PRIMARY KEY,
    merchant_id       INTEGER NOT NULL,
    status            INTEGER NOT NULL,
    version           INTEGER NOT NULL,
    seq               INTEGER NOT NULL,
    head              BLOB NOT NULL,
    last_at           INTEGER NOT NULL,
    last_effective_at INTEGER NOT NULL,
    balance           INTEGER NOT NULL,
    held              INTEGER NOT NULL,
    debt_paid_to      INTEGER NOT NULL,
    debt_owed_to      INTEGER NOT NULL,
    debt_gaps         BLOB,
    overdraft_limit   INTEGER NOT NULL,
    next_due_at       INTEGER
);
CREATE INDEX wallet_states_due ON wallet_states (merchant_id, next_due_at) WHERE next_due_at IS NOT NULL;

CREATE TABLE lots (
    id          INTEGER PRIMARY KEY,
    wallet_id   INTEGER NOT NULL,
    funding     INTEGER NOT NULL,
    withdrawable INTEGER NOT NULL,
    priority    INTEGER NOT NULL,
    expires_at  INTEGER,
    created_at  INTEGER NOT NULL,
    amount      INTEGER NOT NULL,
    cost_basis  INTEGER NOT NULL,
    source      INTEGER NOT NULL,
    succeeds    INTEGER,
    remaining   INTEGER NOT NULL,
    held        INTEGER NOT NULL,
    -- Whether something remains: a column of its own, so that spending does not touch the index.
    open        INTEGER NOT NULL,
    CHECK (0 <= held AND held <= remaining AND remaining <= amount),
    CHECK (open = (remaining > 0))
);
CREATE INDEX lots_by_wallet ON lots (wallet_id, id);
CREATE INDEX lots_open ON lots (wallet_id) WHERE open = 1;

-- parts: what an open hold reserves on lots, packed.
CREATE TABLE holds (
    id         INTEGER PRIMARY KEY,
    wallet_id  INTEGER NOT NULL,
    amount     INTEGER NOT NULL,
    captured   INTEGER NOT NULL,
    released   INTEGER NOT NULL,
    overdraft  INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    placed_at  INTEGER NOT NULL,
    invoice_id INTEGER,
    status     INTEGER NOT NULL,
    parts      BLOB,
    CHECK (captured + released <= amount)
);
CREATE INDEX holds_by_wallet ON holds (wallet_id, id);
CREATE INDEX holds_open ON holds (wallet_id) WHERE status = 0;

-- Answers that are stored whole, in the commit of their effect.
CREATE TABLE answers (
    key         BLOB PRIMARY KEY,
    fingerprint BLOB NOT NULL,
    status      INTEGER NOT NULL,
    body        BLOB NOT NULL
);

-- Plain tables ------------------------------------------------------------------------------------------

CREATE TABLE merchants (
    id              INTEGER PRIMARY KEY,
    name            TEXT NOT NULL,
    live            INTEGER NOT NULL,
    settings        TEXT NOT NULL,
    clock_offset_us INTEGER NOT NULL,
    created_at      INTEGER NOT NULL
);

-- hash: BLAKE3 of the whole key; hint: its last four characters.
CREATE TABLE api_keys (
    id          INTEGER PRIMARY KEY,
    merchant_id INTEGER NOT NULL,
    name        TEXT NOT NULL,
    hash        BLOB NOT NULL UNIQUE,
    hint        TEXT NOT NULL,
    scopes      TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    revoked_at  INTEGER
);

CREATE TABLE customers (
    merchant_id INTEGER NOT NULL,
    id          INTEGER NOT NULL,
    name        TEXT NOT NULL,
    email       TEXT,
    external_id TEXT,
    locale      TEXT NOT NULL,
    metadata    TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    deleted_at  INTEGER,
    PRIMARY KEY (merchant_id, id)
);
CREATE UNIQUE INDEX customers_external_id ON customers (merchant_id, external_id) WHERE external_id IS NOT NULL;

CREATE TABLE wallets (
    id          INTEGER PRIMARY KEY,
    merchant_id INTEGER NOT NULL,
    customer_id INTEGER NOT NULL,
    currency    TEXT NOT NULL,
    language    TEXT NOT NULL,
    name        TEXT,
    metadata    TEXT NOT NULL,
    -- What the log begins from.
    initial_status          INTEGER NOT NULL,
    initial_overdraft_limit INTEGER NOT NULL,
    closed      INTEGER NOT NULL DEFAULT 0,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL
);
CREATE INDEX wallets_by_merchant ON wallets (merchant_id, id);
CREATE INDEX wallets_by_customer ON wallets (merchant_id, customer_id, id);
CREATE UNIQUE INDEX wallets_open ON wallets (merchant_id, customer_id, currency) WHERE closed = 0;

CREATE TABLE prices (
    merchant_id       INTEGER NOT NULL,
    id                INTEGER NOT NULL,
    key               TEXT NOT NULL,
    currency          TEXT NOT NULL,
    unit              TEXT NOT NULL,
    unit_amount       INTEGER NOT NULL,
    per               INTEGER NOT NULL,
    billing_increment INTEGER NOT NULL,
    minimum_units     INTEGER NOT NULL,
    rounding          TEXT NOT NULL,
    meter             TEXT NOT NULL,
    description       TEXT,
    billing_note      TEXT,
    version           INTEGER NOT NULL,
    current           INTEGER NOT NULL,
    created_at        INTEGER NOT NULL,
    PRIMARY KEY (merchant_id, id)
);
CREATE UNIQUE INDEX prices_current ON prices (merchant_id, key, currency) WHERE current = 1;
