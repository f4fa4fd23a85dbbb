//! Erasing a deleted customer's personal data (W6): in steps between other work, and to the end after a crash.

use crate::error::ServiceError;
use crate::service::Service;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use std::fmt;
use tillbox_store::sqlite::erasures::{self, Erasure, Progress};

/// Rows that one step erases: a few milliseconds of the ledger's thread, between two batches.
const ROWS: usize = 200;
/// Steps at one go: who deletes a customer waits for so many, and each round of the job takes so many.
const STEPS: usize = 50;
/// Erasures that one round of the job goes on with.
const ERASURES: usize = 20;

impl Service {
    /// Goes on with what is to be erased, of all merchants.
    pub async fn erase_on(&self) -> Result<(), ServiceError> {
        let open = self
            .database
            .read(|connection| erasures::open(connection, ERASURES))
            .await?;
        for erasure in open {
            self.erase_some(erasure).await?;
        }
        let overwritten = self
            .database
            .read(|connection| erasures::overwritten(connection, ERASURES))
            .await?;
        if overwritten.is_empty() || !self.database.cut_write_ahead_log().await? {
            return Ok(());
        }
        self.database
            .write(move |connection| {
                let mut all = overwritten.into_iter();
                all.try_for_each(|erasure| erasures::finish(connection, erasure))
            })
            .await
    }

    async fn erase_some(&self, erasure: Erasure) -> Result<(), ServiceError> {
        for _ in 0..STEPS {
            let now = self.clock.now();
            let step = move |connection: &_| {
                erasures::step(connection, erasure, now, ROWS, &|answer| blanked(answer))
            };
            if self.database.write(step).await? == Progress::Erased {
                return Ok(());
            }
        }
        Ok(())
    }
}

/// An answer without what is personal or free text in it; whatever else it says stays, in its order.
fn blanked(answer: &[u8]) -> Vec<u8> {
    let Ok(Fields(mut fields)) = serde_json::from_slice(answer) else {
        return b"{}".to_vec();
    };
    let is_of = |fields: &[Field<'_>], name: &str| fields.iter().any(|(known, _)| known == name);
    let is_customer = !is_of(&fields, "customer_id") && !is_of(&fields, "wallet_id");
    for (name, value) in &mut fields {
        *value = match name.as_str() {
            "name" if is_customer => raw("\"\""),
            "brand" | "last4" | "expires" => raw("\"\""),
            "metadata" => raw("{}"),
            "name" | "email" | "external_id" | "description" | "reference" | "return_url"
            | "reason_text" => RawValue::NULL,
            _ => continue,
        };
    }
    serde_json::to_vec(&Fields(fields)).unwrap_or_default()
}

fn raw(text: &'static str) -> &'static RawValue {
    serde_json::from_str(text).unwrap_or(RawValue::NULL)
}

type Field<'a> = (String, &'a RawValue);

/// The fields of an object, in order.
struct Fields<'a>(Vec<Field<'a>>);

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;

        impl<'de> Visitor<'de> for Collect {
            type Value = Fields<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(Collect)
    }
}

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(answer: &str, expected: &str) {
        let blank = String::from_utf8(blanked(answer.as_bytes())).expect("text");
        assert_eq!(blank, expected);
    }

    #[test]
    fn texts_go_and_everything_else_stays_in_its_place() {
        check(
            r#"{"id":"cus_1","name":"Ada","email":"a@b.c","metadata":{"a":1},"locale":"en"}"#,
            r#"{"id":"cus_1","name":"","email":null,"metadata":{},"locale":"en"}"#,
        );
        check(
            r#"{"id":"wal_1","customer_id":"cus_1","name":"Hers","balance":"1.00","metadata":{}}"#,
            r#"{"id":"wal_1","customer_id":"cus_1","name":null,"balance":"1.00","metadata":{}}"#,
        );
        check(
            r#"{"id":"pm_1","customer_id":"cus_1","brand":"visa","last4":"4242","default":true}"#,
            r#"{"id":"pm_1","customer_id":"cus_1","brand":"","last4":"","default":true}"#,
        );
        check("no object", "{}");
    }
}
