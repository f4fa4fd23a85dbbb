//! The self-audit: that all a merchant has is whole.

use crate::api::answer::ok;
use crate::api::caller::Caller;
use crate::api::page::Query;
use crate::api::problem::Problem;
use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use std::sync::Arc;
use tillbox_service::{AuditReport, Service};
use utoipa::ToSchema;

/// What an audit found.
#[derive(Serialize, ToSchema)]
pub(crate) struct Verification {
    /// Whether every rule holds.
    ok: bool,
    /// Rows of the merchant's wallets that were read.
    rows: u64,
    /// Wallets that were read.
    wallets: u64,
    /// Rows of the whole log when the audit began.
    height: u64,
    /// The hash over all of them, in hexadecimal.
    head: String,
    /// How many rows the anchor beside the database tells of; null where there is none.
    anchored_height: Option<u64>,
    /// How long it took.
    took_ms: u64,
    /// Every rule that was checked.
    rules: Vec<CheckedRule>,
}

/// A rule, and what breaks it.
#[derive(Serialize, ToSchema)]
pub(crate) struct CheckedRule {
    /// Its name.
    rule: &'static str,
    /// Whether it holds.
    ok: bool,
    /// The first that breaks it.
    violation: Option<FoundViolation>,
}

/// Where a rule is broken.
#[derive(Serialize, ToSchema)]
pub(crate) struct FoundViolation {
    /// In which wallet, where it is about one.
    wallet_id: Option<String>,
    /// At which of its rows, where it is about one.
    version: Option<u64>,
    /// What was found, for people.
    detail: String,
}

impl Verification {
    fn of(report: &AuditReport) -> Self {
        let mut names = report.rules.clone();
        // What follows from the rules is named only where it is broken.
        names.extend(report.violations.iter().map(|found| found.invariant));
        let mut seen = std::collections::HashSet::new();
        names.retain(|name| seen.insert(*name));
        let rules = names.into_iter().map(|rule| {
            let mut violations = report.violations.iter();
            let found = violations.find(|found| found.invariant == rule);
            CheckedRule {
                rule,
                ok: found.is_none(),
                violation: found.map(|found| FoundViolation {
                    wallet_id: found.wallet.map(|wallet| wallet.to_string()),
                    version: found.version,
                    detail: found.detail.clone(),
                }),
            }
        });
        Self {
            ok: report.violations.is_empty(),
            rows: report.rows,
            wallets: report.wallets,
            height: report.head.height,
            head: report.head_hash(),
            anchored_height: report.anchored,
            took_ms: u64::try_from(report.took.as_millis()).unwrap_or(u64::MAX),
            rules: rules.collect(),
        }
    }
}

/// Audits all that the merchant has, beside the writer: chain, balances, lots, holds, debt, refunds, top-ups, keys.
///
/// It reads every row, so it takes its time: some seconds for a million. One audit runs at a time; another is answered
/// 503 with `Retry-After`.
#[utoipa::path(get, path = "/v1/verify", tag = "system", responses((status = 200, body = Verification)))]
pub(crate) async fn verify(
    State(service): State<Arc<Service>>,
    caller: Caller,
    query: Query,
) -> Result<Response, Problem> {
    query.allow(&[])?;
    let report = service.verify(&caller.principal).await?;
    Ok(ok(&Verification::of(&report)))
}
