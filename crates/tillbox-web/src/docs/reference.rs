//! The page of all calls.

use super::schema::{Field, Kind, Object, kinds};
use super::{Prose, Run, anchor};
use crate::assets;
use askama::Template;
use serde_json::Value;

/// All calls by what they are about, then all objects.
#[derive(Template)]
#[template(path = "docs/reference.html")]
pub(super) struct Reference {
    title: &'static str,
    about: Prose,
    groups: Vec<Group>,
    objects: Vec<Object>,
}

struct Group {
    id: String,
    name: String,
    calls: Vec<Call>,
}

struct Call {
    id: String,
    method: String,
    path: String,
    summary: Prose,
    text: Prose,
    needs_key: bool,
    parameters: Vec<Field>,
    body: Vec<Kind>,
    answers: Vec<Answer>,
    /// Statuses of problems, which have a page of their own.
    problems: String,
}

struct Answer {
    status: String,
    content: String,
    kinds: Vec<Kind>,
}

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

impl Reference {
    pub(super) fn new(document: &Value) -> Self {
        let mut groups: Vec<Group> = Vec::new();
        for (path, item) in entries(document.get("paths")) {
            for method in METHODS {
                let Some(operation) = item.get(method) else {
                    continue;
                };
                let name = operation.pointer("/tags/0").and_then(Value::as_str);
                let name = name.unwrap_or("other");
                let call = Call::new(method, path, operation);
                match groups.iter_mut().find(|group| group.name == name) {
                    Some(group) => group.calls.push(call),
                    None => groups.push(Group {
                        id: format!("about-{}", anchor(name)),
                        name: name.to_owned(),
                        calls: vec![call],
                    }),
                }
            }
        }
        groups.sort_by(|one, other| one.name.cmp(&other.name));
        let objects = entries(document.pointer("/components/schemas"));
        Self {
            title: "API reference",
            about: Prose::of(document.pointer("/info/description")),
            groups,
            objects: objects.map(|(name, it)| Object::new(name, it)).collect(),
        }
    }
}

impl Call {
    fn new(method: &str, path: &str, operation: &Value) -> Self {
        let id = operation.get("operationId").and_then(Value::as_str);
        let mut answers = Vec::new();
        let mut problems = Vec::new();
        for (status, response) in entries(operation.get("responses")) {
            let mut is_problem = false;
            for (content, form) in entries(response.get("content")) {
                if content == "application/problem+json" {
                    is_problem = true;
                } else {
                    answers.push(Answer {
                        status: status.clone(),
                        content: content.clone(),
                        kinds: form.get("schema").map(kinds).unwrap_or_default(),
                    });
                }
            }
            if is_problem {
                problems.push(status.as_str());
            } else if response.get("content").is_none() {
                answers.push(Answer {
                    status: status.clone(),
                    content: "no content".to_owned(),
                    kinds: Vec::new(),
                });
            }
        }
        let parameters = operation.get("parameters").and_then(Value::as_array);
        let body = operation.pointer("/requestBody/content/application~1json/schema");
        Self {
            id: id.map_or_else(|| anchor(&format!("{method}-{path}")), str::to_owned),
            method: method.to_uppercase(),
            path: path.to_owned(),
            summary: Prose::of(operation.get("summary")),
            text: Prose::of(operation.get("description")),
            needs_key: operation.get("security").is_none(),
            parameters: parameters.into_iter().flatten().map(parameter).collect(),
            body: body.map(kinds).unwrap_or_default(),
            answers,
            problems: problems.join(", "),
        }
    }
}

fn parameter(parameter: &Value) -> Field {
    let text = |name: &str| {
        parameter
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let mut words = vec![Kind {
        text: format!("{}: ", text("in")),
        url: None,
    }];
    words.extend(parameter.get("schema").map(kinds).unwrap_or_default());
    Field {
        name: text("name").to_owned(),
        kinds: words,
        is_required: parameter.get("required") == Some(&Value::Bool(true)),
        text: Prose::of(parameter.get("description")),
    }
}

fn entries(map: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    map.and_then(Value::as_object).into_iter().flatten()
}
