//! Queries and pages: closed lists of parameters, opaque cursors that are bound to their filters.

use super::problem::Problem;
use axum::extract::{FromRequestParts, RawQuery};
use axum::http::request::Parts;
use serde::Serialize;
use std::collections::BTreeMap;
use tillbox_core::time::Timestamp;

/// A query, each parameter once.
pub(crate) struct Query(BTreeMap<String, String>);

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Ok(RawQuery(query)) = RawQuery::from_request_parts(parts, state).await;
        Self::parse(query.as_deref().unwrap_or_default())
    }
}

impl Query {
    fn parse(query: &str) -> Result<Self, Problem> {
        let mut parameters = BTreeMap::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let decoded = decode(name).zip(decode(value));
            let (name, value) = decoded
                .ok_or_else(|| Problem::invalid_parameter(name, "is not percent-encoded UTF-8"))?;
            if super::values::check_text(&value, 500).is_err() {
                return Err(Problem::invalid_parameter(
                    name,
                    "must be a text without control characters",
                ));
            }
            if parameters.contains_key(&name) {
                return Err(Problem::invalid_parameter(name, "must be sent once"));
            }
            parameters.insert(name, value);
        }
        Ok(Self(parameters))
    }

    /// Refuses any parameter that is not in the list.
    pub(crate) fn allow(&self, names: &[&str]) -> Result<(), Problem> {
        match self.0.keys().find(|name| !names.contains(&name.as_str())) {
            Some(name) => Err(Problem::invalid_parameter(
                name.clone(),
                format!("is unknown; known are: {}", names.join(", ")),
            )),
            None => Ok(()),
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// One of several words.
    pub(crate) fn one_of<T: Copy>(
        &self,
        name: &str,
        all: &[T],
        word: fn(T) -> &'static str,
    ) -> Result<Option<T>, Problem> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        let found = all.iter().copied().find(|known| word(*known) == value);
        let words = || {
            all.iter()
                .map(|known| word(*known))
                .collect::<Vec<_>>()
                .join(", ")
        };
        found
            .map(Some)
            .ok_or_else(|| Problem::invalid_parameter(name, format!("must be one of {}", words())))
    }

    /// An instant, or a date in the merchant's time zone; a date counts from its first instant, or, where
    /// `through` is set, to the end of that day (R23).
    pub(crate) fn instant(
        &self,
        name: &str,
        time_zone: &str,
        through: bool,
    ) -> Result<Option<Timestamp>, Problem> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        let wrong = || {
            Problem::invalid_parameter(
                name,
                "must be an instant such as 2026-05-31T12:00:00Z or a date such as 2026-05-31",
            )
        };
        if let Ok(instant) = Timestamp::parse(value) {
            return Ok(Some(instant));
        }
        let date: jiff::civil::Date = value.parse().map_err(|_no_date| wrong())?;
        let date = if through {
            date.tomorrow().map_err(|_last_day| wrong())?
        } else {
            date
        };
        let zone = jiff::tz::TimeZone::get(time_zone).unwrap_or(jiff::tz::TimeZone::UTC);
        let start = date.to_zoned(zone).map_err(|_no_such_day| wrong())?;
        Ok(Some(Timestamp::from_micros(
            start.timestamp().as_microsecond(),
        )))
    }

    /// An instant, and nothing but that.
    pub(crate) fn past_instant(&self, name: &str) -> Result<Option<Timestamp>, Problem> {
        let at = self.get(name).map(Timestamp::parse).transpose();
        at.map_err(|wrong| Problem::invalid_parameter(name, wrong.to_string()))
    }

    /// Page size and position. `position` of a cursor is a number; the cursor is bound to all other parameters.
    pub(crate) fn page(&self, list: &str) -> Result<Page, Problem> {
        let limit = self.limit()?;
        let binding = self.binding(list);
        let before = self
            .get("cursor")
            .map(|cursor| read_cursor(cursor, binding).ok_or_else(|| wrong_cursor("cursor")))
            .transpose()?;
        Ok(Page {
            limit,
            before,
            binding,
        })
    }

    /// How many a page shows.
    pub(super) fn limit(&self) -> Result<usize, Problem> {
        let Some(text) = self.get("limit") else {
            return Ok(20);
        };
        let number: Option<usize> = text.parse().ok().filter(|limit| {
            (1..=100).contains(limit) && text.bytes().all(|byte| byte.is_ascii_digit())
        });
        number.ok_or_else(|| Problem::invalid_parameter("limit", "must be a number from 1 to 100"))
    }

    /// What a cursor is bound to: the list, and all parameters that are no position.
    pub(super) fn binding(&self, list: &str) -> [u8; 8] {
        let mut hasher = blake3::Hasher::new();
        hasher.update(list.as_bytes());
        for (name, value) in self
            .0
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "cursor" | "after" | "limit"))
        {
            for text in [name, value] {
                hasher.update(&[0]);
                hasher.update(text.as_bytes());
            }
        }
        let mut short = [0; 8];
        short.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
        short
    }
}

