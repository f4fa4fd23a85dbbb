//! A transaction, opened into the lots behind it.

use super::{DebtView, Sum, debts, sum};
use crate::api::answer::{ok, print};
use crate::api::caller::Caller;
use crate::api::page::Query;
use crate::api::problem::Problem;
use crate::api::v1::transactions::TransactionView;
use crate::api::v1::wallet_id;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::Serialize;
use std::sync::Arc;
use tillbox_core::amount::Amount;
use tillbox_core::currency::Currency;
use tillbox_core::entry::{EntryKind, Part};
use tillbox_core::id::{EntryId, LotId, TopUpId};
use tillbox_core::lot::DrawKey;
use tillbox_core::reason::Reason;
use tillbox_core::time::Timestamp;
use tillbox_service::Service;
use tillbox_store::sqlite::explain::{Behind, LatePayment, LotOrigin};
use utoipa::ToSchema;

/// A transaction with the lots behind it. `lots + debt_made + debt_canceled` is its amount.
#[derive(Serialize, ToSchema)]
pub(crate) struct TransactionExplanation<'a> {
    transaction: TransactionView<'a>,
    /// Its amount, and what makes it up.
    amount: Sum,
    /// Why the lots come in this order: `draw_order`, or `hold` where a hold had reserved them in it.
    order: &'static str,
    /// What it drew on, made or gave back to, in order.
    lots: Vec<DrawnLot>,
    /// What it took from lots to pay debt at once: of a credit, from the lot that it made.
    paid_debt: PaidDebt,
    /// What lots have paid since of the debt that it made.
    late_allocations: Vec<LateAllocation>,
    /// What was given back of it, oldest first.
    refunds: Vec<RefundShare>,
    /// The sum of that.
    refunded: String,
    /// What may still be given back of it.
    refundable: String,
}

/// A share of a lot, and where the lot came from.
#[derive(Serialize, ToSchema)]
pub(crate) struct DrawnLot {
    lot_id: String,
    funding_type: &'static str,
    /// Signed.
    amount: String,
    /// The place of the lot in the draw order: what differs first decides.
    draw_key: DrawKeyView,
    /// By which part of the key it comes before the next one.
    before_next_by: Option<&'static str>,
    source: Source,
}

/// The place of a lot in the draw order: lowest priority, soonest expiry, what can't be paid out, oldest, id.
#[derive(Serialize, ToSchema)]
pub(crate) struct DrawKeyView {
    priority: u8,
    /// Null, which comes last: never.
    expires_at: Option<String>,
    withdrawable: bool,
    created_at: String,
    lot_id: String,
}

/// Where a lot came from.
#[derive(Serialize, ToSchema)]
pub(crate) struct Source {
    /// The transaction that made it.
    transaction_id: String,
    reason: Option<&'static str>,
    /// The top-up that paid for it.
    top_up_id: Option<String>,
    /// The expired lot that it stands for.
    succeeds: Option<String>,
}

/// Debt that a transaction paid.
#[derive(Serialize, ToSchema)]
pub(crate) struct PaidDebt {
    amount: String,
    /// Whose debt it was, newest first.
    debts: Vec<DebtView>,
}

/// Debt of a debit that a lot paid later.
#[derive(Serialize, ToSchema)]
pub(crate) struct LateAllocation {
    lot_id: String,
    funding_type: &'static str,
    amount: String,
    /// The row that paid it.
    paid_by: String,
    created_at: String,
    source: Source,
}

/// What was given back.
#[derive(Serialize, ToSchema)]
pub(crate) struct RefundShare {
    transaction_id: String,
    amount: String,
    created_at: String,
}

impl Source {
    fn of(origin: &LotOrigin) -> Self {
        Self {
            transaction_id: origin.lot.source.to_string(),
            reason: origin.reason.map(Reason::name),
            top_up_id: origin.top_up.as_ref().map(TopUpId::to_string),
            succeeds: origin.lot.succeeds.as_ref().map(LotId::to_string),
        }
    }
}

impl DrawKeyView {
    fn of(key: &DrawKey) -> Self {
        let expires_at = Some(key.expires_at).filter(|at| *at != Timestamp::NEVER);
        Self {
            priority: key.priority,
            expires_at: expires_at.map(|at| at.to_string()),
            withdrawable: key.withdrawable,
            created_at: key.created_at.to_string(),
            lot_id: key.id.to_string(),
        }
    }
}

