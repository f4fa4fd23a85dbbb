//! Transactions: the forms in which rows of the log are printed, and the lists.

use super::holds::HoldView;
use super::usage::UsageView;
use super::wallet_id;
use crate::api::answer::{bytes, ok, print, raw};
use crate::api::caller::Caller;
use crate::api::page::{Listed, Query};
use crate::api::problem::Problem;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::value::RawValue;
use std::sync::Arc;
use tillbox_core::amount::Amount;
use tillbox_core::currency::Currency;
use tillbox_core::entry::{Entry, EntryKind, Event};
use tillbox_core::id::{EntryId, HoldId, TopUpId, WalletId};
use tillbox_core::reason::{Reason, TransactionType};
use tillbox_core::time::Timestamp;
use tillbox_service::{Principal, Service};
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
    balance_before: String,
    balance_after: String,
    description: Option<&'a str>,
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
            balance_before: money(entry.balance_before()),
            balance_after: money(entry.balance_after),
            description: event.note.description.as_deref(),
            status: "completed",
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
}

/// The provider's id of the payment behind a credit.
fn payment_id(event: &Event) -> Option<&str> {
    event.top_up.as_deref()?.payment_id.as_deref()
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

/// The answer to the command that made a row: the same bytes whenever it is asked for again (R44).
pub(crate) fn print_row(entry: &Entry, currency: Currency, dry_run: bool) -> (u16, Vec<u8>) {
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
        | EntryKind::Frozen
        | EntryKind::Unfrozen
        | EntryKind::PolicyChanged
        | EntryKind::TopUpOpened
        | EntryKind::TopUpAdvanced
        | EntryKind::TopUpEnded
        | EntryKind::RechargeChanged
        | EntryKind::AlertsChanged => (201, bytes(&TransactionView::of(entry, currency, dry_run))),
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

/// A filter, and whether it can match at all: every row of the log is completed (R2).
fn filter(
    query: &Query,
    service: &Service,
    who: &Principal,
) -> Result<(TransactionFilter, bool), Problem> {
    query.allow(FILTERS)?;
    let zone = &service.settings(who).time_zone;
    let status = query.one_of("status", &["completed", "pending", "failed"], |status| {
        status
    })?;
    let filter = TransactionFilter {
        from: query.instant("from", zone, false)?,
        to: query.instant("to", zone, true)?,
        transaction_type: query.one_of("type", &TransactionType::ALL, TransactionType::name)?,
        reason: query.one_of("reason", Reason::ALL, Reason::name)?,
        reference: query.get("reference").map(str::to_owned),
    };
    Ok((filter, status.is_none_or(|status| status == "completed")))
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
    let accept = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    if accept
        .split(',')
        .any(|kind| kind.trim().starts_with("text/csv"))
    {
        return csv_response(service, caller, &wallet, &query).await;
    }
    let (filter, can_match) = filter(&query, &service, &caller.principal)?;
    let page = query.page(&format!("transactions of {wallet}"))?;
    let wallet = wallet_id(&wallet)?;
    let currency = service.wallet_currency(&caller.principal, wallet).await?;
    let before = page.before.map(i64::unsigned_abs);
    let rows = if can_match {
        service
            .transactions(
                &caller.principal,
                wallet,
                Arc::new(filter),
                before,
                page.rows(),
            )
            .await?
    } else {
        Vec::new()
    };
    let rows: Vec<Arc<Entry>> = rows.into_iter().map(Arc::new).collect();
    let entries = rows.clone();
    let listed = page.list(rows, |entry| position(entry.version), |entry| entry.version);
    let views = listed.map(&entries, |entry| {
        TransactionView::of(entry, currency, false)
    });
    Ok(ok(&views))
}

/// All transactions of a wallet as CSV, newest first.
#[utoipa::path(get, path = "/v1/wallets/{wallet_id}/transactions.csv", tag = "transactions",
    params(("wallet_id" = String, Path), ("from" = Option<String>, Query), ("to" = Option<String>, Query), ("type" = Option<String>, Query),
        ("reason" = Option<String>, Query), ("status" = Option<String>, Query), ("reference" = Option<String>, Query)),
    responses((status = 200, body = String, content_type = "text/csv")))]
