//! The audit log over plain rows and rows of the ledger.

use super::super::audit_log::{AuditFilter, AuditRow, Noted, deeds_query, insert, list};
use super::*;
use tillbox_core::id::{ApiKeyId, AuditId};

fn noted(id: i64, merchant_id: MerchantId) -> AuditRow {
    AuditRow {
        id: AuditId::from_number(id),
        merchant_id,
        wallet_id: None,
        actor: Actor::ApiKey(ApiKeyId::from_number(9)),
        action: "price.created".to_owned(),
        targets: vec!["prc_1".to_owned(), "cus_2".to_owned()],
        at: Timestamp::from_micros(id),
        request: Some(u64::MAX),
        changes: Some("{}".to_owned()),
    }
}

#[test]
fn entries_read_back_of_their_merchant_alone_past_what_is_not_wanted() {
    let mut plain = Plain::new();
    let ours: Vec<AuditRow> = (1..=1_203).map(|id| noted(id, OURS)).collect();
    let rows = ours.clone();
    let written = plain.write(move |connection| {
        for row in &rows {
            insert(connection, row)?;
        }
        Ok(insert(connection, &noted(5_000, FOREIGN))?)
    });
    written.expect("written");
    let few = |noted: &Noted| noted.id().number() % 400 == 1;
    let found = plain.read(|connection| {
        let all = AuditFilter::default();
        list(connection, OURS, &all, None, 3, few)
    });
    let expected = [1_201, 801, 401].map(|id| Noted::Plain(noted(id, OURS)));
    assert_eq!(found, expected);
    let found = plain.read(|connection| {
        let all = AuditFilter::default();
        list(
            connection,
            OURS,
            &all,
            Some(AuditId::from_number(401)),
            3,
            few,
        )
    });
    assert_eq!(found, [Noted::Plain(noted(1, OURS))]);
}

#[test]
fn deeds_are_found_by_their_index() {
    let plain = Plain::new();
    let filter = AuditFilter {
        wallet: Some(WalletId::from_number(3)),
        ..AuditFilter::default()
    };
    let steps = plain.read(|connection| deeds_query(OURS, &filter, None).plan(connection));
    assert!(
        steps.contains("USING INDEX log_deeds (merchant_id=? AND id<?)"),
        "{steps}"
    );
    assert!(!steps.contains("TEMP B-TREE"), "{steps}");
}
