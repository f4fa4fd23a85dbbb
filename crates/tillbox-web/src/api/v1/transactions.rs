//! Transactions: the forms in which rows of the log are printed, and the lists.

pub(crate) mod csv;

use super::holds::HoldView;
use super::usage::UsageView;
use super::wallet_id;
use crate::api::answer::{bytes, ok, print, raw};
use crate::api::caller::Caller;
use crate::api::csv::{check_whole, guarded, is_accepted};
use crate::api::page::{Listed, Query};
use crate::api::problem::Problem;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::sync::Arc;
use tillbox_core::amount::Amount;
use tillbox_core::currency::Currency;
use tillbox_core::entry::{Entry, EntryKind, Event};
use tillbox_core::id::{EntryId, HoldId, TopUpId};
use tillbox_core::reason::{Reason, TransactionType};
use tillbox_core::time::Timestamp;
use tillbox_service::{Principal, Service};
use tillbox_store::sqlite::listing::{self as store, ListFilter, ListedStatus, What};
use tillbox_store::sqlite::top_ups::TopUpRow;
use tillbox_store::sqlite::transactions::TransactionFilter;
use utoipa::ToSchema;

/// A transaction.
#[derive(Serialize, ToSchema)]
#[schema(as = Transaction)]
pub(crate) struct TransactionView<'a> {
    id: Option<String>,
    wallet_id: String,
    /// Its number among the wallet's transactions.
    seq: Option<u64>,
    r#type: &'static str,
    reason: &'static str,
    /// Signed.
    amount: String,
    currency: String,
    /// Null where no money has moved.
    balance_before: Option<String>,
    balance_after: Option<String>,
    description: Option<&'a str>,
    /// `completed`, or of a top-up that has not succeeded: `pending` or `failed`.
    status: &'static str,
    reference: Option<&'a str>,
    payment_intent_id: Option<String>,
    top_up_id: Option<String>,
    hold_id: Option<String>,
    refund_of: Option<String>,
    /// What it drew on or gave back to, in order; of a credit the lot that it made.
    lots: Vec<LotShare>,
    #[schema(value_type = Object)]
    metadata: &'a RawValue,
    /// The wallet's hash chain after it.
    hash: Option<String>,
    created_at: String,
    /// When it took effect, where it was booked later than it fell due.
    #[serde(skip_serializing_if = "Option::is_none")]
    effective_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dry_run: Option<bool>,
}

/// A share of a lot.
#[derive(Serialize, ToSchema)]
pub(crate) struct LotShare {
    /// None in a dry run of what would make it.
    lot_id: Option<String>,
    funding_type: &'static str,
    /// Signed.
    amount: String,
}

impl<'a> TransactionView<'a> {
    pub(crate) fn of(entry: &'a Entry, currency: Currency, dry_run: bool) -> Self {
        let event = &entry.event;
        let reason = event.reason.unwrap_or(Reason::Usage);
        let money = |amount: Amount| print(amount, currency);
        let imagined = entry.made_lot().filter(|_| dry_run);
        let shares = event.own_parts().map(|part| LotShare {
            lot_id: (imagined != Some(part.lot.id)).then(|| part.lot.id.to_string()),
            funding_type: part.funding.name(),
            amount: money(part.amount),
        });
        Self {
            id: (!dry_run).then(|| entry.id.to_string()),
            wallet_id: entry.wallet_id.to_string(),
            seq: entry.seq,
            r#type: reason.transaction_type().name(),
            reason: reason.name(),
            amount: money(event.amount),
            currency: currency.code().to_owned(),
            balance_before: Some(money(entry.balance_before())),
            balance_after: Some(money(entry.balance_after)),
            description: event.note.description.as_deref(),
            status: ListedStatus::Completed.name(),
            reference: event.note.reference.as_deref(),
            payment_intent_id: payment_id(event).map(str::to_owned),
            top_up_id: event.top_up_id.as_ref().map(TopUpId::to_string),
            hold_id: event.hold.map(|hold| HoldId::to_string(&hold.id)),
            refund_of: event.refund_of.as_ref().map(EntryId::to_string),
            lots: shares.collect(),
            metadata: raw(event.note.metadata.as_deref()),
            hash: (!dry_run).then(|| hex(&entry.hash)),
            created_at: entry.at.to_string(),
            effective_at: event.effective_at.as_ref().map(Timestamp::to_string),
            dry_run: dry_run.then_some(true),
        }
    }

    /// A row of a list.
    pub(crate) fn listed(row: &'a store::Listed) -> Self {
        match &row.what {
            What::Transaction(entry) => Self::of(entry, row.currency, false),
            What::TopUp(top_up) => Self::of_top_up(top_up, row),
        }
    }

