//! Drawing value: which lots give how much, and which pay debt.
//!
//! Lots are drawn in the order of [`crate::lot::DrawKey`]; held and expired value is passed over. The plan
//! is a function of the state alone, so both stores and every replay come to the same one.

use crate::amount::Amount;
use crate::entry::Part;
use crate::lot::Lot;
use crate::time::Timestamp;
use crate::wallet::WalletState;

/// Draws up to `amount` of unheld value; what is missing is the second of the pair.
pub(crate) fn draw_unheld(state: &WalletState, amount: Amount) -> (Vec<Part>, Amount) {
    draw_from(state.lots(), amount)
}

/// The same over chosen lots, in the order in which they come.
pub(crate) fn draw_from<'a>(
    lots: impl Iterator<Item = &'a Lot>,
    amount: Amount,
) -> (Vec<Part>, Amount) {
    let mut parts = Vec::with_capacity(1);
    let mut missing = amount;
    for lot in lots {
        if missing.is_zero() {
            break;
        }
        let share = lot.unheld().min(missing);
        if share.is_positive() {
            parts.push(Part {
                lot: lot.draw_key(),
                funding: lot.funding,
                amount: -share,
                held: Amount::ZERO,
                pays_debt_from: None,
            });
            missing -= share;
        }
    }
    (parts, missing)
}

/// Value that a row sets free on a lot, and that pays debt at once if there is any (R6).
#[derive(Clone, Debug)]
pub(crate) struct Freed {
    pub(crate) lot: Lot,
    pub(crate) amount: Amount,
}

/// The parts by which freed value pays the oldest debt, lots in draw order. Value past its date pays nothing.
pub(crate) fn pay_debt(
    debt: &crate::debt::Debt,
    mut freed: Vec<Freed>,
    now: Timestamp,
) -> Vec<Part> {
    freed.retain(|value| !value.lot.is_expired(now));
    freed.sort_by_key(|value| value.lot.draw_key());
    let available: Amount = freed.iter().map(|value| value.amount).sum();
    let mut parts = Vec::new();
    let mut sources = freed.into_iter();
    let mut source = sources.next();
    for mut span in debt.oldest(available) {
        while span.amount.is_positive() {
            let Some(value) = source.as_mut() else {
                return parts;
            };
            let share = value.amount.min(span.amount);
            if share.is_positive() {
                parts.push(Part {
                    lot: value.lot.draw_key(),
                    funding: value.lot.funding,
                    amount: -share,
                    held: Amount::ZERO,
                    pays_debt_from: Some(span.from),
                });
                value.amount -= share;
                span.from += share;
                span.amount -= share;
            }
            if value.amount.is_zero() {
                source = sources.next();
            }
        }
    }
    parts
}
