//! kubectl's own preferences, as far as they say which programs a kubeconfig may have it run
//! (k8s.io/kubectl/pkg/kuberc, `Preference` of kubectl.config.k8s.io; kubectl 1.35 and later).
//!
//! Two kubectls read the same file differently: what an entry of the list names is `name` for 1.35,
//! and `command` from 1.36 on, which takes `name` as well.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::manifest;
use crate::shell::Command;
use crate::text;
use crate::text::{Label, Show as _, Text};
use crate::yaml;

/// `kind` of the file.
pub const KIND: &str = "Preference";

/// The name that kubectl gives the file.
const FILE: &str = "kuberc";

const GROUP: &str = "kubectl.config.k8s.io/";

/// The part of a kuberc that is about credential plugins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kuberc {
    policy: Option<String>,
    allowlist: Vec<String>,
    line: Option<usize>,
    old: Reading,
    new: Reading,
}

/// What a kubectl makes of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Reading {
    /// It does as this says.
    Taken(Policy, Vec<String>),
    /// It takes nothing of it, and goes on.
    Passed(Text),
    /// It ends with an error, whatever it was to do.
    Mistake(Text),
}

/// `credentialPluginPolicy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Policy {
    None,
    AllowAll,
    DenyAll,
    Allowlist,
}

/// kubectls that read a list differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    /// 1.35.
    Old,
    /// 1.36 and later.
    New,
}

/// Whether kubectl runs a command of a kubeconfig, and why or why not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// kubectl 1.35.
    pub old: Result<Text, Text>,
    /// kubectl 1.36 and later.
    pub new: Result<Text, Text>,
}

/// The file that a command without a slash runs, by the folders of the path.
pub type LookPath<'a> = &'a dyn Fn(&str) -> Option<PathBuf>;

/// Whether a file is kubectl's preferences: by its name, or by what it says of itself. What holds a
/// request is none, since that is what somebody would have looked at.
#[must_use]
pub fn is_kuberc(source: &str, input: &[u8]) -> bool {
    let is_named = Path::new(source)
        .file_name()
        .is_some_and(|name| name == FILE);
    if !is_named && memchr::memmem::find(input, GROUP.as_bytes()).is_none() {
        return false;
    }
    let objects: Vec<_> = documents(input).map_while(Result::ok).collect();
    let mut objects = objects
        .iter()
        .filter_map(|document| document.1.as_ref().ok());
    let text = |object: &Value, field| object.get(field).and_then(Value::as_str).map(str::to_owned);
    let mut says_so = false;
    let has_others = objects.any(|object| {
        let group = text(object, "apiVersion").unwrap_or_default();
        says_so |= group.starts_with(GROUP);
        text(object, "kind").is_some_and(|kind| kind == manifest::KIND || kind.ends_with("List"))
    });
    !has_others && (is_named || says_so)
}

impl Answer {
    /// Whether the kubectls of this time run it.
    #[must_use]
    pub fn runs(&self) -> bool {
        self.new.is_ok()
    }

    /// Yes or no, and why; both where the kubectls differ.
    #[must_use]
    pub fn said(&self) -> Text {
        let said = |answer: &Result<Text, Text>, whose: &'static str| {
            let (word, why) = match answer {
                Ok(why) => ("yes", why),
                Err(why) => ("no", why),
            };
            text!("{}{}: {}", word, whose, why)
        };
        if self.old.is_ok() == self.new.is_ok() {
            return said(&self.new, "");
        }
        let new = said(&self.new, " with kubectl 1.36 and later");
        text!("{}; {}", new, said(&self.old, " with 1.35"))
    }
}

impl Kuberc {
    /// Reads preferences as kubectl does: of several documents it takes the first that it can read.
    #[must_use]
    pub fn read(input: &[u8]) -> Self {
        let (old, _) = reading(input, Version::Old);
        let (new, taken) = reading(input, Version::New);
        let listed = |(_, object): &Taken| {
            let entries = object.get("credentialPluginAllowlist")?.as_array()?.clone();
            let field = |entry: &Value, name| entry.get(name)?.as_str().map(str::to_owned);
            let named = |entry: &Value| {
                field(entry, "command")
                    .filter(|command| !command.is_empty())
                    .or_else(|| field(entry, "name"))
            };
            Some(entries.iter().filter_map(named).collect())
        };
        let policy =
            |(_, object): &Taken| Some(object.get("credentialPluginPolicy")?.as_str()?.to_owned());
        let is_one_of_several = documents(input).nth(1).is_some();
        Self {
            policy: taken.as_ref().and_then(policy),
            allowlist: taken.as_ref().and_then(listed).unwrap_or_default(),
            line: taken.filter(|_| is_one_of_several).map(|(line, _)| line),
            old,
            new,
        }
    }

