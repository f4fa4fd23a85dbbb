-- Payment methods, and what the sandbox provider keeps.

-- What customers have saved, as the provider names it. No card number is ever here.
CREATE TABLE payment_methods (
    merchant_id      INTEGER NOT NULL,
    id               INTEGER NOT NULL,
    customer_id      INTEGER NOT NULL,
    provider         TEXT NOT NULL,
    provider_id      TEXT NOT NULL,
    brand            TEXT NOT NULL,
    last4            TEXT NOT NULL,
    expires          TEXT NOT NULL,
    is_default       INTEGER NOT NULL,
    hard_declined_at INTEGER,
    created_at       INTEGER NOT NULL,
    detached_at      INTEGER,
    PRIMARY KEY (merchant_id, id)
);
CREATE INDEX payment_methods_by_customer ON payment_methods (merchant_id, customer_id, id);
CREATE UNIQUE INDEX payment_methods_by_provider ON payment_methods (merchant_id, provider, provider_id);
CREATE UNIQUE INDEX payment_methods_default ON payment_methods (merchant_id, customer_id) WHERE is_default = 1;

-- What the sandbox provider knows: methods, payments, sessions, notices, faults, as JSON. A provider of its own would
-- keep them elsewhere; nothing of ours reads them but the sandbox. key: unique where it is set.
CREATE TABLE sandbox_objects (
    id          TEXT PRIMARY KEY,
    merchant_id INTEGER NOT NULL,
    kind        TEXT NOT NULL,
    key         TEXT,
    about       INTEGER,
    body        TEXT NOT NULL
);
CREATE UNIQUE INDEX sandbox_objects_key ON sandbox_objects (merchant_id, kind, key) WHERE key IS NOT NULL;
CREATE INDEX sandbox_objects_notices ON sandbox_objects (id) WHERE kind = 'notice';
CREATE INDEX sandbox_objects_about ON sandbox_objects (merchant_id, kind, about) WHERE about IS NOT NULL;
