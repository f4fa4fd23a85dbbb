//! `tillbox demo`: what it makes is a whole ledger with something to see.

use crate::server::{binary, fresh_directory, text_of};
use crate::wait::Stopwatch;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

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

#[test]
fn what_is_told_to_be_made_is_whole_in_its_file() {
    let folder = fresh_directory();
    let mut making = Command::new(binary())
        .args([
            "demo",
            "--only-make",
            "--days",
            "2",
            "--listen",
            "127.0.0.1:0",
        ])
        .arg("--keep")
        .arg(&folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it runs");
    let output = BufReader::new(making.stdout.take().expect("its output"));
    let told = output.lines().map_while(Result::ok);
    assert!(told.into_iter().any(|line| line.starts_with("Made in")));
    // Nothing of it waits in a log beside it, and nobody has it open.
    let names = std::fs::read_dir(&folder).expect("the folder").map(|one| {
        let name = one.expect("a file").file_name();
        name.into_string().expect("letters")
    });
    let names: Vec<String> = names.collect();
    assert!(names.contains(&"demo.db.anchor".to_owned()), "{names:?}");
    let is_log = |name: &&String| name.ends_with("-wal") || name.ends_with("-shm");
    assert_eq!(names.iter().find(is_log), None, "{names:?}");
    assert!(making.wait().expect("it ends").success());
    std::fs::remove_dir_all(&folder).expect("nothing holds it any more");
}