    /// The same in a file that `$KUBERC` or `--kuberc` names, of which kubectl has to take something.
    #[must_use]
    pub fn named(mut self) -> Self {
        for reading in [&mut self.old, &mut self.new] {
            if let Reading::Passed(why) = reading {
                *reading = Reading::Mistake(std::mem::take(why));
            }
        }
        self
    }

    /// The policy, as it is written in what kubectl takes.
    #[must_use]
    pub fn policy(&self) -> Option<&str> {
        self.policy.as_deref()
    }

    /// The policy as it is written, else what kubectl (1.36 and later) does without one.
    #[must_use]
    pub fn policy_said(&self) -> Text {
        match (&self.policy, &self.new) {
            (Some(policy), _) => Label::from(policy.as_str()).show(),
            (None, Reading::Taken(..)) => "none is set: kubectl runs every command".into(),
            (None, Reading::Passed(_)) => {
                "none: kubectl takes nothing of this file, and runs every command".into()
            }
            (None, Reading::Mistake(_)) => {
                "none: kubectl takes nothing of this file, and runs no command".into()
            }
        }
    }

    /// What may run, by name or path, as it is written in what kubectl takes.
    #[must_use]
    pub fn allowlist(&self) -> &[String] {
        &self.allowlist
    }

    /// The line, counted from 1, of the document that kubectl takes, where there are several.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        self.line
    }

    /// The mistake for which kubectl (1.36 and later) does nothing at all with this file.
    #[must_use]
    pub fn mistake(&self) -> Option<&Text> {
        match &self.new {
            Reading::Mistake(mistake) => Some(mistake),
            _ => None,
        }
    }

    /// What has kubectl (1.36 and later) run this command besides what may run already; nothing where
    /// the file has to be corrected first, since that command reads it too.
    #[must_use]
    pub fn allowing(&self, command: &str) -> Option<Command> {
        if self.mistake().is_some() {
            return None;
        }
        let others = self.allowlist.iter().map(String::as_str);
        Some(allowing(
            others.filter(|other| *other != command).chain([command]),
        ))
    }

    /// Whether kubectl runs this command of a kubeconfig, and why (client-go
    /// `plugin/pkg/client/auth/exec`). Links are not followed.
    #[must_use]
    pub fn runs(&self, command: &str, look_path: LookPath<'_>) -> Answer {
        Answer {
            old: self.old.runs(command, look_path),
            new: self.new.runs(command, look_path),
        }
    }
}

