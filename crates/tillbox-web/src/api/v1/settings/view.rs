//! Settings as they are answered.

use serde::Serialize;
use std::collections::BTreeMap;
use tillbox_core::amount::Amount;
use tillbox_core::currency::Currency;
use tillbox_core::lot::FundingType;
use tillbox_service::{AmountOverrides, Settings, print_amount};
use utoipa::ToSchema;

/// A merchant's settings. Amounts count as the same number in each currency, unless `by_currency` has another.
#[derive(Serialize, ToSchema)]
#[schema(as = Settings)]
pub(crate) struct SettingsView {
    /// The first payment that opens a wallet; null: wallets start active.
    activation_charge: Option<String>,
    /// IANA name.
    time_zone: String,
    /// Whether customers may top up; the API always may.
    allow_top_up: bool,
    /// What the customers' page proposes; amounts outside the limits are not shown.
    top_up_presets: Vec<String>,
    /// The least of one top-up, never under the payment provider's own.
    top_up_minimum: String,
    /// The most of one top-up; null: no limit.
    top_up_maximum: Option<String>,
    /// The balance that credits and top-ups must not pass; null: no limit.
    maximum_balance: Option<String>,
    /// What the customers' page proposes to recharge with.
    auto_recharge_presets: Vec<String>,
    /// What the customers' page proposes to recharge below.
    auto_recharge_threshold_presets: Vec<String>,
    /// Balances below which a wallet counts as low, where the wallet does not say. Zero always does.
    low_balance_thresholds: Vec<String>,
    /// Days after which a lot of that type expires, where the credit does not say.
    credit_expiry_days: BTreeMap<&'static str, Option<i64>>,
    refund_grace_days: i64,
    /// Seconds that a hold lasts where it does not say.
    hold_expires_in: i64,
    /// The debt that forced debits may not pass; null: no limit.
    force_floor: Option<String>,
    /// Whether a dispute freezes the wallet.
    freeze_on_dispute: bool,
    /// Other amounts, by currency: only those that differ.
    by_currency: BTreeMap<String, OverridesView>,
    branding: BrandingView,
    support_email: Option<String>,
    support_url: Option<String>,
}

/// Amounts that differ in one currency.
#[derive(Serialize, ToSchema)]
#[schema(as = CurrencyOverrides)]
pub(crate) struct OverridesView {
    /// Zero: wallets of this currency start active.
    #[serde(skip_serializing_if = "Option::is_none")]
    activation_charge: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_up_presets: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_up_minimum: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_up_maximum: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    maximum_balance: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auto_recharge_presets: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auto_recharge_threshold_presets: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    low_balance_thresholds: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    force_floor: Option<String>,
}

/// How the customers' pages look.
#[derive(Serialize, ToSchema)]
#[schema(as = Branding)]
pub(crate) struct BrandingView {
    /// The name that customers know; null: the merchant's.
    name: Option<String>,
    /// Of the main action; null: ours.
    color: Option<String>,
}

impl SettingsView {
    pub(crate) fn of(settings: &Settings) -> Self {
        let days = |funding: FundingType| {
            (
                funding.name(),
                settings.credit_expiry_days.get(funding.name()).copied(),
            )
        };
        let print_all =
            |amounts: &[Amount]| amounts.iter().map(|amount| print_amount(*amount)).collect();
        let overrides = settings.by_currency.iter();
        Self {
            activation_charge: settings.activation_charge.map(print_amount),
            time_zone: settings.time_zone.clone(),
            allow_top_up: settings.allow_top_up,
            freeze_on_dispute: settings.freeze_on_dispute,
            top_up_presets: print_all(&settings.top_up_presets),
            top_up_minimum: print_amount(settings.top_up_minimum),
            top_up_maximum: settings.top_up_maximum.map(print_amount),
            maximum_balance: settings.maximum_balance.map(print_amount),
            auto_recharge_presets: print_all(&settings.auto_recharge_presets),
            auto_recharge_threshold_presets: print_all(&settings.auto_recharge_threshold_presets),
            low_balance_thresholds: print_all(&settings.low_balance_thresholds),
            credit_expiry_days: FundingType::ALL.into_iter().map(days).collect(),
            refund_grace_days: settings.refund_grace_days,
            hold_expires_in: settings.hold_expires_in,
            force_floor: settings.force_floor.map(print_amount),
            by_currency: overrides
                .map(|(currency, overrides)| {
                    let view = OverridesView::of(overrides, *currency);
                    (currency.code().to_owned(), view)
                })
                .collect(),
            branding: BrandingView {
                name: settings.branding.name.clone(),
                color: settings.branding.color.clone(),
            },
            support_email: settings.support_email.clone(),
            support_url: settings.support_url.clone(),
        }
    }
}

impl OverridesView {
    fn of(overrides: &AmountOverrides, currency: Currency) -> Self {
        let one = |amount: Option<Amount>| amount.map(|amount| amount.display(currency));
        let all = |amounts: &Option<Vec<Amount>>| {
            let amounts = amounts.as_ref()?.iter();
            Some(amounts.map(|amount| amount.display(currency)).collect())
        };
        Self {
            activation_charge: one(overrides.activation_charge),
            top_up_presets: all(&overrides.top_up_presets),
            top_up_minimum: one(overrides.top_up_minimum),
            top_up_maximum: one(overrides.top_up_maximum),
            maximum_balance: one(overrides.maximum_balance),
            auto_recharge_presets: all(&overrides.auto_recharge_presets),
            auto_recharge_threshold_presets: all(&overrides.auto_recharge_threshold_presets),
            low_balance_thresholds: all(&overrides.low_balance_thresholds),
            force_floor: one(overrides.force_floor),
        }
    }
}
