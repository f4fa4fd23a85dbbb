//! Explain (L13): a balance as terms that add up, and a transaction as the lots behind it.

pub(crate) mod balance;
pub(crate) mod transaction;

use crate::api::answer::print;
use serde::Serialize;
use tillbox_core::amount::Amount;
use tillbox_core::currency::Currency;
use tillbox_core::reason::Reason;
use tillbox_store::sqlite::explain::DebtShare;
use utoipa::ToSchema;

/// The most lots, holds, debits and top-ups that are listed; what is left is told as a sum.
const SHOWN: usize = 1_000;

/// A sum and what it is made of.
#[derive(Serialize, ToSchema)]
#[schema(as = ExplainedSum)]
pub(crate) struct Sum {
    amount: String,
    terms: Vec<Term>,
}

/// A part of a sum.
#[derive(Serialize, ToSchema)]
#[schema(as = ExplainedTerm)]
pub(crate) struct Term {
    name: &'static str,
    /// Signed.
    amount: String,
}

/// Debt that a debit made.
#[derive(Serialize, ToSchema)]
#[schema(as = ExplainedDebt)]
pub(crate) struct DebtView {
    /// Null for all that older debits made.
    transaction_id: Option<String>,
    reason: Option<&'static str>,
    amount: String,
    created_at: Option<String>,
}

fn sum<const TERMS: usize>(
    amount: Amount,
    terms: [(&'static str, Amount); TERMS],
    currency: Currency,
) -> Sum {
    let terms = terms.into_iter().map(|(name, amount)| Term {
        name,
        amount: print(amount, currency),
    });
    Sum {
        amount: print(amount, currency),
        terms: terms.collect(),
    }
}

/// The debits by name, and what older ones made as one.
fn debts(shares: &[DebtShare], older: Amount, currency: Currency) -> Vec<DebtView> {
    let behind: Amount = shares.iter().skip(SHOWN).map(|share| share.amount).sum();
    let rest = older + behind;
    let rest = rest.is_positive().then(|| DebtView {
        transaction_id: None,
        reason: None,
        amount: print(rest, currency),
        created_at: None,
    });
    let named = shares.iter().take(SHOWN).map(|share| DebtView {
        transaction_id: Some(share.debit.to_string()),
        reason: share.reason.map(Reason::name),
        amount: print(share.amount, currency),
        created_at: Some(share.at.to_string()),
    });
    named.chain(rest).collect()
}
