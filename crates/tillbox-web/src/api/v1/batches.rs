//! Batches: many operations in one request, each standing alone.

use super::credits::CreditBody;
use super::debits::DebitBody;
use super::holds::{CaptureBody, HoldBody, ReleaseBody};
use super::usage::UsageBody;
use super::{Asked, printed, wallet_id};
use crate::api::answer::json;
use crate::api::body::{BatchBytes, parse, shape_problem};
use crate::api::caller::{Caller, Scope, is_key, stamp};
use crate::api::problem::Problem;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::de::value::MapDeserializer;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;
use std::io::Write;
use std::sync::Arc;
use tillbox_core::id::WalletId;
use tillbox_service::{Operation, Outcome, PriceError, Service, ServiceError};
use utoipa::ToSchema;

/// Operations that one batch may hold.
const OPERATIONS: usize = 1_000;

/// A batch, its operations not parsed yet: one that is wrong fails alone.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope<'a> {
    #[serde(borrow)]
    operations: Vec<&'a RawValue>,
}

/// Operations: each with the fields of the call of its name, `wallet_id`, `idempotency_key`, and `hold_id` where a hold is meant.
#[derive(ToSchema)]
#[schema(as = Batch)]
#[expect(dead_code, reason = "it only describes the form")]
pub(crate) struct BatchForm {
    #[schema(max_items = 1000)]
    operations: Vec<OperationForm>,
}

/// One operation; the fields of its call stand beside these.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes the form")]
pub(crate) struct OperationForm {
    op: OperationName,
    wallet_id: String,
    idempotency_key: Option<String>,
    hold_id: Option<String>,
}

/// What an operation does.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "it only describes the form")]
pub(crate) enum OperationName {
    Debit,
    Credit,
    Hold,
    Capture,
    Release,
    Usage,
}

/// Answers in the order of the operations.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes the form")]
pub(crate) struct BatchResults {
    results: Vec<BatchResult>,
}

/// The answer that the operation would have had alone.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes the form")]
pub(crate) struct BatchResult {
    status: u16,
    replayed: bool,
    body: serde_json::Value,
}

/// The fields of an object, in order, not parsed yet.
struct Fields<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;

        impl<'de> Visitor<'de> for Collect {
            type Value = Fields<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::with_capacity(8);
                while let Some((name, value)) = map.next_entry::<Name<'de>, &'de RawValue>()? {
                    fields.push((name.0, value));
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(Collect)
    }
}

/// A name that is borrowed unless it holds escapes.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'a> Fields<'a> {
    /// Takes a text out of the fields.
    fn take(&mut self, name: &str) -> Result<Option<Cow<'a, str>>, Problem> {
        let Some(place) = self.0.iter().position(|(field, _)| field == name) else {
            return Ok(None);
        };
        let (_, value) = self.0.remove(place);
        let text: Name<'a> = serde_json::from_str(value.get())
            .map_err(|_no_text| Problem::invalid_field(format!("/{name}"), "must be a text"))?;
        Ok(Some(text.0))
    }

    fn require(&mut self, name: &str) -> Result<Cow<'a, str>, Problem> {
        self.take(name)?.ok_or_else(|| {
            Problem::invalid_field(format!("/{name}"), format!("missing field `{name}`"))
        })
    }

    /// What is left, as the body of the operation's own call.
    fn body<T: DeserializeOwned>(self) -> Result<T, Problem> {
        let fields = self.0.iter().map(|(name, value)| (name.as_ref(), *value));
        let deserializer: MapDeserializer<'_, _, serde_json::Error> = MapDeserializer::new(fields);
        serde_path_to_error::deserialize(deserializer)
            .map_err(|error| shape_problem(error.path(), error.inner()))
    }
}

/// Runs up to 1,000 operations; those of one wallet in the order given.
#[utoipa::path(post, path = "/v1/batches", tag = "moving value", request_body = BatchForm, responses((status = 200, body = BatchResults)))]
pub(crate) async fn create(
    State(service): State<Arc<Service>>,
    caller: Caller,
    BatchBytes(bytes): BatchBytes,
) -> Result<Response, Problem> {
    let bytes = if bytes.is_empty() {
        b"{}".as_slice()
    } else {
        &bytes
    };
    let envelope: Envelope<'_> = parse_envelope(bytes)?;
    if !(1..=OPERATIONS).contains(&envelope.operations.len()) {
        return Err(Problem::invalid_field(
            "/operations",
            "must hold 1 to 1000 operations",
        ));
    }
    let mut results: Vec<Option<Result<(Outcome, bool), Problem>>> =
        Vec::with_capacity(envelope.operations.len());
    let mut operations = Vec::with_capacity(envelope.operations.len());
    let mut told = Vec::with_capacity(envelope.operations.len());
    for raw in &envelope.operations {
        match operation(&service, &caller, raw).await {
            Ok((operation, dry_run, unpriced)) => {
                operations.push(operation);
                told.push((dry_run, unpriced));
                results.push(None);
            }
            Err(problem) => results.push(Some(Err(problem))),
        }
    }
    let outcomes = service.submit_many(&caller.principal, operations).await;
    let mut outcomes = outcomes.into_iter().zip(told);
    for slot in results.iter_mut().filter(|slot| slot.is_none()) {
        let (outcome, (dry_run, unpriced)) = outcomes
            .next()
            .unwrap_or((Err(ServiceError::OutcomeUnknown), (false, None)));
        *slot = Some(
            outcome
                .map(|outcome| (outcome, dry_run))
                .map_err(|error| Asked::problem(unpriced, error)),
        );
    }
    print_results(results.into_iter().flatten().collect())
}

