//! One suite for every store: what the engine's port promises, held against memory and `SQLite`.

mod books;
mod commands;
mod paybacks;
mod random;
mod refusals;
mod scripted;
mod stores;
mod top_ups;
mod verify;
mod ways_out;

/// Makes a test of each function for each store.
macro_rules! on_both_stores {
    ($($name:ident),* $(,)?) => {
        mod on_memory {
            $(#[test] fn $name() { super::$name(crate::stores::Memory::new()); })*
        }
        mod on_sqlite {
            $(#[test] fn $name() { super::$name(crate::stores::Sqlite::new(stringify!($name))); })*
        }
    };
}
pub(crate) use on_both_stores;
