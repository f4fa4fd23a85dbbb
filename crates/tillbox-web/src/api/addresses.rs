//! Addresses in bodies that end up in links: only those that a link may hold.

use super::values::read_text;
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

/// An address of mail, as it may stand in a link.
#[derive(Clone, Debug, PartialEq, Eq, ToSchema)]
#[schema(value_type = String, max_length = 254, pattern = r"^[A-Za-z0-9._+-]+@[A-Za-z0-9.-]+$", example = "help@example.com")]
pub(crate) struct MailAddress(pub(crate) String);

impl<'de> Deserialize<'de> for MailAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read_text(deserializer, "an address of mail", |text| {
            let is_word = |text: &str, others: &[u8]| {
                !text.is_empty()
                    && text
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || others.contains(&byte))
            };
            match text.split_once('@') {
                Some((name, host))
                    if text.len() <= 254 && is_word(name, b"._+-") && is_word(host, b".-") =>
                {
                    Ok(Self(text.to_owned()))
                }
                _ => Err("must be an address such as \"help@example.com\"".to_owned()),
            }
        })
    }
}

/// An address on the web, as it may stand in a link: nothing that a browser would run.
#[derive(Clone, Debug, PartialEq, Eq, ToSchema)]
#[schema(value_type = String, max_length = 500, pattern = r"^https?://[!-~]+$", example = "https://example.com/help")]
pub(crate) struct WebAddress(pub(crate) String);

impl<'de> Deserialize<'de> for WebAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read_text(deserializer, "an address on the web", |text| {
            let rest = text
                .strip_prefix("https://")
                .or_else(|| text.strip_prefix("http://"));
            let is_plain =
                |rest: &str| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_graphic());
            if text.len() <= 500 && rest.is_some_and(is_plain) {
                Ok(Self(text.to_owned()))
            } else {
                Err("must be an address such as \"https://example.com/help\", of at most 500 characters".to_owned())
            }
        })
    }
}
