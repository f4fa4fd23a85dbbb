//! An answer of the server, to the byte, and what the contract says of every answer.

use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use ureq::http::HeaderMap;

/// What the server answered, to the byte.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    /// What was asked, for messages.
    pub(crate) request: String,
}

/// What one write came to: an operation of a batch, or a request of its own.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) status: u16,
    pub(crate) replayed: bool,
    /// To the byte.
    pub(crate) body: String,
}

impl Outcome {
    pub(crate) fn is_done(&self) -> bool {
        (200..300).contains(&self.status)
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("a body is JSON")
    }
}

impl Answer {
    /// The answer, when it has this status.
    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert!(self.status == status, "expected {status} from {self}");
        self
    }

    /// The answer, when it is this problem.
    #[track_caller]
    pub(crate) fn refused(self, status: u16, code: &str) -> Self {
        let answer = self.is(status);
        assert!(answer.code() == code, "expected {code} from {answer}");
        answer
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {self}"))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A string of the answer's top level.
    #[track_caller]
    pub(crate) fn string(&self, name: &str) -> String {
        match &self.json()[name] {
            Value::String(text) => text.clone(),
            other => panic!("{name} is {other} in {self}"),
        }
    }

    #[track_caller]
    pub(crate) fn id(&self) -> String {
        self.string("id")
    }

    /// The problem's code, or nothing.
    pub(crate) fn code(&self) -> String {
        serde_json::from_slice::<Value>(&self.body)
            .ok()
            .and_then(|body| body["code"].as_str().map(str::to_owned))
            .unwrap_or_default()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The results of a batch, in order.
    #[track_caller]
    pub(crate) fn results(&self) -> Vec<Outcome> {
        type Fields = BTreeMap<String, Box<RawValue>>;
        let read = || -> serde_json::Result<Vec<Outcome>> {
            let whole: Fields = serde_json::from_slice(&self.body)?;
            let results: Vec<Fields> = serde_json::from_str(whole["results"].get())?;
            let results = results.iter().map(|result| {
                Ok(Outcome {
                    status: serde_json::from_str(result["status"].get())?,
                    replayed: serde_json::from_str(result["replayed"].get())?,
                    body: result["body"].get().to_owned(),
                })
            });
            results.collect()
        };
        read().unwrap_or_else(|error| panic!("{error} in {self}"))
    }

    /// The same, as an operation of a batch tells it.
    pub(crate) fn outcome(&self) -> Outcome {
        Outcome {
            status: self.status,
            replayed: self.replayed(),
            body: self.text(),
        }
    }

    pub(crate) fn replayed(&self) -> bool {
        self.header("idempotent-replayed") == Some("true")
    }

    /// What holds for every answer: a request id, problem details for errors, never a 5xx but 503.
    #[track_caller]
    pub(crate) fn check_conventions(&self) {
        let request_id = self.header("x-request-id").unwrap_or_default();
        assert!(!request_id.is_empty(), "no x-request-id in {self}");
        if self.status < 400 {
            return;
        }
        assert!(self.status < 500 || self.status == 503, "{self}");
        let content_type = self.header("content-type").unwrap_or_default();
        assert!(
            content_type.starts_with("application/problem+json"),
            "content type {content_type:?} of {self}"
        );
        let problem = self.json();
        for name in ["type", "title", "code", "detail", "request_id"] {
            assert!(problem[name].is_string(), "no {name} in {self}");
        }
        assert!(problem["status"] == self.status, "status in {self}");
        assert!(problem["request_id"] == request_id, "request id of {self}");
        if problem["code"] == "invalid_request" {
            let errors = problem["errors"].as_array().cloned().unwrap_or_default();
            let says_where = |error: &Value| {
                error["message"].is_string()
                    && (error["pointer"].is_string() || error["parameter"].is_string())
            };
            // A bad header has neither pointer nor parameter, so only what is listed is held to the form.
            assert!(errors.iter().all(says_where), "errors of {self}");
        }
        if self.status == 503 {
            assert!(
                self.header("retry-after").is_some(),
                "no retry-after in {self}"
            );
        }
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let body: String = self.text().chars().take(2_000).collect();
        write!(out, "{}: {} {body}", self.request, self.status)
    }
}
