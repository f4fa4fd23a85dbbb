//! The merchant's settings.

use crate::api::answer::ok;
use crate::api::body::Json;
use crate::api::caller::Caller;
use crate::api::page::Query;
use crate::api::problem::Problem;
use crate::api::values::{Money, NotNegative, Positive, Words, patch, present};
use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use tillbox_core::lot::FundingType;
use tillbox_service::{Service, ServiceError, Settings, print_amount};
use utoipa::ToSchema;

/// A merchant's settings. Amounts count as the same number in each currency.
#[derive(Serialize, ToSchema)]
#[schema(as = Settings)]
pub(crate) struct SettingsView {
    /// The first payment that opens a wallet; null: wallets start active.
    activation_charge: Option<String>,
    /// IANA name.
    time_zone: String,
    maximum_balance: Option<String>,
    /// Days after which a lot of that type expires, where the credit does not say.
    credit_expiry_days: BTreeMap<&'static str, Option<i64>>,
    refund_grace_days: i64,
    /// Seconds that a hold lasts where it does not say.
    hold_expires_in: i64,
    /// The debt that forced debits may not pass; null: no limit.
    force_floor: Option<String>,
    support_email: Option<String>,
    support_url: Option<String>,
}

impl SettingsView {
    fn of(settings: &Settings) -> Self {
        let days = |funding: FundingType| {
            (
                funding.name(),
                settings.credit_expiry_days.get(funding.name()).copied(),
            )
        };
        Self {
            activation_charge: settings.activation_charge.map(print_amount),
            time_zone: settings.time_zone.clone(),
            maximum_balance: settings.maximum_balance.map(print_amount),
            credit_expiry_days: FundingType::ALL.into_iter().map(days).collect(),
            refund_grace_days: settings.refund_grace_days,
            hold_expires_in: settings.hold_expires_in,
            force_floor: settings.force_floor.map(print_amount),
            support_email: settings.support_email.clone(),
            support_url: settings.support_url.clone(),
        }
    }
}

/// What changes: absent stays, null clears.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(
    clippy::option_option,
    reason = "absent, null and a value are three things"
)]
pub(crate) struct SettingsPatch {
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<Positive>)]
    activation_charge: Option<Option<Positive>>,
    #[serde(default, deserialize_with = "present")]
    time_zone: Option<Words<60>>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<Positive>)]
    maximum_balance: Option<Option<Positive>>,
    #[serde(default, deserialize_with = "present")]
    credit_expiry_days: Option<ExpiryDays>,
    #[serde(default, deserialize_with = "present")]
    refund_grace_days: Option<Days>,
    #[serde(default, deserialize_with = "present")]
    hold_expires_in: Option<super::holds::Seconds>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<NotNegative>)]
    force_floor: Option<Option<NotNegative>>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<String>)]
    support_email: Option<Option<Words<254>>>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<String>)]
    support_url: Option<Option<Words<500>>>,
}

/// Days by funding type: absent stays, null never expires.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "days by funding type")]
#[expect(
    clippy::option_option,
    reason = "absent, null and a value are three things"
)]
pub(crate) struct ExpiryDays {
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<i64>)]
    cash: Option<Option<Days>>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<i64>)]
    promotional: Option<Option<Days>>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<i64>)]
    code_redemption: Option<Option<Days>>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<i64>)]
    refund: Option<Option<Days>>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<i64>)]
    manual_adjustment: Option<Option<Days>>,
}

/// A number of days from 1 to 3650.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(try_from = "i64")]
#[schema(value_type = i64)]
pub(crate) struct Days(i64);

impl TryFrom<i64> for Days {
    type Error = &'static str;

    fn try_from(days: i64) -> Result<Self, Self::Error> {
        if (1..=3_650).contains(&days) {
            Ok(Self(days))
        } else {
            Err("must be a number of days from 1 to 3650")
        }
    }
}

/// The settings that hold.
#[utoipa::path(get, path = "/v1/settings", tag = "settings", responses((status = 200, body = SettingsView)))]
pub(crate) async fn get(
    State(service): State<Arc<Service>>,
    caller: Caller,
    query: Query,
) -> Result<Response, Problem> {
    query.allow(&[])?;
    Ok(ok(&SettingsView::of(&service.settings(&caller.principal))))
}

/// Changes settings.
#[utoipa::path(patch, path = "/v1/settings", tag = "settings", request_body = SettingsPatch, responses((status = 200, body = SettingsView)))]
pub(crate) async fn change(
    State(service): State<Arc<Service>>,
    caller: Caller,
    Json(body): Json<SettingsPatch>,
) -> Result<Response, Problem> {
    let activation_charge = amount(body.activation_charge, Positive::get)?;
    let maximum_balance = amount(body.maximum_balance, Positive::get)?;
    let force_floor = amount(body.force_floor, NotNegative::get)?;
    let change = |mut settings: Settings| {
        if let Some(zone) = body.time_zone {
            if jiff::tz::TimeZone::get(&zone.0).is_err() {
                return Err(ServiceError::Invalid {
                    pointer: "/time_zone",
                    message: "must be a time zone such as \"Europe/Berlin\"",
                });
            }
            settings.time_zone = zone.0;
        }
        settings.activation_charge = activation_charge.unwrap_or(settings.activation_charge);
        settings.maximum_balance = maximum_balance.unwrap_or(settings.maximum_balance);
        settings.force_floor = force_floor.unwrap_or(settings.force_floor);
        settings.refund_grace_days = body
            .refund_grace_days
            .map_or(settings.refund_grace_days, |days| days.0);
        settings.hold_expires_in = body
            .hold_expires_in
            .map_or(settings.hold_expires_in, |seconds| seconds.0);
        settings.support_email = body
            .support_email
            .map_or(settings.support_email, |email| email.map(|email| email.0));
        settings.support_url = body
            .support_url
            .map_or(settings.support_url, |url| url.map(|url| url.0));
        for (funding, days) in body.credit_expiry_days.into_iter().flat_map(by_funding) {
            match days {
                Some(Days(days)) => drop(settings.credit_expiry_days.insert(funding.name(), days)),
                None => drop(settings.credit_expiry_days.remove(funding.name())),
            }
        }
        Ok(settings)
    };
    let settings = service.update_settings(&caller.principal, change).await?;
    Ok(ok(&SettingsView::of(&settings)))
}

#[expect(
    clippy::option_option,
    reason = "absent, null and a value are three things"
)]
fn amount<T>(
    field: Option<Option<T>>,
    get: fn(T) -> Result<tillbox_core::amount::Amount, Problem>,
) -> Result<Option<Option<tillbox_core::amount::Amount>>, Problem> {
    field.map(|value| value.map(get).transpose()).transpose()
}

fn by_funding(days: ExpiryDays) -> impl Iterator<Item = (FundingType, Option<Days>)> {
    let all = [
        (FundingType::Cash, days.cash),
        (FundingType::Promotional, days.promotional),
        (FundingType::CodeRedemption, days.code_redemption),
        (FundingType::Refund, days.refund),
        (FundingType::ManualAdjustment, days.manual_adjustment),
    ];
    all.into_iter()
        .filter_map(|(funding, days)| Some((funding, days?)))
}
