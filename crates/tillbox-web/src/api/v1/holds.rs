//! Holds: reserved value.

use super::credits::submit;
use super::{Asked, hold_id, note, wallet_id};
use crate::api::answer::{ok, print, raw};
use crate::api::body::Json;
use crate::api::caller::Caller;
use crate::api::fingerprint::Fingerprint;
use crate::api::page::{Listed, Query};
use crate::api::problem::Problem;
use crate::api::values::{Instant, Metadata, Money, Positive, Text};
use axum::extract::{Path, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::sync::Arc;
use tillbox_core::command::{AfterCapture, CaptureHold, Command, Expiry, PlaceHold};
use tillbox_core::currency::Currency;
use tillbox_core::entry::{Entry, EntryKind};
use tillbox_core::hold::HoldStatus;
use tillbox_core::id::{HoldId, InvoiceId};
use tillbox_service::{Service, Settings};
use tillbox_store::sqlite::holds::{HoldFilter, StoredHold};
use utoipa::ToSchema;

/// A hold.
#[derive(Serialize, ToSchema)]
#[schema(as = Hold)]
pub(crate) struct HoldView<'a> {
    id: Option<String>,
    wallet_id: String,
    amount: String,
    currency: String,
    captured: String,
    released: String,
    remaining: String,
    status: &'static str,
    expires_at: String,
    created_at: String,
    invoice_id: Option<String>,
    #[serde(flatten)]
    words: Option<HoldWords<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dry_run: Option<bool>,
}

/// What a hold was placed with. The answers to release and extend are without it.
#[derive(Serialize, ToSchema)]
pub(crate) struct HoldWords<'a> {
    description: Option<&'a str>,
    reference: Option<&'a str>,
    #[schema(value_type = Object, required = false)]
    metadata: &'a RawValue,
}

impl<'a> HoldView<'a> {
    /// As it stood after a row of the log.
    pub(crate) fn of_row(entry: &'a Entry, currency: Currency, dry_run: bool) -> Self {
        let hold = entry
            .event
            .hold
            .as_ref()
            .expect("the row of a hold carries the hold");
        let note = &entry.event.note;
        let words = HoldWords {
            description: note.description.as_deref(),
            reference: note.reference.as_deref(),
            metadata: raw(note.metadata.as_deref()),
        };
        let is_new = entry.event.kind == EntryKind::HoldPlaced;
        Self {
            id: (!(dry_run && is_new)).then(|| hold.id.to_string()),
            wallet_id: entry.wallet_id.to_string(),
            amount: print(hold.amount, currency),
            currency: currency.code().to_owned(),
            captured: print(hold.captured, currency),
            released: print(hold.released, currency),
            remaining: print(hold.remaining(), currency),
            status: hold.status.name(),
            expires_at: hold.expires_at.to_string(),
            created_at: hold.placed_at.to_string(),
            invoice_id: hold.invoice_id.as_ref().map(InvoiceId::to_string),
            words: is_new.then_some(words),
            dry_run: dry_run.then_some(true),
        }
    }

    pub(crate) fn of_stored(stored: &'a StoredHold, wallet: &str, currency: Currency) -> Self {
        let hold = &stored.hold;
        Self {
            id: Some(hold.id.to_string()),
            wallet_id: wallet.to_owned(),
            amount: print(hold.amount, currency),
            currency: currency.code().to_owned(),
            captured: print(hold.captured, currency),
            released: print(hold.released, currency),
            remaining: print(hold.remaining(), currency),
            status: hold.status.name(),
            expires_at: hold.expires_at.to_string(),
            created_at: hold.placed_at.to_string(),
            invoice_id: hold.invoice_id.as_ref().map(InvoiceId::to_string),
            words: Some(HoldWords {
                description: stored.note.description.as_deref(),
                reference: stored.note.reference.as_deref(),
                metadata: raw(stored.note.metadata.as_deref()),
            }),
            dry_run: None,
        }
    }
}

/// What a hold is asked for with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HoldBody {
    amount: Positive,
    /// Seconds; the merchant's setting unless said otherwise. Not together with `expires_at`.
    #[schema(minimum = 1)]
    expires_in: Option<Seconds>,
    expires_at: Option<Instant>,
    invoice_id: Option<String>,
    description: Option<Text<500>>,
    reference: Option<Text<200>>,
    metadata: Option<Metadata>,
    dry_run: Option<bool>,
}

/// A number of seconds from 1 to 30 days.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(try_from = "i64")]
#[schema(value_type = i64)]
pub(crate) struct Seconds(pub(crate) i64);

impl TryFrom<i64> for Seconds {
    type Error = &'static str;