    /// A top-up that has not succeeded: in no sum, and replaced by its transaction when it does (R2).
    fn of_top_up(row: &'a TopUpRow, listed: &store::Listed) -> Self {
        let top_up = &row.top_up;
        let default = top_up.reason.default_description(listed.language);
        let id = row.id.to_string();
        Self {
            id: Some(id.clone()),
            wallet_id: row.wallet_id.to_string(),
            seq: None,
            r#type: top_up.reason.transaction_type().name(),
            reason: top_up.reason.name(),
            amount: print(top_up.amount, listed.currency),
            currency: listed.currency.code().to_owned(),
            balance_before: None,
            balance_after: None,
            description: Some(row.description.as_deref().unwrap_or(default)),
            status: ListedStatus::of_top_up(top_up.status).name(),
            reference: None,
            payment_intent_id: top_up.payment_id.as_deref().map(str::to_owned),
            top_up_id: Some(id),
            hold_id: None,
            refund_of: None,
            lots: Vec::new(),
            metadata: raw(None),
            hash: None,
            created_at: top_up.opened_at.to_string(),
            effective_at: None,
            dry_run: None,
        }
    }

    /// As a line of CSV.
    pub(crate) fn csv_fields(&self) -> [Cow<'_, str>; 12] {
        let text = |text: Option<&'a str>| guarded(text.unwrap_or_default());
        [
            Cow::Borrowed(&self.created_at),
            Cow::Borrowed(self.r#type),
            Cow::Borrowed(self.reason),
            text(self.description),
            Cow::Borrowed(&self.amount),
            Cow::Borrowed(&self.currency),
            Cow::Borrowed(self.balance_before.as_deref().unwrap_or_default()),
            Cow::Borrowed(self.balance_after.as_deref().unwrap_or_default()),
            Cow::Borrowed(self.status),
            text(self.reference),
            Cow::Borrowed(self.payment_intent_id.as_deref().unwrap_or_default()),
            Cow::Borrowed(self.id.as_deref().unwrap_or_default()),
        ]
    }
}

/// The provider's id of the payment behind a credit, or of the one that value goes back to.
fn payment_id(event: &Event) -> Option<&str> {
    match (event.top_up.as_deref(), &event.destination) {
        (Some(top_up), _) => top_up.payment_id.as_deref(),
        (None, Some(to)) => to.payment_id.as_deref(),
        (None, None) => None,
    }
}

/// Bytes in hexadecimal.
fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |index: u8| char::from(DIGITS[usize::from(index)]);
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

/// The answer to the command that made a row: the same bytes whenever it is asked for again (R44), in the shape that the
/// row was made with. There is one shape so far; the next one gets a printer of its own here, and this one stays.
pub(crate) fn print_row(entry: &Entry, currency: Currency, dry_run: bool) -> (u16, Vec<u8>) {
    assert_eq!(entry.event.shape, 1, "no other shape can be read");
    match entry.event.kind {
        EntryKind::HoldPlaced => (201, bytes(&HoldView::of_row(entry, currency, dry_run))),
        EntryKind::HoldReleased | EntryKind::HoldExtended | EntryKind::HoldExpired => {
            (200, bytes(&HoldView::of_row(entry, currency, dry_run)))
        }
        EntryKind::Usage => (201, bytes(&UsageView::of(entry, currency, dry_run))),
        EntryKind::Credit
        | EntryKind::Debit
        | EntryKind::Adjustment
        | EntryKind::Refund
        | EntryKind::HoldCaptured
        | EntryKind::LotExpired
        | EntryKind::LotChanged
        | EntryKind::LotVoided
        | EntryKind::Withdrawn
        | EntryKind::Forfeited
        | EntryKind::Closed
        | EntryKind::Frozen
        | EntryKind::Unfrozen
        | EntryKind::Activated
        | EntryKind::PolicyChanged
        | EntryKind::TopUpOpened
        | EntryKind::TopUpAdvanced
        | EntryKind::TopUpEnded
        | EntryKind::RechargeChanged
        | EntryKind::AlertsChanged
        | EntryKind::TopUpRefunded
        | EntryKind::PayoutEnded
        | EntryKind::Reversed
        | EntryKind::DisputeChanged
        | EntryKind::ChargedBack => (201, bytes(&TransactionView::of(entry, currency, dry_run))),
    }
}

const FILTERS: &[&str] = &[
    "from",
    "to",
    "type",
    "reason",
    "status",
    "reference",
    "limit",
    "cursor",
];

/// Which rows are asked for.
pub(crate) fn filter(
    query: &Query,
    service: &Service,
    who: &Principal,
) -> Result<ListFilter, Problem> {
    let zone = &service.settings(who).time_zone;
    let transactions = TransactionFilter {
        from: query.instant("from", zone, false)?,
        to: query.instant("to", zone, true)?,
        transaction_type: query.one_of("type", &TransactionType::ALL, TransactionType::name)?,
        reason: query.one_of("reason", Reason::ALL, Reason::name)?,
        reference: query.get("reference").map(str::to_owned),
    };
    Ok(ListFilter {
        transactions,
        status: query.one_of("status", &ListedStatus::ALL, ListedStatus::name)?,
    })
}

fn position(version: u64) -> i64 {
    i64::try_from(version).unwrap_or(i64::MAX)
}

/// Transactions of a wallet, newest first; with `Accept: text/csv` all of them as CSV.
#[utoipa::path(get, path = "/v1/wallets/{wallet_id}/transactions", tag = "transactions",
    params(("wallet_id" = String, Path), ("from" = Option<String>, Query), ("to" = Option<String>, Query), ("type" = Option<String>, Query),
        ("reason" = Option<String>, Query), ("status" = Option<String>, Query), ("reference" = Option<String>, Query),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 100), ("cursor" = Option<String>, Query)),
    responses((status = 200, body = Listed<TransactionView>)))]
