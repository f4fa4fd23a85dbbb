//! Prices: what usage costs.

use crate::api::answer::{bytes, ok, print, stored};
use crate::api::body::Json;
use crate::api::caller::{Caller, Scope};
use crate::api::fingerprint::Fingerprint;
use crate::api::page::{Listed, Query};
use crate::api::problem::Problem;
use crate::api::values::{CurrencyCode, Money, NotNegative, Text, Words};
use axum::extract::{Path, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tillbox_core::id::PriceId;
use tillbox_core::rating::Rounding;
use tillbox_service::{NewPrice, Service};
use tillbox_store::sqlite::prices::PriceRow;
use utoipa::ToSchema;

/// A price.
#[derive(Serialize, ToSchema)]
#[schema(as = Price)]
pub(crate) struct PriceView {
    id: String,
    key: String,
    unit: String,
    unit_amount: String,
    currency: String,
    /// For how many units `unit_amount` is; of minutes and hours: seconds.
    per: i64,
    billing_increment: i64,
    minimum_units: i64,
    rounding: &'static str,
    meter: String,
    description: Option<String>,
    billing_note: Option<String>,
    /// Its number among the versions of its key and currency.
    version: i64,
    created_at: String,
}

impl PriceView {
    fn of(row: &PriceRow) -> Self {
        Self {
            id: row.id.to_string(),
            key: row.key.clone(),
            unit: row.unit.clone(),
            unit_amount: print(row.unit_amount, row.currency),
            currency: row.currency.code().to_owned(),
            per: row.per,
            billing_increment: row.billing_increment,
            minimum_units: row.minimum_units,
            rounding: row.rounding.name(),
            meter: row.meter.clone(),
            description: row.description.clone(),
            billing_note: row.billing_note.clone(),
            version: row.version,
            created_at: row.created_at.to_string(),
        }
    }
}

/// A number of units from 1 to 10¹².
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(try_from = "i64")]
#[schema(value_type = i64)]
pub(crate) struct Units(i64);

/// A number of units from 0 to 10¹².
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(try_from = "i64")]
#[schema(value_type = i64)]
pub(crate) struct UnitsOrNone(i64);

const MAX_UNITS: i64 = 1_000_000_000_000;

impl TryFrom<i64> for Units {
    type Error = &'static str;

    fn try_from(units: i64) -> Result<Self, Self::Error> {
        if (1..=MAX_UNITS).contains(&units) {
            Ok(Self(units))
        } else {
            Err("must be a whole number from 1 to 1000000000000")
        }
    }
}

impl TryFrom<i64> for UnitsOrNone {
    type Error = &'static str;

    fn try_from(units: i64) -> Result<Self, Self::Error> {
        if (0..=MAX_UNITS).contains(&units) {
            Ok(Self(units))
        } else {
            Err("must be a whole number from 0 to 1000000000000")
        }
    }
}

/// How a cost between two micro-units is rounded.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RoundingWord {
    /// To the nearer one, a half upwards.
    HalfUp,
    /// Upwards.
    Up,
    /// Downwards.
    Down,
}

/// What a price is made with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PriceBody {
    /// Such as `whatsapp.marketing`; the same key and currency make the next version.
    key: Words<100>,
    /// What is counted. Of `minute` and `hour`, quantities are in seconds.
    unit: Words<50>,
    unit_amount: NotNegative,
    currency: CurrencyCode,
    per: Option<Units>,
    billing_increment: Option<Units>,
    minimum_units: Option<UnitsOrNone>,
    rounding: Option<RoundingWord>,
    /// What its units are counted as; the key unless said otherwise.
    meter: Option<Words<100>>,
    description: Option<Text<500>>,
    billing_note: Option<Text<500>>,
}

impl PriceBody {
    fn rounding(&self) -> Option<Rounding> {
        self.rounding.map(|word| match word {
            RoundingWord::HalfUp => Rounding::HalfUp,
            RoundingWord::Up => Rounding::Up,
            RoundingWord::Down => Rounding::Down,
        })
    }

    /// Seconds in a minute or an hour (R4).
    fn per(&self) -> i64 {
        let of_unit = match self.unit.0.as_str() {
            "minute" => 60,
            "hour" => 3_600,
            _ => 1,
        };
        self.per.map_or(of_unit, |units| units.0)
    }
}

/// Makes a price, or the next version of one.
#[utoipa::path(post, path = "/v1/prices", tag = "prices and usage", params(("Idempotency-Key" = Option<String>, Header)),
    request_body = PriceBody, responses((status = 201, body = PriceView)))]
pub(crate) async fn create(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Json(body): Json<PriceBody>,
) -> Result<Response, Problem> {
    let unit_amount = body.unit_amount.get()?;
    let fingerprint = Fingerprint::of("price")
        .text("key", Some(&body.key.0))
        .text("unit", Some(&body.unit.0))
        .amount("unit_amount", Some(unit_amount))
        .text("currency", Some(body.currency.0.code()))
        .number("per", body.per.map(|units| units.0))
        .number(
            "billing_increment",
            body.billing_increment.map(|units| units.0),
        )
        .number("minimum_units", body.minimum_units.map(|units| units.0))
        .text("rounding", body.rounding().map(Rounding::name))
        .text("meter", body.meter.as_ref().map(|meter| meter.0.as_str()))
        .text(
            "description",
            body.description.as_ref().map(|text| text.0.as_str()),
        )
        .text(
            "billing_note",
            body.billing_note.as_ref().map(|text| text.0.as_str()),
        )
        .finish();
    let key = caller.optional_key(Scope::Merchant(caller.principal.merchant_id), fingerprint)?;
    let new = NewPrice {
        currency: body.currency.0,
        unit_amount,
        per: body.per(),
        billing_increment: body.billing_increment.map_or(1, |units| units.0),
        minimum_units: body.minimum_units.map_or(0, |units| units.0),
        rounding: body.rounding().unwrap_or_default(),
        key: body.key.0,
        unit: body.unit.0,
        meter: body.meter.map(|meter| meter.0),
        description: body.description.map(|text| text.0),
        billing_note: body.billing_note.map(|text| text.0),
    };
    stored(
        service
            .create_price(&caller.principal, new, key, |row| {
                bytes(&PriceView::of(row))
            })
            .await?,
    )
}

/// Current prices, newest first.
#[utoipa::path(get, path = "/v1/prices", tag = "prices and usage", params(("limit" = Option<u32>, Query, minimum = 1, maximum = 100), ("cursor" = Option<String>, Query)),
    responses((status = 200, body = Listed<PriceView>)))]
pub(crate) async fn list(
    State(service): State<Arc<Service>>,
    caller: Caller,
    query: Query,
) -> Result<Response, Problem> {
    query.allow(&["limit", "cursor"])?;
    let page = query.page("prices")?;
    let rows = service
        .prices(
            &caller.principal,
            page.before.map(PriceId::from_number),
            page.rows(),
        )
        .await?;
    Ok(ok(&page.list(rows, |row| row.id.number(), PriceView::of)))
}

/// A price of any version.
#[utoipa::path(get, path = "/v1/prices/{price_id}", tag = "prices and usage", params(("price_id" = String, Path)), responses((status = 200, body = PriceView)))]
pub(crate) async fn get(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Path(id): Path<String>,
    query: Query,
) -> Result<Response, Problem> {
    query.allow(&[])?;
    let id = PriceId::parse(&id).map_err(|_malformed| Problem::not_found())?;
    Ok(ok(&PriceView::of(
        &service.price(&caller.principal, id).await?,
    )))
}