impl Reading {
    fn runs(&self, command: &str, look_path: LookPath<'_>) -> Result<Text, Text> {
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

/// What has kubectl (1.36 and later) run these commands of kubeconfigs and no others.
pub fn allowing<'a>(commands: impl IntoIterator<Item = &'a str>) -> Command {
    let set = Command::new("kubectl").word("kuberc").word("set");
    let set = set.option("--section", "credentialplugin");
    let set = set.option("--policy", "Allowlist");
    commands.into_iter().fold(set, |set, command| {
        set.option("--allowlist-entry", format!("command={command}"))
    })
}

/// The document that a kubectl takes, with the line that it starts in.
type Taken = (usize, Map<String, Value>);

/// A document with the line that it starts in, or why it is none.
type Part = (usize, Result<Value, Text>);

/// The documents of a file that have anything in them; an error where kubectl reads no further
/// (k8s.io/apimachinery/pkg/util/yaml `YAMLReader`).
fn documents(input: &[u8]) -> impl Iterator<Item = Result<Part, Text>> {
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
fn reading(input: &[u8], version: Version) -> (Reading, Option<Taken>) {
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
fn clean(path: &Path) -> PathBuf {
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

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "apiVersion: kubectl.config.k8s.io/v1beta1\nkind: Preference\n";

    fn read(fields: &str) -> Kuberc {
        Kuberc::read(format!("{HEAD}{fields}\n").as_bytes())
    }

    fn list(entries: &str) -> String {
        format!("credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist: {entries}")
    }

    /// Two programs on the path.
    fn look_path(command: &str) -> Option<PathBuf> {
        match command {
            "kube-enroll" | "/opt/kube-enroll" => Some("/opt/kube-enroll".into()),
            "kubectl-enroll" => Some("/opt/kubectl-enroll".into()),
            "aws" => Some("/opt/aws".into()),
            command => command.starts_with('/').then(|| command.into()),
        }
    }

    #[test]
    fn what_may_run_already_goes_on_to() {
        let kuberc = read(&list("[{command: aws}]"));
        assert_eq!(
            kuberc.allowing("kube-enroll").unwrap().show().as_str(),
            "kubectl kuberc set --section credentialplugin --policy Allowlist --allowlist-entry \
             command=aws --allowlist-entry command=kube-enroll"
        );
    }

    #[test]
    fn kubectl_runs_what_the_policy_allows_by_name_or_by_path() {
        for (fields, command, runs) in [
            (String::new(), "kube-enroll", true),
            (String::new(), "no-such-program", false),
            (list("[{name: kube-enroll}]"), "kube-enroll", true),
            (list("[{name: /opt/kube-enroll}]"), "kube-enroll", true),
            (list("[{name: kube-enroll}]"), "/opt/kube-enroll", true),
            (
                list("[{name: /opt/kube-enroll}]"),
                "/opt/../opt/kube-enroll",
                true,
            ),
            (
                list("[{name: aws}, {name: kube-enroll}]"),
                "kube-enroll",
                true,
            ),
            (list("[{name: aws}]"), "kube-enroll", false),
            (list("[{name: kube-enroll}]"), "kubectl-enroll", false),
            (list("[{name: opt/kube-enroll}]"), "kube-enroll", false),
            (
                list("[{name: kube-enroll}]"),
                "/elsewhere/kube-enroll",
                false,
            ),
        ] {
            let answer = read(&fields).runs(command, &look_path);
            assert_eq!(answer.old.is_ok(), runs, "{fields} {command}: {answer:?}");
            assert_eq!(answer.new.is_ok(), runs, "{fields} {command}: {answer:?}");
        }
    }

    #[test]
    fn a_path_is_cleaned_as_go_cleans_it() {
        for (path, cleaned) in [
            ("/usr//bin/x", "/usr/bin/x"),
            ("/usr/../bin/x", "/bin/x"),
            ("/../x", "/x"),
            ("./x", "x"),
            ("x/", "x"),
            ("x/..", "."),
            ("../x", "../x"),
            ("../../x", "../../x"),
            ("sub/x", "sub/x"),
            ("/", "/"),
        ] {
            assert_eq!(clean(Path::new(path)).as_os_str(), cleaned, "{path}");
        }
    }

    #[test]
    fn a_mistake_is_told_and_no_command_can_mend_it() {
        for (fields, said) in [
            (
                "credentialPluginPolicy: Some".to_owned(),
                "there is no policy Some",
            ),
            (
                "credentialPluginPolicy: Allowlist".to_owned(),
                "there is no list",
            ),
            (list("[]"), "there is no list"),
            (list("[{}]"), "names nothing"),
            (list("[{name: /usr//bin/x}]"), "/usr/bin/x"),
            (
                "credentialPluginPolicy: DenyAll\ncredentialPluginAllowlist: []".to_owned(),
                "the policy is not Allowlist",
            ),
            (
                "aliases: [{name: a1, command: get}]".to_owned(),
                "letters alone",
            ),
        ] {
            let kuberc = read(&fields);
            let answer = kuberc.runs("aws", &look_path).new.unwrap_err();
            assert!(answer.as_str().contains(said), "{fields}: {answer}");
            assert!(kuberc.mistake().is_some());
            assert!(kuberc.allowing("aws").is_none());
        }
        assert_eq!(read("credentialPluginPolicy: Some").policy(), Some("Some"));
    }

    #[test]
    fn the_answers_of_two_kubectls_are_both_told_where_they_differ() {
        let answer = read(&list("[{command: kube-enroll}]")).runs("kube-enroll", &look_path);
        assert_eq!(
            answer.said().as_str(),
            "yes with kubectl 1.36 and later: kube-enroll is in the list; no with 1.35: there is a \
             mistake in it: an entry of the list has command, where 1.35 wants name"
        );
        let answer = read(&list("[{name: aws}]")).runs("kube-enroll", &look_path);
        assert_eq!(
            answer.said().as_str(),
            "no: nothing in the list is kube-enroll"
        );
    }

    #[test]
    fn of_several_documents_the_first_that_kubectl_can_read_counts() {
        let deny = format!("{HEAD}credentialPluginPolicy: DenyAll\n");
        let alpha = HEAD.replace("v1beta1", "v1alpha1");
        for (first, line) in [
            ("foo: [bar\n", Some(2)),
            ("kind: ConfigMap\napiVersion: v1\n", Some(3)),
            (alpha.as_str(), None),
        ] {
            let kuberc = Kuberc::read(format!("{first}---\n{deny}").as_bytes());
            let runs = kuberc.runs("aws", &look_path).new.is_ok();
            assert_eq!(runs, line.is_none(), "{first}");
            assert_eq!(
                kuberc.line(),
                line.map(|line| line + 1).or(Some(1)),
                "{first}"
            );
        }
    }

    #[test]
    fn a_file_with_a_request_in_it_is_not_taken_for_preferences() {
        let request = "kind: CertificateSigningRequest\n";
        assert!(is_kuberc("kuberc", b"foo: [bar"));
        assert!(is_kuberc("x.yaml", HEAD.as_bytes()));
        let lower = HEAD.replace("Preference", "preference");
        assert!(is_kuberc("x.yaml", lower.as_bytes()));
        assert!(!is_kuberc("x.yaml", b"kind: Preference"));
        assert!(!is_kuberc("kuberc", request.as_bytes()));
        assert!(!is_kuberc(
            "kuberc",
            format!("{HEAD}---\n{request}").as_bytes()
        ));
    }
}