    fn try_from(seconds: i64) -> Result<Self, Self::Error> {
        if (1..=2_592_000).contains(&seconds) {
            Ok(Self(seconds))
        } else {
            Err("must be a number of seconds from 1 to 2592000 (30 days)")
        }
    }
}

fn expiry(
    expires_in: Option<Seconds>,
    expires_at: Option<Instant>,
) -> Result<Option<Expiry>, Problem> {
    match (expires_in, expires_at) {
        (Some(_), Some(_)) => Err(Problem::invalid_field(
            "/expires_at",
            "send expires_in or expires_at, not both",
        )),
        (Some(seconds), None) => Ok(Some(Expiry::InSeconds(seconds.0))),
        (None, Some(at)) => Ok(Some(Expiry::At(at.0))),
        (None, None) => Ok(None),
    }
}

impl HoldBody {
    pub(crate) fn asked(self, settings: &Settings) -> Result<Asked, Problem> {
        let amount = self.amount.amount();
        let expiry = expiry(self.expires_in, self.expires_at)?;
        // Invoices come with a later version: none is known yet.
        let invoice_id = self
            .invoice_id
            .as_deref()
            .map(|_id| Err(Problem::not_found()))
            .transpose()?;
        let note = note(self.description, self.reference, self.metadata);
        let fingerprint = Fingerprint::of("hold")
            .amount("amount", Some(amount))
            .number("expires_in", self.expires_in.map(|seconds| seconds.0))
            .instant("expires_at", self.expires_at.map(|at| at.0))
            .text("invoice_id", self.invoice_id.as_deref())
            .note(&note)
            .finish();
        let hold = PlaceHold {
            amount,
            expiry: expiry.unwrap_or(Expiry::InSeconds(settings.hold_expires_in)),
            invoice_id,
            note,
        };
        Ok(Asked {
            command: Command::PlaceHold(hold),
            fingerprint,
            dry_run: self.dry_run.unwrap_or(false),
            unpriced: None,
        })
    }
}

/// What a capture is asked for with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CaptureBody {
    /// All that remains, unless said otherwise.
    amount: Option<Positive>,
    /// False leaves the rest reserved.
    r#final: Option<bool>,
    description: Option<Text<500>>,
    dry_run: Option<bool>,
}

impl CaptureBody {
    pub(crate) fn asked(self, hold: &str) -> Asked {
        let amount = self.amount.map(Positive::amount);
        let note = note(self.description, None, None);
        let fingerprint = Fingerprint::of("capture")
            .text("hold_id", Some(hold))
            .amount("amount", amount)
            .flag("final", self.r#final)
            .note(&note)
            .finish();
        let after = if self.r#final == Some(false) {
            AfterCapture::StayOpen
        } else {
            AfterCapture::End
        };
        let command = Command::CaptureHold(CaptureHold {
            hold_id: unknown_if_malformed(hold),
            amount,
            after,
            note,
        });
        Asked {
            command,
            fingerprint,
            dry_run: self.dry_run.unwrap_or(false),
            unpriced: None,
        }
    }
}

/// What a release is asked for with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReleaseBody {
    dry_run: Option<bool>,
}

impl ReleaseBody {
    pub(crate) fn asked(&self, hold: &str) -> Asked {
        let fingerprint = Fingerprint::of("release")
            .text("hold_id", Some(hold))
            .finish();
        let command = Command::ReleaseHold {
            hold_id: unknown_if_malformed(hold),
        };
        Asked {
            command,
            fingerprint,
            dry_run: self.dry_run.unwrap_or(false),
            unpriced: None,
        }
    }
}

/// What an extension is asked for with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExtendBody {
    /// Seconds from now. Not together with `expires_at`.
    expires_in: Option<Seconds>,
    expires_at: Option<Instant>,
    dry_run: Option<bool>,
}

/// An id of another form names no hold; the wallet and its replays are looked at first.
fn unknown_if_malformed(hold: &str) -> HoldId {
    HoldId::parse(hold).unwrap_or(HoldId::from_number(0))
}

/// Reserves value.
#[utoipa::path(post, path = "/v1/wallets/{wallet_id}/holds", tag = "moving value", params(("wallet_id" = String, Path), ("Idempotency-Key" = String, Header)),
    request_body = HoldBody, responses((status = 201, body = HoldView)))]
pub(crate) async fn place(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path(wallet): Path<String>,
    Json(body): Json<HoldBody>,
) -> Result<Response, Problem> {
    let asked = body.asked(&service.settings(&caller.principal))?;
    submit(&service, &caller, &wallet, asked).await
}

