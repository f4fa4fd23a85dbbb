-- The same rows in the same order. A list (NOT IN) is built anew for each row that is written, which was a sixth of what
-- a debit cost; comparisons cost nothing.
DROP INDEX log_deeds;
CREATE INDEX log_deeds ON log (merchant_id, id, wallet_id) WHERE kind <> 2 AND kind NOT BETWEEN 5 AND 11;
