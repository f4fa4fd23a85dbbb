//! The caller's own data of customers and wallets: a flat JSON object, changed by merging (RFC 7396).

use crate::error::ServiceError;
use serde_json::{Map, Value};

/// Names that the data of one thing may have.
const MAX_NAMES: usize = 50;

/// What changes of the data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MetadataChange {
    /// All of it goes.
    Clear,
    /// A JSON object: its names are set, those that are null go, all others stay.
    Merge(String),
}

impl MetadataChange {
    /// What is kept after the change. Asked inside the write, so that two changes at once lose nothing.
    pub(crate) fn apply(self, kept: &str) -> Result<String, ServiceError> {
        let Self::Merge(change) = self else {
            return Ok("{}".to_owned());
        };
        let mut merged = read(kept);
        for (name, value) in read(&change) {
            if value.is_null() {
                drop(merged.remove(&name));
            } else {
                drop(merged.insert(name, value));
            }
        }
        if merged.len() > MAX_NAMES {
            return Err(ServiceError::Invalid {
                pointer: "/metadata",
                message: "must have at most 50 keys",
            });
        }
        Ok(Value::Object(merged).to_string())
    }
}

fn read(text: &str) -> Map<String, Value> {
    serde_json::from_str(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_set_taken_away_or_left() {
        let kept = r#"{"a":"1","b":"2"}"#;
        for (change, expected) in [
            ("{}", kept),
            (r#"{"a":null,"c":3,"d":null}"#, r#"{"b":"2","c":3}"#),
            (r#"{"b":true}"#, r#"{"a":"1","b":true}"#),
        ] {
            let merged = MetadataChange::Merge(change.to_owned()).apply(kept);
            assert_eq!(merged.expect("few names"), expected, "{change}");
        }
        let cleared = MetadataChange::Clear.apply(kept);
        assert_eq!(cleared.expect("no names"), "{}");
    }

    #[test]
    fn merging_may_not_pass_fifty_names() {
        let names = |range: std::ops::Range<u32>| {
            let names: Vec<String> = range.map(|name| format!(r#""{name}":1"#)).collect();
            format!("{{{}}}", names.join(","))
        };
        let merge = |change: String| MetadataChange::Merge(change).apply(&names(0..49));
        assert!(merge(names(49..50)).is_ok());
        assert!(merge(names(49..51)).is_err());
    }
}
