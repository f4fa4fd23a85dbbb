//! Erasing a customer's personal data: nothing of it is left in the file, amounts and hashes stay (W6, R50).

use super::super::erasures::{self, Erasure, Progress};
use super::super::{answers, customers, log, outbox, payment_links, portal_sessions, verify};
use super::*;
use crate::sqlite::customers::CustomerRow;
use crate::sqlite::outbox::OutboxRow;
use crate::sqlite::payment_links::PaymentLinkRow;
use tillbox_core::entry::KeyStamp;
use tillbox_engine::port::StoredAnswer;

/// What must be gone. Each text of the customer's holds it.
const CANARY: &str = "Zanzibar-Canary";
/// What must stay.
const OTHER: &str = "Bystander-Text";

fn customer(id: i64, text: &str) -> CustomerRow {
    CustomerRow {
        merchant_id: OURS,
        id: CustomerId::from_number(id),
        name: format!("name {text}"),
        email: Some(format!("{text}@example.com")),
        external_id: Some(format!("crm {text}")),
        locale: "en".to_owned(),
        metadata: format!(r#"{{"plan":"{text}"}}"#),
        created_at: at(1),
        updated_at: at(1),
        deleted_at: None,
    }
}

/// Rows of all kinds with that text in them.
fn fill(ledger: &mut Ledger, id: i64, text: &'static str) -> WalletId {
    let wallet = ledger.open(OURS, id, usd());
    ledger.credit(wallet, None);
    for round in 0..7 {
        let debit = Debit {
            amount: units(1),
            reason: Reason::Usage,
            force: None,
            note: Note {
                description: Some(format!("{text} {round}").into()),
                reference: Some(format!("{text}-{round}").into()),
                // So long that it fills pages of its own.
                metadata: Some(format!(r#"{{"long":"{}"}}"#, text.repeat(900)).into()),
            },
        };
        ledger.run(wallet, &Command::Debit(debit));
    }
    let outbox_id = OutboxId::from_number(ledger.next_id());
    ledger.plain(move |connection| {
        customers::insert(connection, &customer(id, text))?;
        let renamed = CustomerRow {
            name: format!("another name {text}"),
            ..customer(id, text)
        };
        customers::update(connection, &renamed)?;
        let number = wallet.number();
        let named = "UPDATE wallets SET name = ?2, metadata = ?3, alert_ways = ?3, closed = 1 WHERE id = ?1";
        let data = format!(r#"{{"of":"{text}"}}"#);
        connection.execute(named, rusqlite::params![number, text, data])?;
        let event = OutboxRow {
            id: outbox_id,
            merchant_id: OURS,
            wallet_id: Some(wallet),
            event_type: outbox::WALLET_UPDATED.to_owned(),
            at: at(5),
            data: outbox::names(Some(text), &data),
        };
        outbox::insert(connection, &event)?;
        let subject = CustomerId::from_number(id);
        let stored = [
            format!(r#"{{"id":"{subject}","name":"{text}"}}"#),
            format!(r#"{{"id":"{wallet}","customer_id":"{subject}","name":"{text}"}}"#),
        ];
        for (place, body) in stored.iter().enumerate() {
            let mut key = [u8::try_from(id).unwrap_or(0); 16];
            key[0] = u8::try_from(place).unwrap_or(0);
            let key = KeyStamp {
                key,
                fingerprint: [3; 16],
            };
            let body = body.as_bytes().into();
            let answer = StoredAnswer {
                key,
                status: 201,
                body,
            };
            answers::insert(connection, &answer)?;
        }
        let link = PaymentLinkRow {
            token: format!("token of {text}"),
            merchant_id: OURS,
            wallet_id: wallet,
            description: Some(text.to_owned()),
            created_at: at(1),
            expires_at: at(9),
        };
        payment_links::add(connection, &link)?;
        let card = "INSERT INTO payment_methods (merchant_id, id, customer_id, provider, provider_id, brand, last4, expires, is_default, created_at) \
             VALUES (1, ?1, ?1, 'sandbox', ?2, ?3, ?3, ?3, 1, 1)";
        connection.execute(card, rusqlite::params![id, format!("pm-{id}"), text])?;
        let object = "INSERT INTO sandbox_objects (id, merchant_id, kind, body) VALUES (?1, 1, ?2, ?3)";
        let session = format!(
            r#"{{"purpose":{{"checkout":{{"description":"{text}"}}}},"customer":{id},"success_url":"{text}","cancel_url":"{text}"}}"#
        );
        connection.execute(object, [&format!("cs-{id}"), "session", &session])?;
        let method = r#"{"token":"pm_card_visa","detached":false}"#;
        connection.execute(object, [&format!("pm-{id}"), "method", method])?;
        Ok(())
    });
    wallet
}

fn delete(ledger: &mut Ledger, id: i64) {
    let id = CustomerId::from_number(id);
    ledger.plain(move |connection| {
        portal_sessions::end_all(connection, OURS, id)?;
        assert!(customers::delete(connection, OURS, id, at(50))?);
        erasures::begin(connection, OURS, id, at(50))
    });
}

/// How often the text stands in the database and its write-ahead log.
fn found(folder: &Folder, text: &str) -> usize {
    let mut count = 0;
    for end in ["", "-wal"] {
        let mut path = folder.file().into_os_string();
        path.push(end);
        let bytes = std::fs::read(path).unwrap_or_default();
        count += bytes
            .windows(text.len())
            .filter(|part| *part == text.as_bytes())
            .count();
    }
    count
}

/// Steps of `rows` rows until all is overwritten; gives how many.
fn erase(ledger: &mut Ledger, erasure: Erasure, rows: usize, most: usize) -> (usize, Progress) {
    for count in 1..=most {
        let progress = Arc::new(std::sync::Mutex::new(Progress::More));
        let told = Arc::clone(&progress);
        ledger.plain(move |connection| {
            let blank = |answer: &[u8]| {
                let text = String::from_utf8(answer.to_vec()).expect("text");
                text.replace(CANARY, "").into_bytes()
            };
            *told.lock().expect("free") =
                erasures::step(connection, erasure, at(60), rows, &blank)?;
            Ok(())
        });
        if *progress.lock().expect("free") == Progress::Erased {
            return (count, Progress::Erased);
        }
    }
    (most, Progress::More)
}

#[test]
fn w06_nothing_personal_is_left_in_the_file_and_the_chain_holds() {
    let mut ledger = Ledger::new();
    let wallet = fill(&mut ledger, 5, CANARY);
    fill(&mut ledger, 6, OTHER);
    assert!(
        found(&ledger.folder, CANARY) > 7 * 900,
        "it is there before"
    );
    let before = ledger.read(|connection| log::read(connection, wallet, 0, 99));
    delete(&mut ledger, 5);
    let erasure = Erasure {
        merchant: OURS,
        customer: CustomerId::from_number(5),
    };
    assert_eq!(
        ledger.read(|connection| erasures::open(connection, 9)),
        [erasure]
    );
    // It goes on where it was after a crash: each step has committed how far it came.
    let (_, progress) = erase(&mut ledger, erasure, 2, 3);
    assert_eq!(progress, Progress::More);
    ledger.reopen();
    let (steps, progress) = erase(&mut ledger, erasure, 2, 99);
    assert_eq!(progress, Progress::Erased);
    assert!(steps > 3, "in several steps");
    assert_eq!(ledger.read(|connection| erasures::open(connection, 9)), []);
    let overwritten =
        |ledger: &Ledger| ledger.read(|connection| erasures::overwritten(connection, 9));
    assert_eq!(overwritten(&ledger), [erasure]);
    assert!(ledger.store.cut_write_ahead_log().expect("checkpoints"));
    ledger.plain(move |connection| erasures::finish(connection, erasure));
    assert_eq!(overwritten(&ledger), []);
    assert_eq!(found(&ledger.folder, CANARY), 0, "something is left");
    assert!(found(&ledger.folder, OTHER) > 7 * 900, "others keep theirs");
    let after = ledger.read(|connection| log::read(connection, wallet, 0, 99));
    for (was, is) in before.iter().zip(&after) {
        assert_eq!(is.event.note, Note::default());
        assert_eq!((is.salt, is.note_commitment), (None, was.note_commitment));
        assert_eq!((is.hash, is.event.amount), (was.hash, was.event.amount));
    }
    assert_eq!(before.len(), after.len());
    let unclosed = "UPDATE wallets SET closed = 0";
    ledger.plain(move |connection| Ok(connection.execute(unclosed, []).map(drop)?));
    let report = verify::verify(&ledger.folder.file(), &mut |_progress| ()).expect("reads");
    assert_eq!(report.violations, [], "{report}");
}

#[test]
fn w06_the_log_is_not_cut_under_a_reader_and_is_later() {
    let mut ledger = Ledger::new();
    fill(&mut ledger, 5, CANARY);
    let reader = Connection::open(ledger.folder.file()).expect("opens");
    reader
        .execute_batch("BEGIN; SELECT count(*) FROM log")
        .expect("reads");
    ledger.credit(
        ledger.states.keys().next().copied().expect("a wallet"),
        None,
    );
    assert!(!ledger.store.cut_write_ahead_log().expect("tries"));
    reader.execute_batch("COMMIT").expect("ends");
    assert!(ledger.store.cut_write_ahead_log().expect("checkpoints"));
}

#[test]
fn w06_answers_are_found_by_their_index() {
    let plain = Plain::new();
    let steps = plain.read(|connection| {
        let sql = format!("EXPLAIN QUERY PLAN {}", erasures::ANSWERS_OF);
        let mut statement = connection.prepare(&sql)?;
        let steps = statement.query_map(rusqlite::params!["x", 0, 1], |row| row.get(3))?;
        Ok(steps.collect::<rusqlite::Result<Vec<String>>>()?.join("\n"))
    });
    assert!(
        steps.contains("answers_by_subject (<expr>=? AND rowid>?)"),
        "{steps}"
    );
    assert!(!steps.contains("TEMP B-TREE"), "{steps}");
}