/// Says that a cursor is none of this list's.
pub(super) fn wrong_cursor(parameter: &str) -> Problem {
    Problem::invalid_parameter(
        parameter,
        "belongs to no list with these filters: begin again without it",
    )
}

/// Undoes percent-encoding, as forms and queries are sent.
pub(crate) fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

/// Where a page begins, and how long it is.
pub(crate) struct Page {
    pub(crate) limit: usize,
    pub(crate) before: Option<i64>,
    binding: [u8; 8],
}

/// A page of a list.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct Listed<T> {
    data: Vec<T>,
    /// Whether there is more.
    has_more: bool,
    /// Where the next page begins.
    next_cursor: Option<String>,
}

impl Page {
    /// One more than is shown, to know whether there is more.
    pub(crate) fn rows(&self) -> usize {
        self.limit + 1
    }

    /// Prints what was read; `position` of the last row shown makes the cursor.
    pub(crate) fn list<R, T>(
        &self,
        mut rows: Vec<R>,
        position: impl Fn(&R) -> i64,
        print: impl Fn(&R) -> T,
    ) -> Listed<T> {
        let has_more = rows.len() > self.limit;
        rows.truncate(self.limit);
        let last = rows.last().filter(|_| has_more).map(position);
        let next_cursor = last.map(|position| write_cursor(position, self.binding));
        Listed {
            data: rows.iter().map(print).collect(),
            has_more,
            next_cursor,
        }
    }
}

impl<T> Listed<T> {
    /// A page as it was found.
    pub(super) fn found(data: Vec<T>, next_cursor: Option<String>) -> Self {
        Self {
            data,
            has_more: next_cursor.is_some(),
            next_cursor,
        }
    }

    /// The same page over other values of its rows, which come in the same order.
    pub(crate) fn map<'a, R, U>(self, rows: &'a [R], print: impl FnMut(&'a R) -> U) -> Listed<U> {
        let shown = self.data.len();
        Listed {
            data: rows.iter().take(shown).map(print).collect(),
            has_more: self.has_more,
            next_cursor: self.next_cursor,
        }
    }
}

/// Position and binding in hexadecimal, the position masked by the binding, so that nobody counts with it.
pub(super) fn write_cursor(position: i64, binding: [u8; 8]) -> String {
    let mask = u64::from_be_bytes(binding);
    format!(
        "{:016x}{mask:016x}",
        position.cast_unsigned() ^ mask.rotate_left(29)
    )
}

pub(super) fn read_cursor(cursor: &str, binding: [u8; 8]) -> Option<i64> {
    let (position, bound) = cursor.split_at_checked(16)?;
    let mask = u64::from_be_bytes(binding);
    let is_hex = cursor.len() == 32
        && cursor
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let bound = u64::from_str_radix(bound, 16)
        .ok()
        .filter(|bound| is_hex && *bound == mask)?;
    let position = u64::from_str_radix(position, 16).ok()? ^ bound.rotate_left(29);
    Some(position.cast_signed()).filter(|position| *position >= 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_are_bound_to_their_filters() {
        let query = Query::parse("type=debit&limit=5").expect("a query");
        let cursor = write_cursor(42, query.page("x").expect("a page").binding);
        let again = Query::parse(&format!("limit=7&cursor={cursor}&type=debit")).expect("a query");
        assert_eq!(again.page("x").expect("the same filters").before, Some(42));
        for other in [
            format!("cursor={cursor}"),
            format!("cursor={cursor}&type=credit"),
            "cursor=zz".to_owned(),
            format!("cursor={cursor}0&type=debit"),
            "cursor=".to_owned(),
        ] {
            assert!(
                Query::parse(&other).expect("a query").page("x").is_err(),
                "{other}"
            );
        }
        assert!(again.page("y").is_err());
    }

    #[test]
    fn queries_are_closed_and_say_each_thing_once() {
        assert!(Query::parse("a=1&a=2").is_err());
        assert!(Query::parse("a=%00").is_err());
        assert!(Query::parse("a=%zz").is_err());
        assert!(Query::parse("b=1").expect("a query").allow(&["a"]).is_err());
        for limit in ["0", "101", "abc", "+5", "-1", ""] {
            assert!(
                Query::parse(&format!("limit={limit}"))
                    .expect("a query")
                    .page("x")
                    .is_err(),
                "{limit}"
            );
        }
    }

    #[test]
    fn r23_dates_are_days_of_the_merchants_time_zone() {
        let query = Query::parse("from=2026-03-29&to=2026-03-29").expect("a query");
        let berlin = |name, through| {
            query
                .instant(name, "Europe/Berlin", through)
                .expect("a date")
                .expect("given")
                .to_string()
        };
        assert_eq!(berlin("from", false), "2026-03-28T23:00:00.000000Z");
        assert_eq!(berlin("to", true), "2026-03-29T22:00:00.000000Z");
    }
}
