//! The stored form of settings: JSON, with amounts as decimal strings.

use super::{AmountOverrides, Settings, print_amount};
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;
use tillbox_core::amount::Amount;
use tillbox_core::currency::Currency;
use tillbox_core::lot::FundingType;

/// Stored settings that can't be read.
#[derive(Clone, Debug, thiserror::Error)]
#[error("stored settings are not readable: {0}")]
pub struct UnreadableSettings(String);

impl Settings {
    /// The text for the store.
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).expect("settings are plain values")
    }

    /// Back from the store.
    pub fn from_text(text: &str) -> Result<Self, UnreadableSettings> {
        serde_json::from_str(text).map_err(|why| UnreadableSettings(why.to_string()))
    }
}

/// A value that is stored in another form.
pub(super) trait Stored: Sized {
    type Form: Serialize + DeserializeOwned;

    fn form(&self) -> Self::Form;
    fn read(form: Self::Form) -> Result<Self, String>;
}

/// For `#[serde(with = "stored")]`.
pub(super) fn serialize<T: Stored, S: Serializer>(
    value: &T,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    value.form().serialize(serializer)
}

/// For `#[serde(with = "stored")]`.
pub(super) fn deserialize<'de, T: Stored, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    T::read(T::Form::deserialize(deserializer)?).map_err(D::Error::custom)
}

impl Stored for Amount {
    type Form = String;

    fn form(&self) -> String {
        print_amount(*self)
    }

    fn read(form: String) -> Result<Self, String> {
        Self::parse(&form).map_err(|why| format!("an amount {why}"))
    }
}

impl<T: Stored> Stored for Option<T> {
    type Form = Option<T::Form>;

    fn form(&self) -> Self::Form {
        self.as_ref().map(T::form)
    }

    fn read(form: Self::Form) -> Result<Self, String> {
        form.map(T::read).transpose()
    }
}

impl<T: Stored> Stored for Vec<T> {
    type Form = Vec<T::Form>;

    fn form(&self) -> Self::Form {
        self.iter().map(T::form).collect()
    }

    fn read(form: Self::Form) -> Result<Self, String> {
        form.into_iter().map(T::read).collect()
    }
}

impl Stored for BTreeMap<&'static str, i64> {
    type Form = BTreeMap<String, i64>;

    fn form(&self) -> Self::Form {
        let days = self.iter();
        days.map(|(funding, days)| ((*funding).to_owned(), *days))
            .collect()
    }

    fn read(form: Self::Form) -> Result<Self, String> {
        let names = FundingType::ALL.into_iter().map(FundingType::name);
        Ok(names
            .filter_map(|name| Some((name, *form.get(name)?)))
            .collect())
    }
}

impl Stored for BTreeMap<Currency, AmountOverrides> {
    type Form = BTreeMap<String, AmountOverrides>;

    fn form(&self) -> Self::Form {
        let overrides = self.iter();
        overrides
            .map(|(currency, overrides)| (currency.code().to_owned(), overrides.clone()))
            .collect()
    }

    fn read(form: Self::Form) -> Result<Self, String> {
        form.into_iter()
            .map(|(code, overrides)| {
                let currency = Currency::parse(&code).map_err(|why| format!("{code} {why}"))?;
                Ok((currency, overrides))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Branding;

    #[test]
    fn settings_read_back_as_they_were_written() {
        let yen = Currency::parse("JPY").expect("a currency");
        let overrides = AmountOverrides {
            top_up_presets: Some(vec![Amount::from_micros(500_000_000)]),
            force_floor: Some(Amount::ZERO),
            ..AmountOverrides::default()
        };
        let settings = Settings {
            activation_charge: Some(Amount::from_micros(125_000_000)),
            top_up_maximum: None,
            credit_expiry_days: BTreeMap::from([("promotional", 90)]),
            force_floor: Some(Amount::ZERO),
            by_currency: BTreeMap::from([(yen, overrides)]),
            branding: Branding {
                name: Some("Aurora Hotels".to_owned()),
                color: Some("#0a7d5a".to_owned()),
            },
            support_email: Some("help@example.com".to_owned()),
            ..Settings::default()
        };
        assert_eq!(
            Settings::from_text(&settings.to_text()).expect("readable"),
            settings
        );
    }

    #[test]
    fn what_is_missing_has_its_default_and_null_has_none() {
        let read = |text| Settings::from_text(text).expect("readable");
        assert_eq!(read("{}"), Settings::default());
        let unlimited = Settings {
            top_up_maximum: None,
            ..Settings::default()
        };
        assert_eq!(read(r#"{"top_up_maximum":null}"#), unlimited);
    }

    #[test]
    fn corrupt_settings_are_told_and_never_guessed() {
        for text in [
            r#"{"top_up_minimum":"ten"}"#,
            r#"{"top_up_minimum":null}"#,
            r#"{"by_currency":{"XXX":{}}}"#,
            "12",
        ] {
            assert!(Settings::from_text(text).is_err(), "{text}");
        }
    }
}
