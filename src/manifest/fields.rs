//! Reading JSON into typed fields as the API server does, keeping every problem with its place.

use serde_json::{Map, Value};

use crate::looks::unfilled;
use crate::{go, pem};

/// How many problems are kept for one object: one is enough for the API server to refuse it, and
/// more of them help nobody.
const MAX_PROBLEMS: usize = 100;

/// Something in an object that the API server refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldProblem {
    /// The field: `spec.expirationSeconds`.
    pub field: String,
    /// What is wrong with it.
    pub kind: ProblemKind,
}

/// What is wrong with a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProblemKind {
    /// Strict validation, which kubectl asks for, knows no such field. The closest that it knows
    /// is given where one is close.
    Unknown(Option<&'static str>),
    /// The value is of another JSON type, or out of range.
    Type {
        /// What was found.
        found: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// The value is not base64, from this offset on.
    Base64(usize),
    /// The value is not base64, but a place that nobody filled in.
    Template,
}

/// The fields of one object. Each is asked for once; what was not asked for is unknown.
pub(super) struct Fields<'a> {
    object: &'a Map<String, Value>,
    path: String,
    known: Vec<&'static str>,
    problems: &'a mut Vec<FieldProblem>,
}

impl<'a> Fields<'a> {
    pub(super) fn new(
        object: &'a Map<String, Value>,
        path: &str,
        problems: &'a mut Vec<FieldProblem>,
    ) -> Self {
        Self {
            object,
            path: path.to_owned(),
            known: Vec::new(),
            problems,
        }
    }

    pub(super) fn problems(&mut self) -> &mut Vec<FieldProblem> {
        self.problems
    }

