//! `tillbox demo`: what it makes is a whole ledger with something to see.

use crate::server::{binary, fresh_directory, text_of};
use crate::wait::Stopwatch;
use std::process::Command;

#[test]
fn the_demo_makes_a_whole_ledger_within_a_minute() {
    let folder = fresh_directory();
    let path = folder.to_str().expect("a path of letters");
    let tillbox = |arguments: &[&str]| {
        let output = Command::new(binary())
            .args(arguments)
            .output()
            .expect("it runs");
        assert!(output.status.success(), "{}", text_of(&output));
        text_of(&output)
    };
    let began = Stopwatch::start();
    let made = tillbox(&[
        "demo",
        "--keep",
        path,
        "--only-make",
        "--listen",
        "127.0.0.1:0",
    ]);
    let took = began.elapsed();
    assert!(took.as_secs() < 60, "{took:?}");
    assert!(made.contains("Making 90 days of history"), "{made}");

    let database = format!("sqlite:{path}/demo.db");
    let told = tillbox(&["verify", "--database", &database]);
    assert!(told.contains("all invariants hold"), "{told}");
    let rows: u64 = told
        .split_whitespace()
        .next()
        .and_then(|count| count.parse().ok())
        .expect("how many rows");
    assert!(rows > 1_000, "90 days of four customers: {told}");

    let again = Command::new(binary())
        .args([
            "demo",
            "--keep",
            path,
            "--only-make",
            "--listen",
            "127.0.0.1:0",
        ])
        .output()
        .expect("it runs");
    assert!(!again.status.success());
    assert!(
        text_of(&again).contains("holds a demo already"),
        "{}",
        text_of(&again)
    );
    std::fs::remove_dir_all(&folder).expect("nothing holds it any more");
}
