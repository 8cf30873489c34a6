//! What a kubectl makes of the file: which document it takes, and what it decodes in it
//! (k8s.io/kubectl/pkg/kuberc).

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::{GROUP, KIND, LookPath};
use crate::text;
use crate::text::{Label, Show as _, Text};
use crate::yaml;

/// What a kubectl makes of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reading {
    /// It does as this says.
    Taken(Policy, Vec<String>),
    /// It takes nothing of it, and goes on.
    Passed(Text),
    /// It ends with an error, whatever it was to do.
    Mistake(Text),
}

/// `credentialPluginPolicy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Policy {
    None,
    AllowAll,
    DenyAll,
    Allowlist,
}

/// kubectls that read a list differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    /// 1.35.
    Old,
    /// 1.36 and later.
    New,
}

impl Reading {
    /// Whether kubectl runs a command by it, and why.
    pub(super) fn runs(&self, command: &str, look_path: LookPath<'_>) -> Result<Text, Text> {
        let shown = Label::from(command);
        let (policy, allowlist) = match self {
            Self::Mistake(mistake) => return Err(text!("there is a mistake in it: {}", mistake)),
            Self::Passed(why) => {
                return Ok(text!(
                    "kubectl takes none of this file, and runs everything: {}; if $KUBERC or --kuberc \
                     names it, kubectl runs no command at all",
                    why
                ));
            }
            Self::Taken(policy, allowlist) => (*policy, allowlist),
        };
        if policy == Policy::DenyAll {
            return Err("the policy is DenyAll: no plugin runs".into());
        }
        let Some(found) = look_path(command) else {
            return Err(text!("the PATH leads to no {}", shown));
        };
        let found = clean(&found);
        let is_it = |entry: &&String| {
            if entry.contains('/') {
                return Path::new(entry.as_str()) == found.as_path();
            }
            look_path(entry).is_some_and(|listed| clean(&listed) == found)
        };
        match policy {
            Policy::None => Ok("no policy is set, so that everything runs".into()),
            Policy::AllowAll => Ok("everything runs".into()),
            _ => match allowlist.iter().find(is_it) {
                Some(entry) => Ok(text!("{} is in the list", Label::from(entry.as_str()))),
                None => Err(text!("nothing in the list is {}", shown)),
            },
        }
    }
}

/// The document that a kubectl takes, with the line that it starts in.
pub(super) type Taken = (usize, Map<String, Value>);

/// A document with the line that it starts in, or why it is none.
pub(super) type Part = (usize, Result<Value, Text>);

/// The documents of a file that have anything in them; an error where kubectl reads no further
/// (k8s.io/apimachinery/pkg/util/yaml `YAMLReader`).
pub(super) fn documents(input: &[u8]) -> impl Iterator<Item = Result<Part, Text>> {
    let mut lines = input.split_inclusive(|byte| *byte == b'\n').zip(1..);
    let mut start = 1;
    let mut is_over = false;
    std::iter::from_fn(move || {
        let mut document: Vec<u8> = Vec::new();
        while !is_over {
            let Some((line, number)) = lines.next() else {
                is_over = true;
                break;
            };
            if let Some(rest) = line.strip_prefix(b"---") {
                match rest.trim_ascii().first() {
                    None | Some(b'#') if !document.trim_ascii().is_empty() => {
                        let ended = std::mem::take(&mut document);
                        return Some(Ok((
                            std::mem::replace(&mut start, number + 1),
                            value(&ended),
                        )));
                    }
                    None | Some(b'#') => {
                        start = number + 1;
                        continue;
                    }
                    Some(_) => {
                        is_over = true;
                        return Some(Err(text!(
                            "something stands behind the --- of line {}",
                            number
                        )));
                    }
                }
            }
            document.extend_from_slice(line);
        }
        (!document.trim_ascii().is_empty()).then(|| Ok((start, value(&document))))
    })
}

