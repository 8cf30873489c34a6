//! The three forms of a report, put together object by object, so that a report over thousands of
//! files never has to be held.

use serde_json::{Map, Value};

use super::text::{Look, render};
use super::{API_VERSION, KIND, Object};
use crate::text::is_deceptive;
use crate::yaml;

/// The form of a report.
#[derive(Debug, Clone, Copy)]
pub enum Style {
    /// For people.
    Text(Look),
    /// JSON, in which nothing moves or fools a terminal either.
    Json,
    /// YAML.
    Yaml,
}

impl Style {
    /// What stands before the first object; an `empty` report has none.
    #[must_use]
    pub fn head(self, empty: bool) -> String {
        match self {
            Self::Text(_) => String::new(),
            Self::Json => {
                let end = if empty { "" } else { "\n" };
                format!(
                    "{{\n  \"apiVersion\": \"{API_VERSION}\",\n  \"kind\": \"{KIND}\",\n  \
                     \"objects\": [{end}"
                )
            }
            Self::Yaml => {
                let end = if empty { " []" } else { "" };
                format!("apiVersion: \"{API_VERSION}\"\nkind: \"{KIND}\"\nobjects:{end}\n")
            }
        }
    }

    /// One object. Its text may hold ANSI colours, which the caller strips where they are not
    /// wanted.
    #[must_use]
    pub fn object(self, object: &Object) -> String {
        match self {
            Self::Text(look) => render(object, look),
            Self::Json | Self::Yaml => self.value(&object.to_value()),
        }
    }

    /// A report over values that are no objects of files, one after the other. As text they are JSON.
    pub(crate) fn values(self, values: impl ExactSizeIterator<Item = Value>) -> String {
        let is_empty = values.len() == 0;
        let mut text = self.head(is_empty);
        for (position, value) in values.enumerate() {
            text.push_str(if position == 0 { "" } else { self.between() });
            text.push_str(&self.value(&value));
        }
        text.push_str(self.tail(is_empty));
        text
    }

    fn value(self, value: &Value) -> String {
        match self {
            Self::Yaml => yaml::to_string(&Value::Array(vec![value.clone()])),
            Self::Text(_) | Self::Json => indented(&escaped(&format!("{value:#}"))),
        }
    }

    /// What stands between two objects.
    #[must_use]
    pub fn between(self) -> &'static str {
        match self {
            Self::Text(_) => "\n",
            Self::Json => ",\n",
            Self::Yaml => "",
        }
    }

    /// The same with more than the objects.
    #[must_use]
    pub fn tail_with(self, empty: bool, more: &Map<String, Value>) -> String {
        if more.is_empty() {
            return self.tail(empty).to_owned();
        }
        let end = if empty { "" } else { "\n  " };
        match self {
            Self::Text(_) => String::new(),
            Self::Json => {
                let fields = more.iter().map(|(name, value)| {
                    let value = escaped(&value.to_string());
                    format!(",\n  \"{name}\": {value}")
                });
                format!("{end}]{}\n}}\n", fields.collect::<String>())
            }
            Self::Yaml => yaml::to_string(&Value::Object(more.clone())),
        }
    }

    /// What stands behind the last object.
    #[must_use]
    pub fn tail(self, empty: bool) -> &'static str {
        match self {
            Self::Json if empty => "]\n}\n",
            Self::Json => "\n  ]\n}\n",
            Self::Text(_) | Self::Yaml => "",
        }
    }
}

/// JSON two levels further in; line breaks within strings are escaped there.
fn indented(json: &str) -> String {
    let lines: Vec<String> = json.lines().map(|line| format!("    {line}")).collect();
    lines.join("\n")
}

fn escaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        let is_plain = character.is_ascii() && character != '\u{7f}';
        if is_plain || !is_deceptive(character) {
            text.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            text.extend([format!("\\u{unit:04x}")]);
        }
    }
    text
}
