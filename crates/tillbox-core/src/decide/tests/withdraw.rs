use super::book::Book;
use super::recharge::recharged;
use super::*;
use crate::entry::EntryKind;
use crate::recharge::{PauseReason, RechargeState};
use crate::wallet::WalletStatus;

fn too_much(withdrawable: i64) -> Rejection {
    let withdrawable = units(withdrawable);
    Rejection::NotWithdrawable { withdrawable }
}

#[test]
fn refusals_in_precedence_order() {
    use WalletStatus::{Closed, Frozen, PendingActivation};
    for status in [PendingActivation, Frozen, Closed] {
        let outcome = Book::with_status(status).run(withdraw(1)).map(|_| ());
        assert_eq!(outcome, Err(Rejection::WalletNotActive(status)));
    }
    check_refusals(vec![
        (
            "limits",
            Book::new(),
            withdraw(1_000_000_000_001),
            Rejection::AmountOutOfRange {
                minimum: None,
                maximum: Some(Amount::MAX_SINGLE),
            },
        ),
        ("funds", Book::after([cash(5)]), withdraw(6), too_much(5)),
    ]);
}

#[test]
fn r8_a_withdrawal_draws_unheld_withdrawable_lots_the_newest_first() {
    let mut book = Book::after([cash(5), given(20), cash_until(4, 50), cash(3), limit(100)]);
    book.ok(hold(26, 60));
    assert_eq!(book.show(), "32 held 26 limit 100 C4[4] B20[20] A5[2] D3");
    check(
        &mut book,
        &[
            (
                "neither what is given, nor held, nor overdraft",
                withdraw(7),
                Err(too_much(6)),
            ),
            (
                "the newest first",
                withdraw(4),
                Ok(("-4: D-3 A-1", "28 held 26 limit 100 C4[4] B20[20] A4[2]")),
            ),
            (
                "all that may be",
                withdraw(2),
                Ok(("-2: A-2", "26 held 26 limit 100 C4[4] B20[20] A2[2]")),
            ),
            ("nothing is left", withdraw(1), Err(too_much(0))),
        ],
    );
    let row = &book.entries.last().expect("a row").event;
    assert_eq!(row.kind, EntryKind::Withdrawn);
    assert_eq!(row.reason, Some(Reason::Withdrawal));
    let to = row.destination.as_ref().expect("it goes out");
    assert_eq!(to.way, PayoutWay::Manual);
}

#[test]
fn r8_no_more_than_the_balance_without_what_holds_reserve_on_the_overdraft() {
    let mut book = Book::after([limit(10), hold(4, 60), cash(6)]);
    check(
        &mut book,
        &[
            ("four are owed to the hold", withdraw(3), Err(too_much(2))),
            (
                "two are free",
                withdraw(2),
                Ok(("-2: A-2", "4 held 4 limit 10 A4")),
            ),
        ],
    );
}

#[test]
fn r8_expired_value_is_not_paid_out() {
    let mut book = Book::after([cash_until(5, 50), cash(1)]).at(50);
    assert_eq!(book.run(withdraw(2)).map(|_| ()), Err(too_much(1)));
}

#[test]
fn r21_a_withdrawal_pauses_auto_recharge_instead_of_firing_it() {
    let mut book = recharged(30, None);
    book.ok(withdraw(15));
    let recharge = book.state.recharge.as_deref().expect("it was set");
    assert_eq!(
        recharge.state,
        RechargeState::Paused(PauseReason::MoneyWentBack)
    );
    assert_eq!(recharge.charge, None);
    assert_eq!(book.state.top_ups().len(), 0);
    let row = &book.ok(withdraw(1)).event;
    assert_eq!(row.recharge, None, "it is paused already");
}
