//! A balance, opened into lots, holds, debt and top-ups.

use super::{DebtView, SHOWN, Sum, debts, sum};
use crate::api::answer::{ok, print};
use crate::api::caller::Caller;
use crate::api::page::Query;
use crate::api::problem::Problem;
use crate::api::v1::lots::LotView;
use crate::api::v1::wallet_id;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::Serialize;
use std::sync::Arc;
use tillbox_core::amount::Amount;
use tillbox_core::currency::Currency;
use tillbox_core::hold::Hold;
use tillbox_core::id::InvoiceId;
use tillbox_core::lot::Lot;
use tillbox_core::time::Timestamp;
use tillbox_core::top_up::{TopUp, TopUpStatus};
use tillbox_service::{ExplainedBalance, Service};
use utoipa::ToSchema;

/// A balance, opened up. The terms of each sum add up to it.
#[derive(Serialize, ToSchema)]
pub(crate) struct BalanceExplanation {
    wallet_id: String,
    currency: String,
    /// The instant that it is of.
    as_of: String,
    /// What remains on lots, less what is owed.
    balance: Sum,
    /// What holds reserve on lots, and on the overdraft.
    held: Sum,
    /// balance − held + overdraft limit.
    available_balance: Sum,
    /// What debits have made that nothing has paid yet.
    debt: Sum,
    /// Top-ups whose outcome is not known: in no balance.
    pending_top_ups: Sum,
    withdrawable: Withdrawable,
    /// Open lots in the order in which they are drawn.
    lots: Vec<LotView>,
    /// What is left of the lots that are not listed.
    other_lots: OtherLots,
    /// Open holds, oldest first.
    holds: Vec<HoldExplanation>,
    /// What the holds reserve that are not listed.
    other_holds: OtherHolds,
    /// Debits that made what is owed, newest first.
    debts: Vec<DebtView>,
    /// Top-ups that may still succeed, oldest first.
    top_ups: Vec<OpenTopUp>,
}

/// What may be paid out: the lesser of the two, and never below zero.
#[derive(Serialize, ToSchema)]
pub(crate) struct Withdrawable {
    amount: String,
    /// What no hold reserves on lots that may be paid out.
    unheld_on_withdrawable_lots: String,
    /// The balance less what is held.
    balance_less_held: String,
}

/// Open lots beyond those that are listed.
#[derive(Serialize, ToSchema)]
pub(crate) struct OtherLots {
    count: usize,
    remaining: String,
    held: String,
}

/// Open holds beyond those that are listed.
#[derive(Serialize, ToSchema)]
pub(crate) struct OtherHolds {
    count: usize,
    remaining: String,
}

/// What a hold reserves.
#[derive(Serialize, ToSchema)]
pub(crate) struct HoldExplanation {
    hold_id: String,
    invoice_id: Option<String>,
    remaining: String,
    /// On lots, in the order in which it was reserved.
    lots: Vec<HoldShare>,
    /// On the overdraft.
    overdraft: String,
    expires_at: String,
}

/// What a hold reserves on a lot.
#[derive(Serialize, ToSchema)]
pub(crate) struct HoldShare {
    lot_id: String,
    amount: String,
}

/// A top-up that may still succeed.
#[derive(Serialize, ToSchema)]
pub(crate) struct OpenTopUp {
    top_up_id: String,
    status: &'static str,
    amount: String,
    /// Whether it counts in `pending_top_ups`: only where its outcome is not known.
    counts: bool,
}

