//! The form of a top-up: presets, a free amount, ways to pay, and what comes of each choice.

use super::super::view::{AddFunds, AddFundsForm, Affix, Preset};
use super::visit::{SentFunds, Visit};
use serde_json::json;
use tillbox_core::amount::Amount;
use tillbox_core::wallet::WalletStatus;
use tillbox_service::History;
use tillbox_store::sqlite::payment_methods::PaymentMethodRow;

/// Presets that a form shows: the styles follow so many choices.
const PRESETS: usize = 8;

impl Visit {
    /// The form, with what was sent where something was refused.
    pub(super) fn add_funds(
        &self,
        history: &History,
        methods: &[PaymentMethodRow],
        sent: Option<&SentFunds>,
    ) -> AddFunds {
        if self.wallet.status == WalletStatus::Closed {
            return AddFunds::Off(self.words.top_ups_off_closed());
        }
        if !self.service.settings(self.who()).allow_top_up {
            return AddFunds::Off(self.words.top_ups_off());
        }
        let settings = self.settings();
        let amounts = settings.top_up_presets.iter().copied().take(PRESETS);
        let amounts: Vec<Amount> = amounts.collect();
        let plain = |amount: Amount| amount.display(self.wallet.row.currency);
        let chosen = sent.map_or_else(
            || amounts.get(amounts.len() / 2).map(|amount| plain(*amount)),
            |sent| Some(sent.amount.clone()),
        );
        let presets: Vec<Preset> = amounts
            .iter()
            .map(|amount| {
                let afterwards = self.wallet.balances.available + *amount;
                let charged = self.money.money(*amount);
                let value = plain(*amount);
                Preset {
                    is_chosen: chosen.as_ref() == Some(&value),
                    value,
                    label: self.money.short(*amount).to_string(),
                    bonus: None,
                    charged_plain: charged.to_string(),
                    charged: charged.html(),
                    afterwards: self.money.money(afterwards).html(),
                    lasts: self.lasts(history, afterwards),
                }
            })
            .collect();
        let is_new_method = methods.is_empty() || sent.is_some_and(|sent| sent.method == "new");
        let chosen_method = sent.map(|sent| sent.method.as_str());
        AddFunds::Form(Box::new(AddFundsForm {
            is_other: !presets.iter().any(|preset| preset.is_chosen),
            presets,
            other: sent.map(|sent| sent.other.clone()).unwrap_or_default(),
            other_error: sent.and_then(|sent| sent.amount_error.clone()),
            limits: self.limits(settings.top_up_minimum, settings.top_up_maximum),
            affix: self.affix(),
            methods: self.method_choices(methods, chosen_method),
            is_new_method,
            method_error: sent.and_then(|sent| sent.method_error.clone()),
            saves_card: sent.is_some_and(|sent| sent.saves_card),
            money_form: self.money_form(),
            available_value: self.wallet.balances.available.micros(),
        }))
    }

    /// The currency beside a field.
    pub(super) fn affix(&self) -> Affix {
        let symbol = Some(self.money.symbol());
        if self.money.is_symbol_first() {
            Affix {
                before: symbol,
                behind: None,
            }
        } else {
            Affix {
                before: None,
                behind: symbol,
            }
        }
    }

    /// "From $10.00 to $1,000.00."
    pub(super) fn limits(&self, least: Amount, most: Option<Amount>) -> String {
        let money = |amount| self.money.money(amount);
        match most {
            Some(most) => self.words.between(money(least), money(most)),
            None => self.words.at_least(money(least)),
        }
    }

    /// How the script writes and reads money.
    fn money_form(&self) -> String {
        json!({
            "symbol": self.money.symbol(),
            "code": self.wallet.row.currency.code(),
            "first": self.money.is_symbol_first(),
            "decimal": self.money.decimal_mark(),
            "thousands": self.money.thousands_mark(),
            "digits": self.wallet.row.currency.decimals(),
        })
        .to_string()
    }

    /// What was typed, or what is wrong with it.
    pub(super) fn read_amount(&self, typed: &str) -> Result<Amount, String> {
        self.money.read_or_say(typed, self.words)
    }

    /// Whether a card may be charged so much now, or what is wrong with it.
    pub(super) fn check_charge(&self, amount: Amount) -> Result<(), String> {
        self.check_charge_alone(amount)?;
        let most = self.settings().maximum_balance;
        let balance = self.wallet.balances.balance + self.wallet.balances.pending_top_ups;
        match most.filter(|most| balance.saturating_sub(*most) > -amount) {
            Some(most) => Err(self.words.amount_over_balance(self.money.money(most))),
            None => Ok(()),
        }
    }

    /// Whether one charge may be so much, whatever the balance is.
    pub(super) fn check_charge_alone(&self, amount: Amount) -> Result<(), String> {
        let settings = self.settings();
        let money = |amount| self.money.money(amount);
        let unit = self.wallet.row.currency.minor_unit_micros();
        if amount < settings.top_up_minimum {
            return Err(self.words.amount_too_small(money(settings.top_up_minimum)));
        }
        if let Some(most) = settings.top_up_maximum.filter(|most| amount > *most) {
            return Err(self.words.amount_too_large(money(most)));
        }
        if amount.micros().rem_euclid(unit) != 0 {
            let example = self.money.example();
            return Err(self.words.amount_too_fine(example));
        }
        Ok(())
    }
}
