-- The head of the whole log behind each commit (docs/ledger-format.md), in the last row of the commit; null in all others.
ALTER TABLE log ADD COLUMN height INTEGER;
ALTER TABLE log ADD COLUMN head BLOB;

-- Copies that were put in the place of a database that had come further: what the anchor said, and where the log stood.
CREATE TABLE restorations (
    at              INTEGER NOT NULL,
    anchored_height INTEGER NOT NULL,
    anchored_id     INTEGER NOT NULL,
    anchored_head   BLOB NOT NULL,
    height          INTEGER NOT NULL,
    id              INTEGER NOT NULL,
    head            BLOB NOT NULL
);