/// By what a lot comes before another (L4).
fn before_by(one: &DrawKey, next: &DrawKey) -> &'static str {
    if one.priority != next.priority {
        "priority"
    } else if one.expires_at != next.expires_at {
        "expires_at"
    } else if one.withdrawable != next.withdrawable {
        "withdrawable"
    } else if one.created_at != next.created_at {
        "created_at"
    } else {
        "lot_id"
    }
}

impl<'a> TransactionExplanation<'a> {
    fn of(behind: &'a Behind, currency: Currency) -> Option<Self> {
        let (entry, event) = (&behind.entry, &behind.entry.event);
        let own: Vec<&Part> = event.own_parts().collect();
        let is_ordered = own.is_sorted_by_key(|part| part.lot);
        let by_hold = event.kind == EntryKind::HoldCaptured
            || event.kind == EntryKind::Usage && event.hold.is_some();
        let lots = own.iter().enumerate().map(|(place, part)| {
            let next = own.get(place + 1).filter(|_| is_ordered);
            Some(DrawnLot {
                lot_id: part.lot.id.to_string(),
                funding_type: part.funding.name(),
                amount: print(part.amount, currency),
                draw_key: DrawKeyView::of(&part.lot),
                before_next_by: next.map(|next| before_by(&part.lot, &next.lot)),
                source: Source::of(behind.lots.get(&part.lot.id)?),
            })
        });
        let late = |payment: &LatePayment| {
            let origin = behind.lots.get(&payment.lot)?;
            Some(LateAllocation {
                lot_id: payment.lot.to_string(),
                funding_type: origin.lot.funding.name(),
                amount: print(payment.amount, currency),
                paid_by: payment.by.to_string(),
                created_at: payment.at.to_string(),
                source: Source::of(origin),
            })
        };
        let made = event.debt_made.map_or(Amount::ZERO, |span| span.amount);
        let canceled: Amount = event.debt_canceled.iter().map(|span| span.amount).sum();
        let spans = event.parts.iter().filter_map(Part::debt_paid);
        let paid: Amount = spans.map(|span| span.amount).sum();
        let named: Amount = behind.paid.iter().map(|share| share.amount).sum();
        let refunded: Amount = behind.refunds.iter().map(|given| given.amount).sum();
        let refundable = match event.reason {
            Some(reason) if reason.is_refundable() => -event.amount - refunded,
            Some(_) | None => Amount::ZERO,
        };
        let drawn: Amount = own.iter().map(|part| part.amount).sum();
        Some(Self {
            transaction: TransactionView::of(entry, currency, false),
            amount: sum(
                event.amount,
                [
                    ("lots", drawn),
                    ("debt_made", -made),
                    ("debt_canceled", canceled),
                ],
                currency,
            ),
            order: if by_hold { "hold" } else { "draw_order" },
            lots: lots.collect::<Option<_>>()?,
            paid_debt: PaidDebt {
                amount: print(paid, currency),
                debts: debts(&behind.paid, paid - named, currency),
            },
            late_allocations: behind.late.iter().map(late).collect::<Option<_>>()?,
            refunds: behind
                .refunds
                .iter()
                .map(|given| RefundShare {
                    transaction_id: given.refund.to_string(),
                    amount: print(given.amount, currency),
                    created_at: given.at.to_string(),
                })
                .collect(),
            refunded: print(refunded, currency),
            refundable: print(refundable, currency),
        })
    }
}

/// What stands behind a transaction: which lots paid, in which order and why, where they came from, who paid its debt
/// later, and what was given back of it.
#[utoipa::path(get, path = "/v1/wallets/{wallet_id}/transactions/{transaction_id}/explain", tag = "transactions",
    params(("wallet_id" = String, Path), ("transaction_id" = String, Path)), responses((status = 200, body = TransactionExplanation)))]
pub(crate) async fn get(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path((wallet, id)): Path<(String, String)>,
    query: Query,
) -> Result<Response, Problem> {
    query.allow(&[])?;
    let wallet = wallet_id(&wallet)?;
    let id = EntryId::parse(&id).map_err(|_malformed| Problem::not_found())?;
    let currency = service.wallet_currency(&caller.principal, wallet).await?;
    let behind = service
        .explain_transaction(&caller.principal, wallet, id)
        .await?;
    let explained = TransactionExplanation::of(&behind, currency);
    Ok(ok(&explained.ok_or_else(Problem::internal)?))
}
