//! Charts, drawn on the server as pictures that a person can read: the finding as title, a description for those who
//! don't see it, the table beside it, and text that never scales.

pub(crate) mod sparkline;
