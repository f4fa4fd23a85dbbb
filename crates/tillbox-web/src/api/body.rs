//! JSON bodies: size, depth and shape are checked before anything is believed.

use super::problem::{FieldError, Problem};
use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use std::time::Duration;

/// The largest body.
pub(crate) const BODY_BYTES: usize = 64 * 1024;
/// The largest body of a batch.
pub(crate) const BATCH_BYTES: usize = 4 * 1024 * 1024;
/// The deepest nesting.
const DEPTH: usize = 32;
/// How long a body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(20);

/// A body of that shape.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        let bytes = read(request, BODY_BYTES).await?;
        parse(if bytes.is_empty() { b"{}" } else { &bytes }).map(Self)
    }
}

/// A batch's body, not parsed yet.
pub(crate) struct BatchBytes(pub(crate) Bytes);

impl<S: Send + Sync> FromRequest<S> for BatchBytes {
    type Rejection = Problem;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        read(request, BATCH_BYTES).await.map(Self)
    }
}

/// Reads a whole JSON body. An empty one without a type is taken as `{}`.
async fn read(request: Request, limit: usize) -> Result<Bytes, Problem> {
    let typed = content_type(request.headers());
    let bytes = collect(request, limit).await?;
    match typed {
        ContentType::Json => {}
        ContentType::None if bytes.is_empty() => {}
        ContentType::None | ContentType::Other => return Err(Problem::unsupported_media_type()),
    }
    check_depth(&bytes)?;
    Ok(bytes)
}

/// Reads a whole body of whatever type.
pub(crate) async fn collect(request: Request, limit: usize) -> Result<Bytes, Problem> {
    let declared = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if declared.is_some_and(|length| length > u64::try_from(limit).unwrap_or(u64::MAX)) {
        return Err(Problem::too_large(limit));
    }
    let collected = tokio::time::timeout(
        BODY_TIMEOUT,
        Limited::new(request.into_body(), limit).collect(),
    )
    .await;
    match collected {
        Err(_elapsed) => Err(Problem::timeout()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Problem::too_large(limit)),
        Ok(Err(_broken)) => Err(Problem::invalid_field("", "the body did not arrive whole")),
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
    }
}

enum ContentType {
    Json,
    Other,
    None,
}

fn content_type(headers: &HeaderMap) -> ContentType {
    let Some(value) = headers.get(header::CONTENT_TYPE) else {
        return ContentType::None;
    };
    let essence = value
        .to_str()
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default()
        .trim();
    if essence.eq_ignore_ascii_case("application/json") {
        ContentType::Json
    } else {
        ContentType::Other
    }
}

/// Counts brackets outside strings, before a parser follows them.
pub(crate) fn check_depth(bytes: &[u8]) -> Result<(), Problem> {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in bytes {
        match (in_string, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => in_string = !in_string,
            (false, b'{' | b'[') => {
                depth += 1;
                if depth > DEPTH {
                    return Err(Problem::invalid_field(
                        "",
                        format!("the body may be nested {DEPTH} deep"),
                    ));
                }
            }
            (false, b'}' | b']') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(())
}

/// Parses bytes into `T`; an error points to what is wrong.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer)
        .map_err(|error| shape_problem(error.path(), error.inner()))?;
    deserializer
        .end()
        .map_err(|error| Problem::invalid_field("", clean(&error.to_string())))?;
    Ok(value)
}

/// The problem for an error at a path.
pub(crate) fn shape_problem(
    path: &serde_path_to_error::Path,
    error: &serde_json::Error,
) -> Problem {
    use serde_path_to_error::Segment;
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => pointer.push_str(&token(&index.to_string())),
            Segment::Map { key } | Segment::Enum { variant: key } => {
                pointer.push_str(&token(key));
            }
            Segment::Unknown => {}
        }
    }
    let message = clean(&error.to_string());
    for missing in ["unknown field `", "missing field `", "duplicate field `"] {
        let named = message
            .strip_prefix(missing)
            .and_then(|rest| rest.split('`').next());
        if let Some(token) = named.map(token)
            && !pointer.ends_with(&token)
        {
            pointer.push_str(&token);
        }
    }
    Problem::invalid(&FieldError {
        pointer: Some(pointer),
        parameter: None,
        message,
    })
}

/// A name as a step of a JSON pointer (RFC 6901).
fn token(name: &str) -> String {
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// Without the parser's line and column: pointers tell. Where a name was expected and another kind of value came, the
/// parser says no more than where what it reads is no value at all.
fn clean(message: &str) -> String {
    match message.split(" at line ").next().unwrap_or(message) {
        "expected value" => "expected a name in quotes, or the JSON is broken here",
        other => other,
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::values::Positive;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its shape is tried")]
    struct Body {
        amount: Positive,
        nested: Option<Vec<Inner>>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its shape is tried")]
    struct Inner {
        unit: Positive,
    }

    #[test]
    fn errors_point_to_what_is_wrong() {
        let table = [
            (r#"{"amount":1}"#, "/amount"),
            (r#"{"amount":"1e3"}"#, "/amount"),
            (r#"{"amount":"0"}"#, "/amount"),
            (r#"{"amount":"-1"}"#, "/amount"),
            ("{}", "/amount"),
            (r#"{"amount":"1","amount":"1"}"#, "/amount"),
            (r#"{"amount":"1","surprise":1}"#, "/surprise"),
            (
                r#"{"amount":"1","nested":[{"unit":"1"},{"unit":"x"}]}"#,
                "/nested/1/unit",
            ),
            (
                r#"{"amount":"1","nested":[{"unit":"1","a/b":1}]}"#,
                "/nested/0/a~1b",
            ),
            ("[]", ""),
            ("not json", ""),
            (r#"{"amount":"1"} x"#, ""),
        ];
        for (text, pointer) in table {
            let problem = parse::<Body>(text.as_bytes()).expect_err(text);
            assert_eq!(
                problem.to_json()["errors"][0]["pointer"],
                pointer,
                "{text}: {}",
                problem.to_json()
            );
        }
    }

    #[test]
    fn a_name_that_is_no_text_is_said_to_need_quotes() {
        #[derive(Debug, Deserialize)]
        #[serde(rename_all = "snake_case")]
        enum Way {
            Manual,
        }
        let problem = parse::<Way>(b"false").expect_err("no name").to_json();
        let message = problem["errors"][0]["message"].as_str();
        assert!(message.is_some_and(|told| told.contains("in quotes")));
        assert!(matches!(parse(br#""manual""#), Ok(Way::Manual)));
    }

    #[test]
    fn depth_is_counted_outside_strings() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(check_depth(nested(32).as_bytes()).is_ok());
        assert!(check_depth(nested(33).as_bytes()).is_err());
        assert!(
            check_depth(format!("\"{}\\\"{}\"", "[".repeat(40), "{".repeat(40)).as_bytes()).is_ok()
        );
    }
}