    /// The value of a field, where it is there and not null, which stands for its absence.
    fn value(&mut self, name: &'static str) -> Option<&'a Value> {
        self.known.push(name);
        self.object.get(name).filter(|value| !value.is_null())
    }

    fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.path)
        }
    }

    fn wrong(&mut self, field: String, found: &Value, expected: &'static str) {
        let found = describe(found);
        self.report(field, ProblemKind::Type { found, expected });
    }

    fn report(&mut self, field: String, kind: ProblemKind) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(FieldProblem { field, kind });
        }
    }

    /// The value of a field as `convert` takes it, else nothing and a problem.
    fn typed<T>(
        &mut self,
        name: &'static str,
        expected: &'static str,
        convert: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Option<T> {
        let value = self.value(name)?;
        let converted = convert(value);
        if converted.is_none() {
            self.wrong(self.path_of(name), value, expected);
        }
        converted
    }

    pub(super) fn string(&mut self, name: &'static str) -> String {
        self.typed(name, "a string", Value::as_str)
            .unwrap_or_default()
            .to_owned()
    }

    /// kubectl writes 600.0 and 6e2 as 600 before the server sees it.
    pub(super) fn int32(&mut self, name: &'static str) -> Option<i32> {
        self.typed(name, "a whole number of 32 bits", |value| {
            whole(value).and_then(|number| i32::try_from(number).ok())
        })
    }

    /// One of the metadata, which kubectl reads as it stands.
    pub(super) fn int64(&mut self, name: &'static str) -> Option<i64> {
        self.typed(name, "a whole number", Value::as_i64)
    }

    /// An RFC 3339 time, as text.
    pub(super) fn time(&mut self, name: &'static str) -> String {
        self.typed(name, "a time like 2006-01-02T15:04:05Z", |value| {
            value.as_str().filter(|text| go::is_rfc3339(text))
        })
        .unwrap_or_default()
        .to_owned()
    }

    /// Base64 as `encoding/json` decodes `[]byte`, or a list of bytes.
    pub(super) fn bytes(&mut self, name: &'static str) -> Option<Vec<u8>> {
        const EXPECTED: &str = "a string of base64";
        match self.value(name)? {
            Value::String(text) => match pem::decode_base64(text.as_bytes()) {
                Ok(bytes) => Some(bytes.to_vec()),
                Err(_) if unfilled(text).is_some() => {
                    self.report(self.path_of(name), ProblemKind::Template);
                    None
                }
                Err(offset) => {
                    self.report(self.path_of(name), ProblemKind::Base64(offset));
                    None
                }
            },
            Value::Array(items) => {
                let byte = |item: &Value| match item {
                    Value::Null => Some(0),
                    other => u8::try_from(whole(other)?).ok(),
                };
                let bytes: Option<Vec<u8>> = items.iter().map(byte).collect();
                if bytes.is_none() {
                    let list = &Value::Array(Vec::new());
                    self.wrong(self.path_of(name), list, EXPECTED);
                }
                bytes
            }
            other => {
                self.wrong(self.path_of(name), other, EXPECTED);
                None
            }
        }
    }

    pub(super) fn object(&mut self, name: &'static str) -> Option<&'a Map<String, Value>> {
        self.typed(name, "an object", Value::as_object)
    }

    fn array(&mut self, name: &'static str) -> &'a [Value] {
        self.typed(name, "a list", Value::as_array)
            .map_or(&[], Vec::as_slice)
    }

    pub(super) fn strings(&mut self, name: &'static str) -> Vec<String> {
        let items = self.array(name);
        let path = self.path_of(name);
        self.strings_of(items, &path)
    }

    fn strings_of(&mut self, items: &[Value], path: &str) -> Vec<String> {
        let mut strings = Vec::new();
        for (index, item) in items.iter().enumerate() {
            match item {
                Value::String(text) => strings.push(text.clone()),
                Value::Null => strings.push(String::new()),
                other => self.wrong(format!("{path}[{index}]"), other, "a string"),
            }
        }
        strings
    }

    pub(super) fn string_map(&mut self, name: &'static str) -> Vec<(String, String)> {
        let mut entries = Vec::new();
        for (key, value) in self.object(name).into_iter().flatten() {
            match value {
                Value::String(text) => entries.push((key.clone(), text.clone())),
                Value::Null => entries.push((key.clone(), String::new())),
                other => {
                    let field = format!("{}[{key}]", self.path_of(name));
                    self.wrong(field, other, "a string");
                }
            }
        }
        entries
    }

    pub(super) fn string_lists(&mut self, name: &'static str) -> Vec<(String, Vec<String>)> {
        let mut entries = Vec::new();
        for (key, value) in self.object(name).into_iter().flatten() {
            let path = format!("{}[{key}]", self.path_of(name));
            match value {
                Value::Array(items) => {
                    let strings = self.strings_of(items, &path);
                    entries.push((key.clone(), strings));
                }
                Value::Null => entries.push((key.clone(), Vec::new())),
                other => self.wrong(path, other, "a list"),
            }
        }
        entries
    }

    /// A list of objects, each read with its own path.
    pub(super) fn objects<T: Default>(
        &mut self,
        name: &'static str,
        read: impl Fn(&Map<String, Value>, &str, &mut Vec<FieldProblem>) -> T,
    ) -> Vec<T> {
        let mut objects = Vec::new();
        for (index, item) in self.array(name).iter().enumerate() {
            let path = format!("{}[{index}]", self.path_of(name));
            match item {
                Value::Object(object) => objects.push(read(object, &path, self.problems)),
                Value::Null => objects.push(T::default()),
                other => self.wrong(path, other, "an object"),
            }
        }
        objects
    }

    /// Reads owner references and tells what is wrong with them
    /// (k8s.io/apimachinery/pkg/api/validation `ValidateOwnerReferences`).
    pub(super) fn owner_references(&mut self, name: &'static str) -> Option<&'static str> {
        let owners = self.objects(name, |reference, path, problems| {
            let mut fields = Fields::new(reference, path, problems);
            let [version, kind, name, uid] =
                ["apiVersion", "kind", "name", "uid"].map(|part| fields.string(part));
            let flag = |fields: &mut Fields<'_>, flag| {
                fields.typed(flag, "true or false", Value::as_bool) == Some(true)
            };
            let controls = flag(&mut fields, "controller");
            flag(&mut fields, "blockOwnerDeletion");
            fields.refuse_others();
            let lacks = [&version, &kind, &name, &uid]
                .iter()
                .any(|part| part.is_empty());
            let problem = if lacks {
                Some("an owner lacks apiVersion, kind, name or uid")
            } else if version.ends_with('/') || version.matches('/').count() > 1 {
                Some("the apiVersion of an owner is not group/version")
            } else if version == "v1" && kind == "Event" {
                Some("an event cannot be an owner")
            } else {
                None
            };
            (problem, controls)
        });
        let controllers = owners.iter().filter(|(_, controls)| *controls).count();
        let too_many = (controllers > 1).then_some("only one owner can be the controller");
        owners.iter().find_map(|(problem, _)| *problem).or(too_many)
    }

    pub(super) fn managed_fields(&mut self, name: &'static str) {
        self.objects(name, |entry, path, problems| {
            let mut fields = Fields::new(entry, path, problems);
            for text in [
                "manager",
                "operation",
                "apiVersion",
                "fieldsType",
                "subresource",
            ] {
                fields.string(text);
            }
            fields.time("time");
            fields.value("fieldsV1");
            fields.refuse_others();
        });
    }

    /// Reports every field that was not asked for.
    pub(super) fn refuse_others(mut self) {
        for name in self.object.keys() {
            if self.problems.len() >= MAX_PROBLEMS {
                break;
            }
            if !self.known.contains(&name.as_str()) {
                let kind = ProblemKind::Unknown(closest(name, &self.known));
                self.report(self.path_of(name), kind);
            }
        }
    }
}

/// A number without a fraction.
fn whole(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| {
        let float = value.as_f64().filter(|float| float.fract() == 0.0)?;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "out of range it becomes the nearest, which is out of the field's range too"
        )]
        let whole = float as i64;
        Some(whole)
    })
}