pub(crate) async fn list(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path(wallet): Path<String>,
    query: Query,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if is_accepted(&headers) {
        return csv_response(service, caller, &wallet, &query).await;
    }
    query.allow(FILTERS)?;
    let filter = filter(&query, &service, &caller.principal)?;
    let page = query.page(&format!("transactions of {wallet}"))?;
    let wallet = wallet_id(&wallet)?;
    let before = page.before.map(i64::unsigned_abs);
    let rows = service
        .transactions(
            &caller.principal,
            wallet,
            Arc::new(filter),
            before,
            page.rows(),
        )
        .await?;
    let all = rows.clone();
    let listed = page.list(rows, |row| position(row.version), |row| row.version);
    Ok(ok(&listed.map(&all, TransactionView::listed)))
}

/// All transactions of a wallet as CSV, newest first.
#[utoipa::path(get, path = "/v1/wallets/{wallet_id}/transactions.csv", tag = "transactions",
    params(("wallet_id" = String, Path), ("from" = Option<String>, Query), ("to" = Option<String>, Query), ("type" = Option<String>, Query),
        ("reason" = Option<String>, Query), ("status" = Option<String>, Query), ("reference" = Option<String>, Query)),
    responses((status = 200, body = String, content_type = "text/csv")))]
pub(crate) async fn as_csv(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path(wallet): Path<String>,
    query: Query,
) -> Result<Response, Problem> {
    csv_response(service, caller, &wallet, &query).await
}

/// A transaction of a wallet.
#[utoipa::path(get, path = "/v1/wallets/{wallet_id}/transactions/{transaction_id}", tag = "transactions",
    params(("wallet_id" = String, Path), ("transaction_id" = String, Path)), responses((status = 200, body = TransactionView)))]
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
    let entry = service.transaction(&caller.principal, wallet, id).await?;
    Ok(ok(&TransactionView::of(&entry, currency, false)))
}

/// Transactions of all wallets, newest first.
#[utoipa::path(get, path = "/v1/transactions", tag = "transactions",
    params(("from" = Option<String>, Query), ("to" = Option<String>, Query), ("type" = Option<String>, Query), ("reason" = Option<String>, Query),
        ("status" = Option<String>, Query), ("reference" = Option<String>, Query), ("limit" = Option<u32>, Query, minimum = 1, maximum = 100), ("cursor" = Option<String>, Query)),
    responses((status = 200, body = Listed<TransactionView>)))]
pub(crate) async fn list_all(
    State(service): State<Arc<Service>>,
    caller: Caller,
    query: Query,
) -> Result<Response, Problem> {
    query.allow(FILTERS)?;
    let filter = filter(&query, &service, &caller.principal)?;
    let page = query.page("all transactions")?;
    let before = page.before.map(EntryId::from_number);
    let rows = service
        .merchant_transactions(&caller.principal, Arc::new(filter), before, page.rows())
        .await?;
    let all = rows.clone();
    let listed = page.list(rows, |row| row.row.number(), |row| row.row);
    Ok(ok(&listed.map(&all, TransactionView::listed)))
}

async fn csv_response(
    service: Arc<Service>,
    caller: Caller,
    wallet: &str,
    query: &Query,
) -> Result<Response, Problem> {
    query.allow(FILTERS)?;
    let filter = filter(query, &service, &caller.principal)?;
    check_whole(query)?;
    let wallet = wallet_id(wallet)?;
    service.wallet_currency(&caller.principal, wallet).await?;
    Ok(csv::response(service, caller.principal, wallet, filter))
}
