//! The JSON schema of reports, made of their types: `docs/report.schema.json`.

use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use super::{API_VERSION, KIND, Object};
use crate::list::Row;

/// The schema of what `-o json` and `-o yaml` write: objects as `inspect` and `verify` report them, or
/// rows of `list`.
fn schema() -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let mut generator = settings.into_generator();
    let object = generator.subschema_for::<Object>();
    let row = generator.subschema_for::<Row>();
    let mut definitions = Value::Object(generator.take_definitions(true));
    for_readers_of_json(&mut definitions);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Report of kube-enroll",
        "description": "What inspect, verify and list write with -o json and -o yaml.",
        "type": "object",
        "properties": {
            "apiVersion": {"const": API_VERSION},
            "kind": {"const": KIND},
            "objects": {
                "description": "Objects of inspect and verify, or rows of list.",
                "type": "array",
                "items": {"anyOf": [object, row]},
            },
            "missing": {
                "description": "User names of a roster without a request, of verify --roster.",
                "type": "array",
                "items": {"type": "string"},
            },
            "leftOut": {
                "description": "How many requests were not judged, by the reason, of verify --roster.",
                "type": "object",
                "additionalProperties": {"type": "integer"},
            },
            "unread": {
                "description": "Files that could not be read.",
                "type": "array",
                "items": {"type": "string"},
            },
            "passedOver": {
                "description": "How much in folders was not looked at, by what it is.",
                "type": "object",
                "additionalProperties": {"type": "integer"},
            },
        },
        "required": ["apiVersion", "kind", "objects"],
        "$defs": definitions,
    })
}

/// Comments say `None` and link to types.
fn for_readers_of_json(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            if let Some(Value::String(description)) = map.get_mut("description") {
                let replaced = [
                    ("`None`", "null"),
                    ("[`", "`"),
                    ("`]", "`"),
                    ("crate::key::", ""),
                ];
                *description = replaced
                    .iter()
                    .fold(description.replace('\n', " "), |text, (old, new)| {
                        text.replace(old, new)
                    });
            }
            map.values_mut().for_each(for_readers_of_json);
        }
        Value::Array(items) => items.iter_mut().for_each(for_readers_of_json),
        _ => {}
    }
}

/// Written anew with `KUBE_ENROLL_WRITE_DOCS=1`.
#[test]
fn the_schema_in_the_documentation_is_that_of_the_types() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/report.schema.json");
    let schema = format!("{:#}\n", schema());
    if std::env::var_os("KUBE_ENROLL_WRITE_DOCS").is_some() {
        std::fs::write(path, &schema).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(written == schema, "docs/report.schema.json is old");
}
