//! What the wallet pays for, by the merchant's price list.

use super::super::page_error::PageError;
use super::super::view::{Price, Prices};
use super::visit::Visit;
use crate::words::Words;
use crate::words::money::grouped;
use tillbox_store::sqlite::prices::PriceRow;

/// Lines that the table shows.
const LINES: usize = 50;

impl Visit {
    /// The price table of the wallet's currency.
    pub(super) async fn prices(&self) -> Result<Prices, PageError> {
        let (who, currency) = (self.who(), self.wallet.row.currency);
        let rows = self.service.price_table(who, currency, LINES).await?;
        let digits = |row: &PriceRow| self.money.money(row.unit_amount).micro_digits();
        Ok(Prices {
            micros: rows.iter().map(digits).max().unwrap_or(0),
            rows: rows.iter().map(|row| self.price(row)).collect(),
        })
    }

    fn price(&self, row: &PriceRow) -> Price {
        let words = self.words;
        // What the merchant wrote says it better.
        let mut notes = Vec::from_iter(row.billing_note.clone());
        if notes.is_empty() && row.billing_increment > 1 {
            notes.push(words.billed_in_steps(counted(row, row.billing_increment)));
        }
        if row.billing_note.is_none() && row.minimum_units > row.billing_increment.max(1) {
            notes.push(words.billed_from(counted(row, row.minimum_units)));
        }
        Price {
            name: row.description.clone().unwrap_or_else(|| row.key.clone()),
            amount: self.money.money(row.unit_amount).html(),
            unit: unit(words, &row.unit, row.per, self.money.thousands_mark()),
            note: (!notes.is_empty()).then(|| notes.join(" · ")),
        }
    }
}

/// So many units; of minutes and hours they are seconds (R4).
fn counted(row: &PriceRow, units: i64) -> String {
    match row.unit.as_str() {
        "minute" | "hour" => format!("{units} s"),
        _ => units.to_string(),
    }
}

/// "a message", "a minute", "per 1000000 tokens". Time is counted in seconds (R4).
fn unit(words: Words, unit: &str, per: i64, mark: char) -> String {
    match (unit, per) {
        ("minute", 60 | 1) => words.a_minute().to_owned(),
        ("hour", 3_600 | 1) => words.an_hour().to_owned(),
        ("second", 1) => words.a_second().to_owned(),
        ("message", 1) => words.a_message().to_owned(),
        ("month", 1) => words.a_month().to_owned(),
        (unit, 1) => words.a_unit(unit),
        (unit, per) => words.per_units(grouped(&per.to_string(), mark), unit),
    }
}