fn value(document: &[u8]) -> Result<Value, Text> {
    yaml::first_document(document).map_err(|error| error.show())
}

/// What a kubectl makes of a file, and which document of it that is.
pub(super) fn reading(input: &[u8], version: Version) -> (Reading, Option<Taken>) {
    let mut first_problem = None;
    for document in documents(input) {
        let (line, value) = match document {
            Ok(document) => document,
            Err(problem) => return (Reading::Passed(problem), None),
        };
        let object = value.and_then(|value| match value {
            Value::Object(object) => Ok(object),
            _ => Err("it is no mapping".into()),
        });
        let decoded =
            object.and_then(|object| decode(&object, version).map(|fields| (object, fields)));
        match decoded {
            Ok((object, fields)) => {
                let reading = fields.reading();
                return (reading, Some((line, object)));
            }
            Err(problem) => {
                first_problem.get_or_insert_with(|| text!("line {}: {}", line, problem));
            }
        }
    }
    let problem = first_problem.unwrap_or_else(|| "there is nothing in it".into());
    (Reading::Passed(problem), None)
}

/// What is looked at once a document was decoded.
struct Fields {
    policy: String,
    /// What each entry names.
    allowlist: Option<Vec<String>>,
    /// Whether an entry names something by a field that this kubectl does not know.
    has_unknown_command: bool,
    aliases: Vec<String>,
    options: Vec<String>,
}

/// Decodes as `scheme.LenientCodecs` does: fields that are not known are passed over, and those of
/// another type are not. A field's name counts in its own case alone.
fn decode(object: &Map<String, Value>, version: Version) -> Result<Fields, Text> {
    let api_version = string(object, "apiVersion")?;
    let (defaults, options, has_policy) = match api_version.strip_prefix(GROUP) {
        Some("v1alpha1") => ("overrides", "flags", false),
        Some("v1beta1") => ("defaults", "options", true),
        _ => {
            return Err(text!(
                "its apiVersion is neither {}v1beta1 nor {}v1alpha1",
                GROUP,
                GROUP
            ));
        }
    };
    if string(object, "kind")? != KIND {
        return Err(text!("its kind is not {}", KIND));
    }
    let mut fields = Fields {
        policy: String::new(),
        allowlist: None,
        has_unknown_command: false,
        aliases: Vec::new(),
        options: Vec::new(),
    };
    for (list, is_alias) in [(defaults, false), ("aliases", true)] {
        for entry in mappings(object, list)?.unwrap_or_default() {
            let name = if is_alias { "name" } else { "command" };
            let name = string(&entry, name)?;
            if is_alias {
                string(&entry, "command")?;
                strings(&entry, "prependArgs")?;
                strings(&entry, "appendArgs")?;
                fields.aliases.push(name.to_owned());
            }
            for option in mappings(&entry, options)?.unwrap_or_default() {
                string(&option, "default")?;
                fields.options.push(string(&option, "name")?.to_owned());
            }
        }
    }
    if !has_policy {
        return Ok(fields);
    }
    string(object, "credentialPluginPolicy")?.clone_into(&mut fields.policy);
    if let Some(entries) = mappings(object, "credentialPluginAllowlist")? {
        let mut names = Vec::new();
        for entry in entries {
            let name = string(&entry, "name")?;
            names.push(match version {
                Version::Old => {
                    fields.has_unknown_command |= name.is_empty() && entry.contains_key("command");
                    name.to_owned()
                }
                Version::New => match (string(&entry, "command")?, name) {
                    (command, "") => command.to_owned(),
                    ("", name) => name.to_owned(),
                    (command, name) if command == name => name.to_owned(),
                    _ => return Err("an entry of the list has another command than name".into()),
                },
            });
        }
        fields.allowlist = Some(names);
    }
    Ok(fields)
}

/// Nothing is as good as an empty string (encoding/json).
fn string<'a>(object: &'a Map<String, Value>, field: &'static str) -> Result<&'a str, Text> {
    match object.get(field) {
        None | Some(Value::Null) => Ok(""),
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(text!("{} is not a string", field)),
    }
}