impl BalanceExplanation {
    fn of(explained: &ExplainedBalance) -> Self {
        let (state, view) = (&explained.state, &explained.balance);
        let (currency, sums) = (view.currency, &view.balances);
        let on_lots: Amount = state.lots().map(|lot| lot.held).sum();
        let on_overdraft: Amount = state.holds().map(|hold| hold.overdraft).sum();
        let remaining: Amount = state.lots().map(|lot| lot.remaining).sum();
        let older = explained.older_debt();
        let payable = state.lots().filter(|lot| lot.withdrawable);
        let processing = state.top_ups().map(|(_, top_up)| counted(top_up));
        let others = || state.lots().skip(SHOWN);
        let other_holds = || state.holds().skip(SHOWN);
        let named: Amount = explained.debts.iter().map(|share| share.amount).sum();
        Self {
            wallet_id: state.id.to_string(),
            currency: currency.code().to_owned(),
            as_of: view.as_of.to_string(),
            balance: sum(
                sums.balance,
                [("lots", remaining), ("debt", -sums.debt)],
                currency,
            ),
            held: sum(
                sums.held,
                [("on_lots", on_lots), ("on_overdraft", on_overdraft)],
                currency,
            ),
            available_balance: sum(
                sums.available,
                [
                    ("balance", sums.balance),
                    ("held", -sums.held),
                    ("overdraft_limit", view.overdraft_limit),
                ],
                currency,
            ),
            debt: sum(
                sums.debt,
                [("debits", named), ("older_debits", older)],
                currency,
            ),
            pending_top_ups: sum(
                sums.pending_top_ups,
                [("processing", processing.sum())],
                currency,
            ),
            withdrawable: Withdrawable {
                amount: print(sums.withdrawable, currency),
                unheld_on_withdrawable_lots: print(payable.map(Lot::unheld).sum(), currency),
                balance_less_held: print(sums.balance - sums.held, currency),
            },
            lots: state
                .lots()
                .take(SHOWN)
                .map(|lot| LotView::of(lot, currency))
                .collect(),
            other_lots: OtherLots {
                count: others().count(),
                remaining: print(others().map(|lot| lot.remaining).sum(), currency),
                held: print(others().map(|lot| lot.held).sum(), currency),
            },
            holds: state
                .holds()
                .take(SHOWN)
                .map(|hold| HoldExplanation::of(hold, currency))
                .collect(),
            other_holds: OtherHolds {
                count: other_holds().count(),
                remaining: print(other_holds().map(Hold::remaining).sum(), currency),
            },
            debts: debts(&explained.debts, older, currency),
            top_ups: state
                .top_ups()
                .take(SHOWN)
                .map(|(id, top_up)| OpenTopUp {
                    top_up_id: id.to_string(),
                    status: top_up.status.name(),
                    amount: print(top_up.amount, currency),
                    counts: counted(top_up).is_positive(),
                })
                .collect(),
        }
    }
}

/// What a top-up counts in `pending_top_ups`.
fn counted(top_up: &TopUp) -> Amount {
    if top_up.status == TopUpStatus::Processing {
        top_up.amount
    } else {
        Amount::ZERO
    }
}

impl HoldExplanation {
    fn of(hold: &Hold, currency: Currency) -> Self {
        let shares = hold.parts.iter().map(|part| HoldShare {
            lot_id: part.lot.id.to_string(),
            amount: print(part.amount, currency),
        });
        Self {
            hold_id: hold.id.to_string(),
            invoice_id: hold.invoice_id.as_ref().map(InvoiceId::to_string),
            remaining: print(hold.remaining(), currency),
            lots: shares.collect(),
            overdraft: print(hold.overdraft, currency),
            expires_at: hold.expires_at.to_string(),
        }
    }
}

/// What makes up a balance, as of now or of a past instant: lots, holds, debt and top-ups, as terms that add up.
#[utoipa::path(get, path = "/v1/wallets/{wallet_id}/explain", tag = "wallets", params(("wallet_id" = String, Path), ("at" = Option<String>, Query)),
    responses((status = 200, body = BalanceExplanation)))]
pub(crate) async fn get(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path(wallet): Path<String>,
    query: Query,
) -> Result<Response, Problem> {
    query.allow(&["at"])?;
    let at = query.get("at").map(Timestamp::parse).transpose();
    let at = at.map_err(|wrong| Problem::invalid_parameter("at", wrong.to_string()))?;
    let explained = service
        .explain_balance(&caller.principal, wallet_id(&wallet)?, at)
        .await?;
    Ok(ok(&BalanceExplanation::of(&explained)))
}
