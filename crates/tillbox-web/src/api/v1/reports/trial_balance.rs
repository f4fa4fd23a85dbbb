//! The trial balance: what was debited and credited on each account.

use super::super::journal::span;
use super::{Line, as_csv, plain};
use crate::api::answer::ok;
use crate::api::caller::Caller;
use crate::api::csv;
use crate::api::page::Query;
use crate::api::problem::Problem;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use tillbox_core::amount::Total;
use tillbox_core::currency::Currency;
use tillbox_core::time::Timestamp;
use tillbox_service::Service;
use tillbox_service::books::reports::{self, AccountTotals};
use utoipa::ToSchema;

/// The sums of all accounts on which anything was booked.
#[derive(Serialize, ToSchema)]
pub(crate) struct TrialBalance {
    /// The first instant; null: from the beginning.
    from: Option<String>,
    /// The first instant behind it; null: up to now.
    to: Option<String>,
    data: Vec<AccountView>,
    /// What all accounts of a currency come to: as much is debited as credited.
    totals: Vec<TotalsView>,
}

/// An account in a currency.
#[derive(Serialize, ToSchema)]
pub(crate) struct AccountView {
    account: &'static str,
    /// `asset`, `liability`, `income` or `expense`.
    kind: &'static str,
    currency: String,
    debit: String,
    credit: String,
    /// Debit less credit.
    balance: String,
}

/// All accounts of a currency.
#[derive(Serialize, ToSchema)]
pub(crate) struct TotalsView {
    currency: String,
    debit: String,
    credit: String,
    /// Always zero.
    balance: String,
}

impl AccountView {
    fn of(totals: &AccountTotals) -> Self {
        let print = |total: Total| total.display(totals.currency);
        Self {
            account: totals.account.name(),
            kind: totals.account.kind().name(),
            currency: totals.currency.code().to_owned(),
            debit: print(totals.debit),
            credit: print(totals.credit),
            balance: print(totals.debit - totals.credit),
        }
    }
}

impl Line for AccountView {
    const HEADER: &'static str = "account,kind,currency,debit,credit,balance";
    const FILE: &'static str = "trial-balance.csv";

    fn fields(&self) -> Vec<Cow<'_, str>> {
        let fields = [
            self.account,
            self.kind,
            &self.currency,
            &self.debit,
            &self.credit,
            &self.balance,
        ];
        fields.map(plain).into()
    }
}

/// What was debited and credited on each account, up to now or in a span.
#[utoipa::path(get, path = "/v1/reports/trial-balance", tag = "books",
    params(("from" = Option<String>, Query), ("to" = Option<String>, Query)), responses((status = 200, body = TrialBalance)))]
pub(crate) async fn get(
    State(service): State<Arc<Service>>,
    caller: Caller,
    query: Query,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    query.allow(&["from", "to"])?;
    let span = span(&query, &service, &caller.principal)?;
    let sums = service.booked_in(&caller.principal, span).await?;
    let accounts = reports::trial_balance(&sums);
    let data: Vec<AccountView> = accounts.iter().map(AccountView::of).collect();
    if csv::is_accepted(&headers) {
        return as_csv(&data);
    }
    let mut totals: BTreeMap<Currency, (Total, Total)> = BTreeMap::new();
    for account in &accounts {
        let (debit, credit) = totals.entry(account.currency).or_default();
        *debit += account.debit;
        *credit += account.credit;
    }
    let totals = totals
        .into_iter()
        .map(|(currency, (debit, credit))| TotalsView {
            currency: currency.code().to_owned(),
            debit: debit.display(currency),
            credit: credit.display(currency),
            balance: (debit - credit).display(currency),
        });
    Ok(ok(&TrialBalance {
        from: span.from.as_ref().map(Timestamp::to_string),
        to: span.to.as_ref().map(Timestamp::to_string),
        data,
        totals: totals.collect(),
    }))
}
