//! The audit log: who did what, when and from where; as JSON in pages, or all of it as CSV.

use super::wallet_id;
use crate::api::answer::{ok, print, raw};
use crate::api::caller::Caller;
use crate::api::csv::{self, ROWS};
use crate::api::page::{Listed, Query};
use crate::api::problem::Problem;
use crate::api::request_id;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::io::Error;
use std::sync::Arc;
use tillbox_core::entry::Actor;
use tillbox_core::id::{ApiKeyId, AuditId, CustomerId};
use tillbox_service::{AuditAction, AuditEntry, AuditFilter, AuditRange, Principal, Service};
use utoipa::ToSchema;

/// Something that was done.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditEntry)]
pub(crate) struct AuditView<'a> {
    id: String,
    created_at: String,
    actor: ActorView<'a>,
    /// What was done, such as `wallet.frozen`.
    action: &'a str,
    /// The wallet that it is about.
    wallet_id: Option<String>,
    /// What else it is about: ids.
    targets: &'a [String],
    /// What it moved, signed, or what was asked for.
    amount: Option<String>,
    currency: Option<&'a str>,
    /// Why, in the words of who did it.
    description: Option<&'a str>,
    /// The call that asked for it; null where a row of the ledger is the entry.
    request_id: Option<String>,
    /// What changed; of settings `{"name": {"from": …, "to": …}}`.
    #[schema(value_type = Option<Object>)]
    changes: Option<&'a RawValue>,
}

/// Who did it.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditActor)]
pub(crate) struct ActorView<'a> {
    /// `api_key`, `customer` or `system`.
    r#type: &'static str,
    id: Option<String>,
    /// The name of the API key.
    name: Option<&'a str>,
}

impl<'a> AuditView<'a> {
    fn of(entry: &'a AuditEntry) -> Self {
        let (kind, id) = match entry.actor {
            Actor::System => ("system", None),
            Actor::ApiKey(id) => ("api_key", Some(id.to_string())),
            Actor::Customer(id) => ("customer", Some(id.to_string())),
        };
        let amount = entry.amount.as_ref();
        Self {
            id: entry.id.to_string(),
            created_at: entry.at.to_string(),
            actor: ActorView {
                r#type: kind,
                id,
                name: entry.actor_name.as_deref(),
            },
            action: &entry.action,
            wallet_id: entry.wallet_id.map(|id| id.to_string()),
            targets: &entry.targets,
            amount: amount.map(|(amount, currency)| print(*amount, *currency)),
            currency: amount.map(|(_, currency)| currency.code()),
            description: entry.description.as_deref(),
            request_id: entry.request.map(request_id::print),
            changes: entry.changes.as_deref().map(|text| raw(Some(text))),
        }
    }