/// What kind of value it is, and never the value.
fn describe(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// The known name that differs in case or separators alone, or by one or two letters.
fn closest(name: &str, known: &[&'static str]) -> Option<&'static str> {
    let bare = |text: &str| text.replace(['_', '-', ' '], "").to_lowercase();
    let name = bare(name);
    let (distance, closest) = known
        .iter()
        .map(|known| (edit_distance(&name, &bare(known)), *known))
        .min_by_key(|(distance, _)| *distance)?;
    (distance <= 2 && distance < closest.len() / 2).then_some(closest)
}

/// Levenshtein distance; long words are not worth it.
fn edit_distance(left: &str, right: &str) -> usize {
    if left.len() > 40 {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=right.chars().count()).collect();
    for (position, a) in left.chars().enumerate() {
        let mut diagonal = position;
        let mut previous = position + 1;
        if let Some(first) = row.first_mut() {
            *first = previous;
        }
        for (b, cell) in right.chars().zip(row.iter_mut().skip(1)) {
            let substituted = diagonal + usize::from(a != b);
            diagonal = *cell;
            previous = substituted.min(diagonal + 1).min(previous + 1);
            *cell = previous;
        }
    }
    row.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misspelt_fields_are_told_what_they_look_like() {
        let known = ["signerName", "usages", "expirationSeconds"];
        assert_eq!(closest("signername", &known), Some("signerName"));
        assert_eq!(closest("signer_name", &known), Some("signerName"));
        assert_eq!(
            closest("expirationSecond", &known),
            Some("expirationSeconds")
        );
        assert_eq!(closest("colour", &known), None);
    }

    #[test]
    fn whole_numbers_may_be_written_with_a_fraction() {
        use serde_json::json;
        for (value, expected) in [
            (json!(600.0), Some(600)),
            (json!(-6e2), Some(-600)),
            (json!(600.5), None),
            (json!(1e300), Some(i64::MAX)),
            (json!("600"), None),
        ] {
            assert_eq!(whole(&value), expected, "{value}");
        }
    }

    #[test]
    fn bytes_are_base64_or_a_list_of_numbers() {
        use serde_json::json;
        for (value, expected) in [
            (json!("YQ=="), Some("a")),
            (json!("Y\nQ\r=="), Some("a")),
            (json!("Y Q=="), None),
            (json!([97, 98.0]), Some("ab")),
            (json!([97, null]), Some("a\0")),
            (json!([256]), None),
            (json!([-1]), None),
            (json!(["a"]), None),
            (json!({}), None),
        ] {
            let object = json!({ "a": value });
            let mut problems = Vec::new();
            let mut fields = Fields::new(object.as_object().unwrap(), "", &mut problems);
            let bytes = fields.bytes("a");
            assert_eq!(bytes.as_deref(), expected.map(str::as_bytes), "{object}");
            assert_eq!(problems.len(), usize::from(expected.is_none()));
        }
    }

    #[test]
    fn problems_without_end_are_not_kept() {
        let object: Map<String, Value> = (0..1000)
            .map(|number| (number.to_string(), Value::Null))
            .collect();
        let mut problems = Vec::new();
        Fields::new(&object, "", &mut problems).refuse_others();
        assert_eq!(problems.len(), MAX_PROBLEMS);
    }
}
