//! `tillbox demo`: what it makes is a whole ledger with something to see.

use crate::server::{binary, fresh_directory, text_of};
use crate::wait::Stopwatch;
use std::process::Command;

#[test]
fn the_demo_makes_a_whole_ledger_within_a_minute() {
    let folder = fresh_directory();
    let path = folder.to_str().expect("a path of letters");
    let tillbox = |arguments: &[&str]| {
        let output = Command::new(binary()).args(arguments).output();
        let output = output.expect("it runs");
        (output.status.success(), text_of(&output))
    };
    let making = [
        "demo",
        "--keep",
        path,
        "--only-make",
        "--listen",
        "127.0.0.1:0",
    ];
    let began = Stopwatch::start();
    let (is_made, made) = tillbox(&making);
    let took = began.elapsed();
    assert!(took.as_secs() < 60, "{took:?}");
    assert!(
        is_made && made.contains("Making 90 days of history"),
        "{made}"
    );

    let database = format!("sqlite:{path}/demo.db");
    let (is_whole, told) = tillbox(&["verify", "--database", &database]);
    assert!(is_whole && told.contains("all invariants hold"), "{told}");
    let rows: u64 = told
        .split_whitespace()
        .next()
        .and_then(|count| count.parse().ok())
        .expect("how many rows");
    assert!(rows > 1_000, "90 days of four customers: {told}");

    let (is_made, told) = tillbox(&making);
    assert!(!is_made && told.contains("holds a demo already"), "{told}");
    std::fs::remove_dir_all(&folder).expect("nothing holds it any more");
}
