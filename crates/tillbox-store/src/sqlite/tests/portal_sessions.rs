//! Links and sessions of the customers' pages.

use super::{FOREIGN, OURS, Plain, at};
use crate::sqlite::customers::{self, CustomerRow};
use crate::sqlite::portal_sessions::{
    LinkRow, SessionRow, add_link, begin, end, end_all, find, link, prolong, use_link,
};
use tillbox_core::id::{CustomerId, MerchantId};
use tillbox_core::time::Timestamp;

const LINK: [u8; 32] = [1; 32];
const SESSION: [u8; 32] = [2; 32];
const ANA: CustomerId = CustomerId::from_number(7);

fn link_row(hash: [u8; 32], expires_at: i64) -> LinkRow {
    LinkRow {
        hash,
        merchant_id: OURS,
        customer_id: ANA,
        return_url: Some("https://example.com/account".to_owned()),
        created_at: at(0),
        expires_at: at(expires_at),
        used_at: None,
    }
}

fn session_row(merchant_id: MerchantId) -> SessionRow {
    SessionRow {
        hash: SESSION,
        merchant_id,
        customer_id: ANA,
        return_url: None,
        created_at: at(0),
        expires_at: at(100),
        ends_at: at(500),
    }
}

/// With a customer of each merchant, of the same number.
fn plain() -> Plain {
    let mut plain = Plain::new();
    for merchant_id in [OURS, FOREIGN] {
        let row = CustomerRow {
            merchant_id,
            id: ANA,
            name: "Ana".to_owned(),
            email: None,
            external_id: None,
            locale: "en".to_owned(),
            metadata: "{}".to_owned(),
            created_at: at(0),
            updated_at: at(0),
            deleted_at: None,
        };
        plain
            .write(|connection| customers::insert(connection, &row))
            .expect("writes");
    }
    plain
}

impl Plain {
    fn add_link(&mut self, hash: [u8; 32], expires_at: i64, ended_before: i64) {
        let row = link_row(hash, expires_at);
        self.write(|connection| add_link(connection, &row, at(ended_before)))
            .expect("writes");
    }

    fn use_link(&mut self, now: i64) -> bool {
        self.write(|connection| use_link(connection, LINK, at(now)))
            .expect("writes")
    }

    fn begin(&mut self, merchant: MerchantId) {
        self.write(|connection| begin(connection, &session_row(merchant)))
            .expect("writes");
    }

    fn prolong(&mut self, to: i64) {
        self.write(|connection| prolong(connection, SESSION, at(to)))
            .expect("writes");
    }

    fn expires_at(&self, now: i64) -> Option<Timestamp> {
        let found = self.read(|connection| find(connection, SESSION, at(now)));
        found.map(|session| session.expires_at)
    }
}

#[test]
fn a_link_is_used_once_and_before_it_expires() {
    let mut plain = plain();
    plain.add_link(LINK, 100, 0);
    let found = plain.read(|connection| link(connection, LINK));
    assert_eq!(found, Some(link_row(LINK, 100)));
    assert_eq!(plain.read(|connection| link(connection, SESSION)), None);
    assert!(!plain.use_link(100), "expired at that instant");
    assert!(plain.use_link(99));
    assert!(!plain.use_link(99), "used before");
    let used = plain.read(|connection| link(connection, LINK));
    assert_eq!(used.expect("is still there").used_at, Some(at(99)));
}

#[test]
fn a_session_lives_while_it_is_used_and_never_past_its_end() {
    let mut plain = plain();
    plain.begin(OURS);
    assert_eq!(plain.expires_at(99), Some(at(100)));
    assert_eq!(plain.expires_at(100), None);
    plain.prolong(300);
    plain.prolong(200);
    assert_eq!(plain.expires_at(299), Some(at(300)), "never shorter");
    plain.prolong(900);
    assert_eq!(plain.expires_at(499), Some(at(500)));
    assert_eq!(plain.expires_at(500), None);
    plain
        .write(|connection| end(connection, SESSION))
        .expect("writes");
    assert_eq!(plain.expires_at(0), None);
    plain.prolong(900);
    assert_eq!(plain.expires_at(0), None);
}

#[test]
fn a_deleted_customers_links_and_sessions_end_and_nobody_elses() {
    let mut plain = plain();
    plain.begin(OURS);
    plain.add_link(LINK, 100, 0);
    let foreign = LinkRow {
        merchant_id: FOREIGN,
        ..link_row([3; 32], 100)
    };
    plain
        .write(|connection| add_link(connection, &foreign, at(0)))
        .expect("writes");
    plain
        .write(|connection| customers::delete(connection, FOREIGN, ANA, at(1)))
        .expect("deletes");
    assert!(plain.expires_at(0).is_some());
    plain
        .write(|connection| customers::delete(connection, OURS, ANA, at(1)))
        .expect("deletes");
    assert_eq!(plain.expires_at(0), None, "also before its rows are gone");
    plain
        .write(|connection| end_all(connection, OURS, ANA))
        .expect("writes");
    assert_eq!(plain.read(|connection| link(connection, LINK)), None);
    assert_eq!(
        plain.read(|connection| link(connection, [3; 32])),
        Some(foreign)
    );
}

#[test]
fn what_ended_long_ago_is_cleared_away() {
    let mut plain = plain();
    plain.add_link(LINK, 100, 0);
    plain.begin(OURS);
    plain.add_link([4; 32], 900, 100);
    assert!(plain.read(|connection| link(connection, LINK)).is_some());
    plain.add_link([5; 32], 900, 101);
    assert_eq!(plain.read(|connection| link(connection, LINK)), None);
    assert!(plain.read(|connection| link(connection, [4; 32])).is_some());
    assert_eq!(plain.expires_at(0), None);
}
