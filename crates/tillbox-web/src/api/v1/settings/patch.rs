//! A merge patch of settings: absent stays, null clears.

use super::super::holds::Seconds;
use super::overrides::{CurrencyPatch, merge};
use crate::api::addresses::{MailAddress, WebAddress};
use crate::api::problem::Problem;
use crate::api::values::{
    CurrencyCode, HexColor, Money, NotNegative, Positive, UpTo, Words, patch, present,
};
use serde::Deserialize;
use std::collections::BTreeMap;
use tillbox_core::amount::Amount;
use tillbox_core::lot::FundingType;
use tillbox_service::{Branding, Settings};
use utoipa::ToSchema;

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
    #[serde(default, deserialize_with = "present")]
    allow_top_up: Option<bool>,
    /// Whether a dispute freezes the wallet.
    freeze_on_dispute: Option<bool>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Vec<Positive>, max_items = 8)]
    top_up_presets: Option<UpTo<8, Positive>>,
    #[serde(default, deserialize_with = "present")]
    top_up_minimum: Option<Positive>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<Positive>)]
    top_up_maximum: Option<Option<Positive>>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<Positive>)]
    maximum_balance: Option<Option<Positive>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Vec<Positive>, max_items = 8)]
    auto_recharge_presets: Option<UpTo<8, Positive>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Vec<Positive>, max_items = 8)]
    auto_recharge_threshold_presets: Option<UpTo<8, Positive>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Vec<NotNegative>, max_items = 8)]
    low_balance_thresholds: Option<UpTo<8, NotNegative>>,
    #[serde(default, deserialize_with = "present")]
    credit_expiry_days: Option<ExpiryDays>,
    #[serde(default, deserialize_with = "present")]
    refund_grace_days: Option<Days>,
    #[serde(default, deserialize_with = "present")]
    hold_expires_in: Option<Seconds>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<NotNegative>)]
    force_floor: Option<Option<NotNegative>>,
    /// By currency, such as `USD`.
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<BTreeMap<String, CurrencyPatch>>)]
    by_currency: Option<Option<BTreeMap<CurrencyCode, CurrencyPatch>>>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<BrandingPatch>)]
    branding: Option<Option<BrandingPatch>>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<MailAddress>)]
    support_email: Option<Option<MailAddress>>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<WebAddress>)]
    support_url: Option<Option<WebAddress>>,
}

/// How the customers' pages shall look: absent stays, null clears.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "a name and a color")]
#[expect(
    clippy::option_option,
    reason = "absent, null and a value are three things"
)]
pub(crate) struct BrandingPatch {
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<String>)]
    name: Option<Option<Words<60>>>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<HexColor>)]
    color: Option<Option<HexColor>>,
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

impl SettingsPatch {
    /// The settings with the patch merged in.
    pub(crate) fn apply(self, mut settings: Settings) -> Result<Settings, Problem> {
        if let Some(zone) = &self.time_zone
            && jiff::tz::TimeZone::get(&zone.0).is_err()
        {
            return Err(Problem::invalid_field(
                "/time_zone",
                "must be a time zone such as \"Europe/Berlin\"",
            ));
        }
        let it = &mut settings;
        set(&mut it.activation_charge, one(self.activation_charge)?);
        set(&mut it.time_zone, self.time_zone.map(|zone| zone.0));
        set(&mut it.allow_top_up, self.allow_top_up);
        set(&mut it.top_up_presets, list(self.top_up_presets)?);
        set(
            &mut it.top_up_minimum,
            self.top_up_minimum.map(Money::get).transpose()?,
        );
        set(&mut it.top_up_maximum, one(self.top_up_maximum)?);
        set(&mut it.maximum_balance, one(self.maximum_balance)?);
        set(
            &mut it.auto_recharge_presets,
            list(self.auto_recharge_presets)?,
        );
        set(
            &mut it.auto_recharge_threshold_presets,
            list(self.auto_recharge_threshold_presets)?,
        );
        set(
            &mut it.low_balance_thresholds,
            list(self.low_balance_thresholds)?,
        );
        for (funding, days) in self.credit_expiry_days.into_iter().flat_map(by_funding) {
            match days {
                Some(Days(days)) => drop(it.credit_expiry_days.insert(funding.name(), days)),
                None => drop(it.credit_expiry_days.remove(funding.name())),
            }
        }
        let grace_days = self.refund_grace_days.map(|days| days.0);
        set(&mut it.refund_grace_days, grace_days);
        let seconds = self.hold_expires_in.map(|seconds| seconds.0);
        set(&mut it.hold_expires_in, seconds);
        set(&mut it.force_floor, one(self.force_floor)?);
        set(&mut it.freeze_on_dispute, self.freeze_on_dispute);
        match self.by_currency {
            Some(Some(by_currency)) => merge(&mut it.by_currency, by_currency)?,
            Some(None) => it.by_currency.clear(),
            None => {}
        }
        match self.branding {
            Some(Some(branding)) => branding.apply(&mut it.branding),
            Some(None) => it.branding = Branding::default(),
            None => {}
        }
        let email = self.support_email.map(|email| email.map(|email| email.0));
        set(&mut it.support_email, email);
        let url = self.support_url.map(|url| url.map(|url| url.0));
        set(&mut it.support_url, url);
        Ok(settings)
    }
}

impl BrandingPatch {
    fn apply(self, branding: &mut Branding) {
        set(
            &mut branding.name,
            self.name.map(|name| name.map(|name| name.0)),
        );
        let color = self.color.map(|color| color.map(|color| color.0));
        set(&mut branding.color, color);
    }
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

/// Puts a new value in its place, if there is one.
pub(super) fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

/// An amount that can be cleared.
#[expect(
    clippy::option_option,
    reason = "absent, null and a value are three things"
)]
pub(super) fn one<T: Money>(field: Option<Option<T>>) -> Result<Option<Option<Amount>>, Problem> {
    field
        .map(|value| value.map(Money::get).transpose())
        .transpose()
}

/// Amounts to choose from: each once, in the order given.
pub(super) fn list<T: Money>(field: Option<UpTo<8, T>>) -> Result<Option<Vec<Amount>>, Problem> {
    let Some(UpTo(amounts)) = field else {
        return Ok(None);
    };
    let mut kept = Vec::with_capacity(amounts.len());
    for amount in amounts {
        let amount = amount.get()?;
        if !kept.contains(&amount) {
            kept.push(amount);
        }
    }
    Ok(Some(kept))
}