/// Spends reserved value.
#[utoipa::path(post, path = "/v1/wallets/{wallet_id}/holds/{hold_id}/capture", tag = "moving value",
    params(("wallet_id" = String, Path), ("hold_id" = String, Path), ("Idempotency-Key" = String, Header)),
    request_body = CaptureBody, responses((status = 201, body = super::transactions::TransactionView)))]
pub(crate) async fn capture(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path((wallet, hold)): Path<(String, String)>,
    Json(body): Json<CaptureBody>,
) -> Result<Response, Problem> {
    let asked = body.asked(&hold);
    submit(&service, &caller, &wallet, asked).await
}

/// Gives reserved value back.
#[utoipa::path(post, path = "/v1/wallets/{wallet_id}/holds/{hold_id}/release", tag = "moving value",
    params(("wallet_id" = String, Path), ("hold_id" = String, Path), ("Idempotency-Key" = String, Header)),
    request_body = ReleaseBody, responses((status = 200, body = HoldView)))]
pub(crate) async fn release(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path((wallet, hold)): Path<(String, String)>,
    Json(body): Json<ReleaseBody>,
) -> Result<Response, Problem> {
    submit(&service, &caller, &wallet, body.asked(&hold)).await
}

/// Gives a hold another end.
#[utoipa::path(post, path = "/v1/wallets/{wallet_id}/holds/{hold_id}/extend", tag = "moving value",
    params(("wallet_id" = String, Path), ("hold_id" = String, Path), ("Idempotency-Key" = String, Header)),
    request_body = ExtendBody, responses((status = 200, body = HoldView)))]
pub(crate) async fn extend(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path((wallet, hold)): Path<(String, String)>,
    Json(body): Json<ExtendBody>,
) -> Result<Response, Problem> {
    let expiry = expiry(body.expires_in, body.expires_at)?;
    let expiry = expiry
        .ok_or_else(|| Problem::invalid_field("/expires_in", "send expires_in or expires_at"))?;
    let fingerprint = Fingerprint::of("extend")
        .text("hold_id", Some(&hold))
        .number("expires_in", body.expires_in.map(|seconds| seconds.0))
        .instant("expires_at", body.expires_at.map(|at| at.0))
        .finish();
    let command = Command::ExtendHold {
        hold_id: unknown_if_malformed(&hold),
        expiry,
    };
    submit(
        &service,
        &caller,
        &wallet,
        Asked {
            command,
            fingerprint,
            dry_run: body.dry_run.unwrap_or(false),
            unpriced: None,
        },
    )
    .await
}

/// A hold.
#[utoipa::path(get, path = "/v1/wallets/{wallet_id}/holds/{hold_id}", tag = "holds", params(("wallet_id" = String, Path), ("hold_id" = String, Path)),
    responses((status = 200, body = HoldView)))]
pub(crate) async fn get(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path((wallet, hold)): Path<(String, String)>,
    query: Query,
) -> Result<Response, Problem> {
    query.allow(&[])?;
    let (id, hold) = (wallet_id(&wallet)?, hold_id(&hold)?);
    let currency = service.wallet_currency(&caller.principal, id).await?;
    let stored = service.hold(&caller.principal, id, hold).await?;
    Ok(ok(&HoldView::of_stored(&stored, &wallet, currency)))
}

/// Holds of a wallet, newest first, ended ones too.
#[utoipa::path(get, path = "/v1/wallets/{wallet_id}/holds", tag = "holds",
    params(("wallet_id" = String, Path), ("status" = Option<String>, Query), ("limit" = Option<u32>, Query, minimum = 1, maximum = 100), ("cursor" = Option<String>, Query)),
    responses((status = 200, body = Listed<HoldView>)))]
pub(crate) async fn list(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path(wallet): Path<String>,
    query: Query,
) -> Result<Response, Problem> {
    query.allow(&["status", "limit", "cursor"])?;
    let status = query.one_of("status", &HoldStatus::ALL, HoldStatus::name)?;
    let page = query.page(&format!("holds of {wallet}"))?;
    let id = wallet_id(&wallet)?;
    let currency = service.wallet_currency(&caller.principal, id).await?;
    let before = page.before.map(HoldId::from_number);
    let rows = service
        .holds(
            &caller.principal,
            id,
            HoldFilter { status },
            before,
            page.rows(),
        )
        .await?;
    let all = rows.clone();
    let listed = page.list(rows, |row| row.hold.id.number(), |row| row.hold.id);
    Ok(ok(&listed.map(&all, |row| {
        HoldView::of_stored(row, &wallet, currency)
    })))
}
