//! A merge patch of the amounts that differ by currency.

use super::patch::{list, one, set};
use crate::api::problem::Problem;
use crate::api::values::{CurrencyCode, Money, NotNegative, Positive, UpTo, patch};
use serde::Deserialize;
use std::collections::BTreeMap;
use tillbox_core::amount::Amount;
use tillbox_core::currency::Currency;
use tillbox_service::AmountOverrides;
use utoipa::ToSchema;

/// Amounts that shall differ in one currency: absent stays, null takes the general one.
#[derive(Deserialize, ToSchema)]
#[schema(as = CurrencyOverridesPatch)]
#[serde(deny_unknown_fields, expecting = "amounts by name")]
#[expect(
    clippy::option_option,
    reason = "absent, null and a value are three things"
)]
pub(super) struct OverridesPatch {
    /// Zero: wallets of this currency start active.
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<NotNegative>)]
    activation_charge: Option<Option<NotNegative>>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<Vec<Positive>>, max_items = 8)]
    top_up_presets: Option<Option<UpTo<8, Positive>>>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<Positive>)]
    top_up_minimum: Option<Option<Positive>>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<Positive>)]
    top_up_maximum: Option<Option<Positive>>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<Positive>)]
    maximum_balance: Option<Option<Positive>>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<Vec<Positive>>, max_items = 8)]
    auto_recharge_presets: Option<Option<UpTo<8, Positive>>>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<Vec<Positive>>, max_items = 8)]
    auto_recharge_threshold_presets: Option<Option<UpTo<8, Positive>>>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<Vec<NotNegative>>, max_items = 8)]
    low_balance_thresholds: Option<Option<UpTo<8, NotNegative>>>,
    #[serde(default, deserialize_with = "patch")]
    #[schema(value_type = Option<NotNegative>)]
    force_floor: Option<Option<NotNegative>>,
}

/// The amounts of one currency, or null: all of it goes back to the general amounts.
#[derive(Deserialize, ToSchema)]
#[schema(value_type = Option<OverridesPatch>)]
pub(super) struct CurrencyPatch(Option<OverridesPatch>);

/// Merges the patches of some currencies. A currency without any amount of its own is left out.
pub(super) fn merge(
    by_currency: &mut BTreeMap<Currency, AmountOverrides>,
    patches: BTreeMap<CurrencyCode, CurrencyPatch>,
) -> Result<(), Problem> {
    for (CurrencyCode(currency), CurrencyPatch(patch)) in patches {
        let mut overrides = by_currency.remove(&currency).unwrap_or_default();
        let Some(patch) = patch else { continue };
        patch.apply(&mut overrides)?;
        if overrides != AmountOverrides::default() {
            by_currency.insert(currency, overrides);
        }
    }
    Ok(())
}

impl OverridesPatch {
    fn apply(self, it: &mut AmountOverrides) -> Result<(), Problem> {
        set(&mut it.activation_charge, one(self.activation_charge)?);
        set(&mut it.top_up_presets, lists(self.top_up_presets)?);
        set(&mut it.top_up_minimum, one(self.top_up_minimum)?);
        set(&mut it.top_up_maximum, one(self.top_up_maximum)?);
        set(&mut it.maximum_balance, one(self.maximum_balance)?);
        set(
            &mut it.auto_recharge_presets,
            lists(self.auto_recharge_presets)?,
        );
        set(
            &mut it.auto_recharge_threshold_presets,
            lists(self.auto_recharge_threshold_presets)?,
        );
        set(
            &mut it.low_balance_thresholds,
            lists(self.low_balance_thresholds)?,
        );
        set(&mut it.force_floor, one(self.force_floor)?);
        Ok(())
    }
}

/// Amounts to choose from that can be cleared.
#[expect(
    clippy::option_option,
    reason = "absent, null and a value are three things"
)]
fn lists<T: Money>(
    field: Option<Option<UpTo<8, T>>>,
) -> Result<Option<Option<Vec<Amount>>>, Problem> {
    field.map(list).transpose()
}
