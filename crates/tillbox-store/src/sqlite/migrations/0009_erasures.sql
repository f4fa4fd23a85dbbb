-- Customers whose personal data is being erased. stage, wallet_id and position say how far it has come; erased_at: when
-- all of it was overwritten, and only the write-ahead log may hold some yet. A row goes with the last of it.
CREATE TABLE erasures (
    merchant_id INTEGER NOT NULL,
    customer_id INTEGER NOT NULL,
    stage       INTEGER NOT NULL,
    wallet_id   INTEGER NOT NULL,
    position    INTEGER NOT NULL,
    erased_at   INTEGER,
    PRIMARY KEY (merchant_id, customer_id)
) STRICT, WITHOUT ROWID;

-- What an answer that is stored whole is about: a customer or a wallet, by its public id.
CREATE INDEX answers_by_subject ON answers (
    CASE WHEN json_valid(CAST(body AS TEXT)) THEN
        coalesce(json_extract(CAST(body AS TEXT), '$.customer_id'), json_extract(CAST(body AS TEXT), '$.wallet_id'),
            json_extract(CAST(body AS TEXT), '$.id'))
    END
);

-- What the sandbox provider keeps of a customer.
CREATE INDEX sandbox_objects_customer ON sandbox_objects (merchant_id, json_extract(body, '$.customer'))
    WHERE kind IN ('payment', 'session');
