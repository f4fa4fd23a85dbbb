//! Bits flip in the database and its write-ahead log, and the log is cut short: each is found (by the anchor, by the
//! chain, by SQLite, by what is derived), or changes nothing of what was answered.
//!
//! `TILLBOX_FLIPS=2000 TILLBOX_FLIPS_SEED=7 cargo test -p tillbox --test e2e -- corruption::` is a long form.

use crate::given::{debit, hold, wallet_with};
use crate::random::Random;
use crate::server::{Server, text_of};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().expect("a number"))
}

fn beside(database: &Path, ending: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// A database as a killed server leaves it: rows in the file, and more in the write-ahead log, all of them anchored.
fn left_behind() -> (Server, PathBuf) {
    let mut server = Server::start();
    let wallet = wallet_with(&server.client(), "100.00");
    for _ in 0..30 {
        debit(&server.client(), &wallet, "0.50");
    }
    server.terminate();
    server.restart();
    for _ in 0..15 {
        debit(&server.client(), &wallet, "0.50");
        hold(&server.client(), &wallet, "1.00");
    }
    let anchor = beside(&server.database_file(), ".anchor");
    crate::wait::until(
        std::time::Duration::from_secs(20),
        "the anchor to be written",
        || {
            let text = fs::read_to_string(&anchor).expect("an anchor");
            text.contains("\"height\":61,").then_some(())
        },
    );
    server.kill9();
    let database = server.database_file();
    (server, database)
}

struct Copy(PathBuf);

impl Copy {
    fn of(database: &Path) -> Self {
        let folder = crate::server::fresh_directory();
        let copy = folder.join("tillbox.db");
        for ending in ["", "-wal", ".anchor"] {
            fs::copy(beside(database, ending), beside(&copy, ending)).expect("copied");
        }
        Self(copy)
    }

    /// Whether the audit finds anything, or can't read it; and all rows as they are told, where it finds nothing.
    fn audited(&self, server: &Server) -> (bool, String) {
        let url = format!("sqlite:{}", self.0.display());
        let output = server.run(&["verify", "--json", "--database", &url]);
        (output.status.success(), text_of(&output))
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(self.0.parent().expect("a folder")));
    }
}

/// How many rows the audit read, all of them whole. It holds them against the anchor, so they are the ones.
fn rows(words: &str) -> u64 {
    let report: serde_json::Value = serde_json::from_str(words.trim()).expect(words);
    report["rows"].as_u64().expect("a count")
}

#[test]
fn each_flipped_bit_is_found_or_changes_nothing() {
    let (server, database) = left_behind();
    let (is_sound, words) = Copy::of(&database).audited(&server);
    assert!(is_sound, "{words}");
    let sound = rows(&words);
    let mut random = Random::new(number("TILLBOX_FLIPS_SEED", 1));
    let mut found = 0;
    let flips = number("TILLBOX_FLIPS", 40);
    for flip in 0..flips {
        let copy = Copy::of(&database);
        let file = beside(&copy.0, if flip % 2 == 0 { "" } else { "-wal" });
        let mut bytes = fs::read(&file).expect("read");
        let place = random.index(bytes.len());
        bytes[place] ^= 1 << random.below(8);
        fs::write(&file, bytes).expect("written");
        let (is_sound, words) = copy.audited(&server);
        if is_sound {
            assert_eq!(rows(&words), sound, "byte {place} of {}", file.display());
        } else {
            found += 1;
        }
    }
    eprintln!("{found} of {flips} flips were found, the others changed nothing");
    assert!(found > 0, "no flip was found");
}

#[test]
fn a_log_that_is_cut_short_is_found_by_the_anchor() {
    let (server, database) = left_behind();
    let whole = fs::metadata(beside(&database, "-wal"))
        .expect("a log")
        .len();
    let mut random = Random::new(number("TILLBOX_FLIPS_SEED", 1));
    let mut found = 0;
    let cuts = number("TILLBOX_FLIPS", 40) / 4;
    for _ in 0..cuts {
        let copy = Copy::of(&database);
        let length = random.below(whole);
        let log = fs::File::options()
            .write(true)
            .open(beside(&copy.0, "-wal"));
        log.expect("a log").set_len(length).expect("cut");
        let (is_sound, words) = copy.audited(&server);
        assert!(!is_sound, "cut to {length} of {whole}: {words}");
        found += usize::from(words.contains("the log reaches its anchor"));
        let url = format!("sqlite:{}", copy.0.display());
        let mut serve = Command::new(crate::server::binary());
        serve.args(["serve", "--listen", "127.0.0.1:0", "--database", &url]);
        let refused = serve.output().expect("it runs");
        assert_eq!(refused.status.code(), Some(1), "{}", text_of(&refused));
    }
    assert!(found > 0, "the anchor finds it");
}
