//! The ledger in memory, for tests and simulation.
