//! Schemas as a reader wants them: a table of fields, each with the words for its form.

use super::{Prose, anchor};
use serde_json::Value;

/// A word of a form, and where it leads when it is the name of an object.
pub(super) struct Kind {
    pub(super) text: String,
    pub(super) url: Option<String>,
}

impl Kind {
    fn plain(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            url: None,
        }
    }

    fn named(reference: &str) -> Self {
        let name = reference.rsplit('/').next().unwrap_or(reference);
        Self {
            text: name.replace('_', " of "),
            url: Some(format!("#{}", schema_id(name))),
        }
    }
}

/// Where an object stands on the page.
pub(super) fn schema_id(name: &str) -> String {
    format!("object-{}", anchor(name))
}

/// A field of an object, or a parameter of a call.
pub(super) struct Field {
    pub(super) name: String,
    /// Words for its form, in order.
    pub(super) kinds: Vec<Kind>,
    pub(super) is_required: bool,
    pub(super) text: Prose,
}

/// An object that calls take or answer with.
pub(super) struct Object {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) text: Prose,
    /// What it is, where it has no fields: a form of text, a choice.
    pub(super) kinds: Vec<Kind>,
    pub(super) fields: Vec<Field>,
}

impl Object {
    pub(super) fn new(name: &str, schema: &Value) -> Self {
        let fields = fields(schema);
        Self {
            id: schema_id(name),
            name: name.replace('_', " of "),
            text: Prose::of(schema.get("description")),
            kinds: if fields.is_empty() {
                kinds(schema)
            } else {
                Vec::new()
            },
            fields,
        }
    }
}

/// The fields of an object, those of its parts among them; what must be sent comes first.
pub(super) fn fields(schema: &Value) -> Vec<Field> {
    let mut found = Vec::new();
    let parts = schema.get("allOf").and_then(Value::as_array);
    for part in std::iter::once(schema).chain(parts.into_iter().flatten()) {
        let required: Vec<&str> = strings(part.get("required"));
        let properties = part.get("properties").and_then(Value::as_object);
        for (name, property) in properties.into_iter().flatten() {
            found.push(Field {
                name: name.clone(),
                kinds: kinds(property),
                is_required: required.contains(&name.as_str()),
                text: field_text(property),
            });
        }
    }
    found.sort_by_key(|field| !field.is_required);
    found
}

/// What a field says of itself, or of its only choice beside null.
fn field_text(property: &Value) -> Prose {
    let choices = property.get("oneOf").and_then(Value::as_array);
    let of_choice = choices
        .into_iter()
        .flatten()
        .find_map(|choice| choice.get("description"));
    Prose::of(property.get("description").or(of_choice))
}

/// The words for a form: "text", "a list of Lot", "one of a, b", "Failure or null".
pub(super) fn kinds(schema: &Value) -> Vec<Kind> {
    if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
        return vec![Kind::named(name)];
    }
    for choice in ["oneOf", "anyOf"] {
        if let Some(choices) = schema.get(choice).and_then(Value::as_array) {
            return joined(choices.iter().map(kinds), " or ");
        }
    }
    if let Some(parts) = schema.get("allOf").and_then(Value::as_array) {
        return joined(parts.iter().map(kinds), " and ");
    }
    let words = strings(schema.get("enum"));
    if !words.is_empty() {
        return vec![Kind::plain(format!("one of {}", words.join(", ")))];
    }
    let types = match schema.get("type") {
        Some(Value::String(one)) => vec![one.as_str()],
        several => strings(several),
    };
    joined(types.into_iter().map(|name| of_type(name, schema)), " or ")
}

fn of_type(name: &str, schema: &Value) -> Vec<Kind> {
    match name {
        "array" => {
            let mut words = vec![Kind::plain("list of ")];
            words.extend(schema.get("items").map(kinds).unwrap_or_default());
            words
        }
        "string" => vec![Kind::plain("text")],
        "integer" => vec![Kind::plain("whole number")],
        "boolean" => vec![Kind::plain("true or false")],
        other => vec![Kind::plain(other)],
    }
}

fn joined(several: impl Iterator<Item = Vec<Kind>>, between: &str) -> Vec<Kind> {
    let mut all = Vec::new();
    for words in several.filter(|words| !words.is_empty()) {
        if !all.is_empty() {
            all.push(Kind::plain(between));
        }
        all.extend(words);
    }
    all
}

fn strings(list: Option<&Value>) -> Vec<&str> {
    let list = list.and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_str).collect()
}

#[cfg(test)]
mod tests {
    use super::{fields, kinds};
    use serde_json::{Value, json};

    fn words(schema: &Value) -> String {
        kinds(schema).into_iter().map(|kind| kind.text).collect()
    }

    #[test]
    fn a_form_is_said_in_words() {
        for (schema, said) in [
            (json!({"type": ["string", "null"]}), "text or null"),
            (
                json!({"type": "array", "items": {"$ref": "#/components/schemas/Lot"}}),
                "list of Lot",
            ),
            (
                json!({"oneOf": [{"$ref": "#/x/Failure"}, {"type": "null"}]}),
                "Failure or null",
            ),
            (json!({"type": "string", "enum": ["a", "b"]}), "one of a, b"),
            (json!({"$ref": "#/x/Listed_Lot"}), "Listed of Lot"),
            (json!({}), ""),
        ] {
            assert_eq!(words(&schema), said, "{schema}");
        }
    }

    #[test]
    fn what_must_be_sent_comes_first_and_parts_count() {
        let schema = json!({
            "properties": {"a": {"type": "string"}, "b": {"type": "string"}}, "required": ["b"],
            "allOf": [{"properties": {"c": {"type": "integer"}}, "required": ["c"]}],
        });
        let names: Vec<String> = fields(&schema)
            .into_iter()
            .map(|field| field.name)
            .collect();
        assert_eq!(names, ["b", "c", "a"]);
    }
}
