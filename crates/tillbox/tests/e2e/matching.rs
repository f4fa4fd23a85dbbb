//! The match language of the scenarios: an expectation is a subset of the answer.
//!
//! Objects match by key, lists by length and item; `"*"` is anything but null, `"~re"` a pattern,
//! `null` absent or null, and everything else itself.

use regex_lite::Regex;
use serde_json::Value;

/// The first place where the answer is not as expected, in words; `None` when it matches.
pub(crate) fn mismatch(expected: &Value, found: Option<&Value>, at: &str) -> Option<String> {
    let found = found.unwrap_or(&Value::Null);
    let matches = match (expected, found) {
        (Value::Object(fields), Value::Object(found)) => {
            return fields.iter().find_map(|(name, field)| {
                mismatch(field, found.get(name), &format!("{at}/{name}"))
            });
        }
        (Value::Array(items), Value::Array(found)) if items.len() == found.len() => {
            let mut pairs = items.iter().zip(found).enumerate();
            return pairs.find_map(|(index, (item, found))| {
                mismatch(item, Some(found), &format!("{at}/{index}"))
            });
        }
        (Value::String(pattern), _) if pattern == "*" => !found.is_null(),
        (Value::String(pattern), Value::String(text)) if pattern.starts_with('~') => {
            Regex::new(&pattern[1..]).expect("a pattern").is_match(text)
        }
        _ => expected == found,
    };
    (!matches).then(|| format!("{at}: expected {expected}, found {found}"))
}

#[cfg(test)]
mod tests {
    use super::mismatch;
    use serde_json::{Value, json};

    fn matches(expected: &Value, found: &Value) -> bool {
        mismatch(expected, Some(found), "").is_none()
    }

    #[test]
    fn objects_match_by_key_and_lists_by_length_and_item() {
        let found = json!({"a": 1, "b": [{"c": "x", "d": 2}, 3]});
        assert!(matches(&json!({"a": 1}), &found));
        assert!(matches(&json!({"b": [{"c": "x"}, 3]}), &found));
        assert!(!matches(&json!({"b": [{"c": "x"}]}), &found));
        assert!(!matches(&json!({"b": [{"c": "y"}, 3]}), &found));
        assert!(!matches(&json!({"e": 1}), &found));
        assert!(!matches(&json!([]), &found));
    }

    #[test]
    fn wildcards_patterns_and_null() {
        let found = json!({"id": "wal_1", "none": null});
        assert!(matches(
            &json!({"id": "*", "none": null, "absent": null}),
            &found
        ));
        assert!(matches(&json!({"id": "~^wal_[0-9]$"}), &found));
        assert!(!matches(&json!({"id": "~^cus_"}), &found));
        assert!(!matches(&json!({"none": "*"}), &found));
        assert!(!matches(&json!({"id": null}), &found));
    }
}