pub(crate) async fn csv(
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
    let (filter, can_match) = filter(&query, &service, &caller.principal)?;
    let page = query.page("all transactions")?;
    let before = page.before.map(EntryId::from_number);
    let rows = if can_match {
        service
            .merchant_transactions(&caller.principal, Arc::new(filter), before, page.rows())
            .await?
    } else {
        Vec::new()
    };
    let all = rows.clone();
    let listed = page.list(
        rows,
        |row| row.entry.id.number(),
        |row| row.entry.id.number(),
    );
    let views = listed.map(&all, |row| {
        TransactionView::of(&row.entry, row.currency, false)
    });
    Ok(ok(&views))
}

const CSV_HEADER: &str = "date,type,reason,description,amount,currency,balance_before,balance_after,status,reference,payment_intent_id,id\r\n";
/// Rows that one read of the stream takes: short reads, so that a slow client holds nothing.
const CSV_PAGE: usize = 500;

/// Where a stream of CSV stands.
struct CsvStream {
    service: Arc<Service>,
    principal: Principal,
    wallet: WalletId,
    currency: Currency,
    filter: Arc<TransactionFilter>,
    next: Option<Next>,
}

enum Next {
    Header,
    Before(Option<u64>),
}

async fn csv_response(
    service: Arc<Service>,
    caller: Caller,
    wallet: &str,
    query: &Query,
) -> Result<Response, Problem> {
    let (filter, can_match) = filter(query, &service, &caller.principal)?;
    if query.get("limit").or(query.get("cursor")).is_some() {
        return Err(Problem::invalid_parameter(
            "limit",
            "CSV has no pages: all rows are sent",
        ));
    }
    let wallet = wallet_id(wallet)?;
    let currency = service.wallet_currency(&caller.principal, wallet).await?;
    let stream = CsvStream {
        service,
        principal: caller.principal,
        wallet,
        currency,
        filter: Arc::new(filter),
        next: Some(Next::Header),
    };
    let body = Body::from_stream(futures_util::stream::try_unfold(stream, move |stream| {
        next_chunk(stream, can_match)
    }));
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/csv; charset=utf-8"),
    );
    headers.insert(
        header::CONTENT_DISPOSITION,
        HeaderValue::from_static("attachment; filename=\"transactions.csv\""),
    );
    Ok(response)
}

async fn next_chunk(
    mut stream: CsvStream,
    can_match: bool,
) -> Result<Option<(Vec<u8>, CsvStream)>, std::io::Error> {
    match stream.next.take() {
        None => Ok(None),
        Some(Next::Header) => {
            stream.next = can_match.then_some(Next::Before(None));
            Ok(Some((CSV_HEADER.as_bytes().to_vec(), stream)))
        }
        Some(Next::Before(before)) => {
            let read = stream
                .service
                .transactions(
                    &stream.principal,
                    stream.wallet,
                    Arc::clone(&stream.filter),
                    before,
                    CSV_PAGE,
                )
                .await;
            let rows = read.map_err(std::io::Error::other)?;
            stream.next = rows
                .last()
                .filter(|_| rows.len() == CSV_PAGE)
                .map(|last| Next::Before(Some(last.version)));
            let chunk = csv_rows(&rows, stream.currency)?;
            Ok(Some((chunk, stream)))
        }
    }
}

fn csv_rows(rows: &[Entry], currency: Currency) -> Result<Vec<u8>, std::io::Error> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::with_capacity(rows.len() * 160));
    for entry in rows {
        let reason = entry.event.reason.unwrap_or(Reason::Usage);
        let note = &entry.event.note;
        writer.write_record([
            entry.at.to_string().as_str(),
            reason.transaction_type().name(),
            reason.name(),
            &guarded(note.description.as_deref()),
            &print(entry.event.amount, currency),
            currency.code(),
            &print(entry.balance_before(), currency),
            &print(entry.balance_after, currency),
            "completed",
            &guarded(note.reference.as_deref()),
            payment_id(&entry.event).unwrap_or_default(),
            &entry.id.to_string(),
        ])?;
    }
    writer
        .into_inner()
        .map_err(|error| std::io::Error::other(error.to_string()))
}

/// A text that a spreadsheet would take for a formula is told by an apostrophe that it is none.
fn guarded(text: Option<&str>) -> String {
    let text = text.unwrap_or_default();
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}
