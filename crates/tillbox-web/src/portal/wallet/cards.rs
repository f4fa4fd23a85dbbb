//! Saved cards, by brand, last four and expiry.

use super::super::view::{Card, MethodChoice};
use super::visit::Visit;
use crate::words::Words;
use jiff::civil::Date;
use tillbox_core::recharge::Recharge;
use tillbox_store::sqlite::payment_methods::PaymentMethodRow;

/// "Visa ending in 4242".
pub(crate) fn name(words: Words, row: &PaymentMethodRow) -> String {
    words.ending_in(brand(words, &row.brand), &row.last4)
}

fn brand(words: Words, brand: &str) -> String {
    let known = match brand {
        "amex" | "american_express" => "American Express",
        "diners" | "diners_club" => "Diners Club",
        "discover" => "Discover",
        "jcb" => "JCB",
        "mastercard" => "Mastercard",
        "unionpay" => "UnionPay",
        "visa" => "Visa",
        _ => words.card(),
    };
    known.to_owned()
}

/// A card as lists show it.
pub(crate) fn card(words: Words, today: Date, row: &PaymentMethodRow) -> Card {
    let (remark, remark_tone) = remark(words, today, row);
    Card {
        id: row.id.to_string(),
        name: name(words, row),
        remark,
        remark_tone,
        is_default: row.is_default,
        removal: words.removal().to_owned(),
    }
}

/// When it expires, and whether that is soon.
fn remark(words: Words, today: Date, row: &PaymentMethodRow) -> (String, &'static str) {
    if row.hard_declined_at.is_some() {
        return (words.declined_for_good().to_owned(), "bad");
    }
    let Some((year, month)) = year_and_month(&row.expires) else {
        return (String::new(), "quiet");
    };
    let printed = format!("{month:02}/{:02}", year.rem_euclid(100));
    let months = |year: i32, month: i32| year * 12 + month;
    let left = months(year, month) - months(today.year().into(), today.month().into());
    match left {
        ..0 => (words.expired_in(printed), "bad"),
        0 => (words.expires_this_month(printed), "warn"),
        1 => (words.expires_next_month(printed), "warn"),
        _ => (words.expires_in(printed), "quiet"),
    }
}

/// Of "2030-12".
fn year_and_month(text: &str) -> Option<(i32, i32)> {
    let (year, month) = text.split_once('-')?;
    Some((year.parse().ok()?, month.parse().ok()?))
}

impl Visit {
    /// The saved cards, with what removing each would mean.
    pub(crate) fn cards(
        &self,
        rows: &[PaymentMethodRow],
        recharge: Option<&Recharge>,
    ) -> Vec<Card> {
        let recharge = recharge.filter(|recharge| recharge.is_enabled);
        let is_used = |row: &PaymentMethodRow| {
            recharge.is_some_and(|recharge| {
                recharge.method == Some(row.id) || recharge.backups.contains(&row.id)
            })
        };
        let removal = |row: &PaymentMethodRow| {
            if recharge.is_some() && rows.len() == 1 {
                self.words.removal_of_last()
            } else if is_used(row) {
                self.words.removal_of_recharge()
            } else {
                self.words.removal()
            }
        };
        let card = |row| Card {
            removal: removal(row).to_owned(),
            ..self.card(row)
        };
        rows.iter().map(card).collect()
    }

    /// The saved cards to pay with; the default is chosen where nothing else was.
    pub(crate) fn method_choices(
        &self,
        rows: &[PaymentMethodRow],
        chosen: Option<&str>,
    ) -> Vec<MethodChoice> {
        // A card that the bank refused for good is no proposal.
        let usable = || rows.iter().filter(|row| row.hard_declined_at.is_none());
        let default = usable().find(|row| row.is_default).or(usable().next());
        let default = default.or(rows.first()).map(|row| row.id);
        let choice = |row: &PaymentMethodRow| {
            let card = self.card(row);
            let is_chosen = chosen.map_or(Some(row.id) == default, |chosen| chosen == card.id);
            let remark = if row.hard_declined_at.is_some() {
                self.words.declined().to_owned()
            } else if card.remark_tone != "quiet" {
                card.remark
            } else if row.is_default {
                self.words.default_method().to_owned()
            } else {
                String::new()
            };
            MethodChoice {
                value: card.id,
                name: card.name,
                remark,
                is_chosen,
            }
        };
        rows.iter().map(choice).collect()
    }
}