    fn csv_fields(&self) -> [Cow<'_, str>; 13] {
        let text = |text: Option<&'a str>| csv::guarded(text.unwrap_or_default());
        let id = |id: &'_ Option<String>| Cow::Owned(id.clone().unwrap_or_default());
        [
            Cow::Borrowed(&self.created_at),
            Cow::Borrowed(self.actor.r#type),
            id(&self.actor.id),
            text(self.actor.name),
            Cow::Borrowed(self.action),
            id(&self.wallet_id),
            Cow::Owned(self.targets.join(" ")),
            id(&self.amount),
            Cow::Borrowed(self.currency.unwrap_or_default()),
            text(self.description),
            id(&self.request_id),
            text(self.changes.map(RawValue::get)),
            Cow::Borrowed(&self.id),
        ]
    }
}

const HEADER: &str = "date,actor_type,actor_id,actor_name,action,wallet_id,targets,amount,currency,description,request_id,changes,id\r\n";
const FILTERS: &[&str] = &[
    "limit",
    "cursor",
    "actor",
    "action",
    "target",
    "wallet_id",
    "from",
    "to",
];

fn filter(query: &Query, service: &Service, who: &Principal) -> Result<AuditFilter, Problem> {
    let zone = &service.settings(who).time_zone;
    let actor = query.get("actor").map(|text| {
        let key = || ApiKeyId::parse(text).map(Actor::ApiKey).ok();
        let customer = || CustomerId::parse(text).map(Actor::Customer).ok();
        let system = (text == "system").then_some(Actor::System);
        system.or_else(key).or_else(customer).ok_or_else(|| {
            let form = "must be system, the id of an API key, or the id of a customer";
            Problem::invalid_parameter("actor", form)
        })
    });
    Ok(AuditFilter {
        range: AuditRange {
            wallet: query.get("wallet_id").map(wallet_id).transpose()?,
            from: query.instant("from", zone, false)?,
            to: query.instant("to", zone, true)?,
        },
        actor: actor.transpose()?,
        action: query.one_of("action", AuditAction::ALL, AuditAction::name)?,
        target: query.get("target").map(str::to_owned),
    })
}

/// What was done, newest first. Spending is not in it: debits, usage and holds are transactions.
#[utoipa::path(get, path = "/v1/audit-log", tag = "operations",
    params(("limit" = Option<u32>, Query, minimum = 1, maximum = 100), ("cursor" = Option<String>, Query), ("actor" = Option<String>, Query), ("action" = Option<String>, Query),
        ("target" = Option<String>, Query), ("wallet_id" = Option<String>, Query), ("from" = Option<String>, Query), ("to" = Option<String>, Query)),
    responses((status = 200, description = "A page, or all of it as CSV where that is accepted", content((Listed<AuditView> = "application/json"), (String = "text/csv")))))]
pub(crate) async fn list(
    State(service): State<Arc<Service>>,
    caller: Caller,
    headers: HeaderMap,
    query: Query,
) -> Result<Response, Problem> {
    if csv::is_accepted(&headers) {
        return csv_response(service, caller, &query);
    }
    query.allow(FILTERS)?;
    let page = query.page("audit log")?;
    let filter = Arc::new(filter(&query, &service, &caller.principal)?);
    let before = page.before.map(AuditId::from_number);
    let entries = service
        .audit_log(&caller.principal, filter, before, page.rows())
        .await?;
    let listed = page.list(entries.iter().collect(), |entry| entry.id.number(), |_| ());
    Ok(ok(&listed.map(&entries, AuditView::of)))
}

/// The same as CSV: all of it.
#[utoipa::path(get, path = "/v1/audit-log.csv", tag = "operations",
    params(("actor" = Option<String>, Query), ("action" = Option<String>, Query), ("target" = Option<String>, Query), ("wallet_id" = Option<String>, Query),
        ("from" = Option<String>, Query), ("to" = Option<String>, Query)),
    responses((status = 200, content_type = "text/csv", body = String)))]
pub(crate) async fn as_csv(
    State(service): State<Arc<Service>>,
    caller: Caller,
    query: Query,
) -> Result<Response, Problem> {
    csv_response(service, caller, &query)
}

fn csv_response(service: Arc<Service>, caller: Caller, query: &Query) -> Result<Response, Problem> {
    query.allow(FILTERS)?;
    csv::check_whole(query)?;
    let filter = Arc::new(filter(query, &service, &caller.principal)?);
    Ok(csv::response("audit-log.csv", HEADER, move |before| {
        let (service, who) = (Arc::clone(&service), caller.principal.clone());
        let filter = Arc::clone(&filter);
        async move {
            let read = service.audit_log(&who, filter, before, ROWS);
            let entries = read.await.map_err(Error::other)?;
            let last = entries.last().filter(|_| entries.len() == ROWS);
            let views: Vec<_> = entries.iter().map(AuditView::of).collect();
            let lines = csv::lines(views.iter().map(AuditView::csv_fields))?;
            Ok((lines, last.map(|entry| entry.id)))
        }
    }))
}
