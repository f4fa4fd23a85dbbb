-- Which row a key belongs to, up to the row key_fold.folded_to: runs of pairs, each cut into 4^level parts by the first
-- bits of the key. All that was stored is made again from the log at the next start.
CREATE TABLE key_runs (
    id    INTEGER PRIMARY KEY, -- level << 56 | number of the run << 32 | part
    pairs BLOB NOT NULL        -- in the order of keys: key (16 bytes), id of the row (8 bytes, big-endian)
);
DROP TABLE keys;
UPDATE key_fold SET folded_to = 0;
