//! Generated input for what reads from outside.

#[cfg(test)]
mod outside_input;