fn list<'a>(
    object: &'a Map<String, Value>,
    field: &'static str,
) -> Result<Option<&'a Vec<Value>>, Text> {
    match object.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(list)) => Ok(Some(list)),
        Some(_) => Err(text!("{} is not a list", field)),
    }
}

fn strings(object: &Map<String, Value>, field: &'static str) -> Result<(), Text> {
    let list = list(object, field)?.into_iter().flatten();
    let is_string = |value: &Value| value.is_string() || value.is_null();
    if list.into_iter().all(is_string) {
        return Ok(());
    }
    Err(text!("something in {} is not a string", field))
}

/// Nothing is as good as an empty mapping.
fn mappings(
    object: &Map<String, Value>,
    field: &'static str,
) -> Result<Option<Vec<Map<String, Value>>>, Text> {
    let Some(list) = list(object, field)? else {
        return Ok(None);
    };
    let mapping = |value: &Value| match value {
        Value::Object(object) => Ok(object.clone()),
        Value::Null => Ok(Map::new()),
        _ => Err(text!("something in {} is no mapping", field)),
    };
    list.iter().map(mapping).collect::<Result<_, _>>().map(Some)
}

impl Fields {
    /// Checks what kubectl checks before everything else.
    fn reading(self) -> Reading {
        match self.checked() {
            Ok(policy) => Reading::Taken(policy, self.allowlist.unwrap_or_default()),
            Err(mistake) => Reading::Mistake(mistake),
        }
    }

    fn checked(&self) -> Result<Policy, Text> {
        let mut seen = HashSet::new();
        for alias in &self.aliases {
            if alias.is_empty() || !alias.bytes().all(|byte| byte.is_ascii_alphabetic()) {
                return Err("the name of an alias is not letters alone".into());
            }
            if !seen.insert(alias) {
                return Err("two aliases have one name".into());
            }
        }
        if self.options.iter().any(|name| name.starts_with('-')) {
            return Err("the name of an option starts with a dash".into());
        }
        let policy = match self.policy.as_str() {
            "" => Policy::None,
            "AllowAll" => Policy::AllowAll,
            "DenyAll" => Policy::DenyAll,
            "Allowlist" => Policy::Allowlist,
            other => return Err(text!("there is no policy {}", Label::from(other))),
        };
        let entries = match (policy, self.allowlist.as_deref()) {
            (Policy::Allowlist, None | Some([])) => {
                return Err("the policy is Allowlist, and there is no list".into());
            }
            (Policy::Allowlist, Some(entries)) => entries,
            (_, Some(_)) => {
                return Err("there is a list, and the policy is not Allowlist".into());
            }
            (_, None) => return Ok(policy),
        };
        for entry in entries {
            if entry.is_empty() && self.has_unknown_command {
                return Err("an entry of the list has command, where 1.35 wants name".into());
            }
            if entry.is_empty() {
                return Err("an entry of the list names nothing".into());
            }
            let cleaned = clean(Path::new(entry));
            if cleaned.as_os_str() != entry.as_str() {
                return Err(text!(
                    "the entry {} has to be written {}",
                    Label::from(entry.as_str()),
                    Label::from(cleaned.to_string_lossy().as_ref())
                ));
            }
        }
        Ok(policy)
    }
}

/// The shortest path of the same meaning where no folder is a link (Go `filepath.Clean`).
pub(super) fn clean(path: &Path) -> PathBuf {
    use std::path::Component;
    let mut cleaned = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => match cleaned.components().next_back() {
                Some(Component::Normal(_)) => {
                    cleaned.pop();
                }
                Some(Component::RootDir) => {}
                _ => cleaned.push(".."),
            },
            other => cleaned.push(other),
        }
    }
    if cleaned.as_os_str().is_empty() {
        cleaned.push(".");
    }
    cleaned
}