fn parse_envelope(bytes: &[u8]) -> Result<Envelope<'_>, Problem> {
    match serde_json::from_slice(bytes) {
        Ok(envelope) => Ok(envelope),
        // The same error, with a pointer to where it is.
        Err(_error) => {
            parse::<PointedEnvelope>(bytes)?;
            Err(Problem::invalid_field(
                "",
                "the batch has a form that is not understood",
            ))
        }
    }
}

/// The envelope again, to find where it is wrong.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only its shape is tried")]
struct PointedEnvelope {
    operations: Vec<serde_json::Value>,
}

async fn operation(
    service: &Service,
    caller: &Caller,
    raw: &RawValue,
) -> Result<(Operation, bool, Option<PriceError>), Problem> {
    let mut fields: Fields<'_> = serde_json::from_str(raw.get())
        .map_err(|_no_object| Problem::invalid_field("", "an operation must be an object"))?;
    let op = fields.require("op")?;
    let wallet = fields.require("wallet_id")?;
    let key = fields.take("idempotency_key")?;
    if key.as_deref().is_some_and(|key| !is_key(key)) {
        return Err(Problem::invalid_field(
            "/idempotency_key",
            "must have 1 to 255 printable ASCII characters",
        ));
    }
    let asked = asked(service, caller, &op, &wallet, fields, key.is_some()).await?;
    let wallet_id = wallet_id(&wallet)?;
    let key = match &key {
        _ if asked.dry_run => None,
        None => return Err(Problem::key_required()),
        Some(key) => Some(stamp(Scope::Wallet(wallet_id), key, asked.fingerprint)),
    };
    let mode = asked.mode();
    Ok((
        Operation {
            wallet_id,
            command: asked.command,
            key,
            mode,
        },
        asked.dry_run,
        asked.unpriced,
    ))
}

async fn asked(
    service: &Service,
    caller: &Caller,
    op: &str,
    wallet: &str,
    mut fields: Fields<'_>,
    has_key: bool,
) -> Result<Asked, Problem> {
    let settings = service
        .settings_for(&caller.principal, WalletId::parse(wallet).ok())
        .await;
    match op {
        "debit" => Ok(fields.body::<DebitBody>()?.asked(&settings)),
        "credit" => Ok(fields.body::<CreditBody>()?.asked(&settings)),
        "hold" => fields.body::<HoldBody>()?.asked(&settings),
        "capture" => {
            let hold = fields.require("hold_id")?;
            Ok(fields.body::<CaptureBody>()?.asked(&hold))
        }
        "release" => {
            let hold = fields.require("hold_id")?;
            Ok(fields.body::<ReleaseBody>()?.asked(&hold))
        }
        "usage" => {
            let usage = fields.body::<UsageBody>()?;
            if !has_key && !usage.is_dry_run() {
                return Err(Problem::key_required());
            }
            usage
                .asked(service, &caller.principal, wallet_id(wallet)?)
                .await
        }
        _ => Err(Problem::invalid_field(
            "/op",
            "must be one of debit, credit, hold, capture, release, usage",
        )),
    }
}

fn print_results(results: Vec<Result<(Outcome, bool), Problem>>) -> Result<Response, Problem> {
    let mut body = Vec::with_capacity(results.len() * 800);
    body.extend_from_slice(br#"{"results":["#);
    for (place, result) in results.into_iter().enumerate() {
        if place > 0 {
            body.push(b',');
        }
        let (status, answer, replayed) = match &result {
            Ok((outcome, dry_run)) => printed(outcome, *dry_run),
            Err(problem) => (
                problem.status.as_u16(),
                problem.to_json().to_string().into_bytes(),
                false,
            ),
        };
        write!(body, r#"{{"status":{status},"replayed":{replayed},"body":"#)
            .map_err(|_full| Problem::internal())?;
        body.extend_from_slice(&answer);
        body.push(b'}');
    }
    body.extend_from_slice(b"]}");
    Ok(json(StatusCode::OK, body))
}
