//! kubectl's own preferences, as far as they say which programs a kubeconfig may have it run
//! (k8s.io/kubectl/pkg/kuberc, `Preference` of kubectl.config.k8s.io/v1beta1; kubectl 1.35 and later).

use std::path::PathBuf;

use serde_json::{Map, Value};

use crate::shell::Command;
use crate::text;
use crate::text::{Label, Text};

/// `kind` of the file.
pub const KIND: &str = "Preference";

/// `apiVersion` of a file in which kubectl looks for a policy.
const API_VERSION: &str = "kubectl.config.k8s.io/v1beta1";

/// The part of a kuberc that is about credential plugins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kuberc {
    policy: Result<Policy, Text>,
    /// What may run, by name or path.
    allowlist: Vec<String>,
}

/// `credentialPluginPolicy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// There is none, and everything runs.
    None,
    /// `AllowAll`.
    AllowAll,
    /// `DenyAll`.
    DenyAll,
    /// `Allowlist`.
    Allowlist,
}

impl Policy {
    /// As it is written; nothing where it is not.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::AllowAll => Some("AllowAll"),
            Self::DenyAll => Some("DenyAll"),
            Self::Allowlist => Some("Allowlist"),
        }
    }
}

/// The file that a command without a slash runs, by the folders of the path.
pub type LookPath<'a> = &'a dyn Fn(&str) -> Option<PathBuf>;

impl Kuberc {
    /// Reads the preferences in an object.
    #[must_use]
    pub fn read(object: &Map<String, Value>) -> Self {
        let version = object.get("apiVersion").and_then(Value::as_str);
        if version != Some(API_VERSION) {
            // kubectl says so, and goes on without any of it.
            return Self {
                policy: Ok(Policy::None),
                allowlist: Vec::new(),
            };
        }
        let listed = object.get("credentialPluginAllowlist");
        let listed = listed.filter(|value| !value.is_null());
        let entries = listed.and_then(Value::as_array);
        let entries = entries.map_or(&[][..], Vec::as_slice);
        let names = entries.iter().filter_map(|entry| name(entry).ok());
        Self {
            allowlist: names.map(str::to_owned).collect(),
            policy: policy(object, listed.is_some(), entries),
        }
    }

    /// The policy, or why kubectl does not take the file.
    ///
    /// # Errors
    ///
    /// With the mistake in the file, for which kubectl runs no command at all.
    pub fn policy(&self) -> Result<Policy, &Text> {
        self.policy.as_ref().copied()
    }

    /// What may run, by name or path.
    #[must_use]
    pub fn allowlist(&self) -> &[String] {
        &self.allowlist
    }

    /// What has kubectl (1.36 and later) run this command besides what may run already.
    #[must_use]
    pub fn allowing(&self, command: &str) -> Command {
        let others = self.allowlist.iter().map(String::as_str);
        allowing(others.filter(|other| *other != command).chain([command]))
    }

    /// Whether kubectl runs this command of a kubeconfig, and why (client-go
    /// `clientcmd.ExecProvider`, `plugin/pkg/client/auth/exec` `allowsPlugin`). Links are not followed.
    ///
    /// # Errors
    ///
    /// With the reason why it does not.
    pub fn runs(&self, command: &str, look_path: LookPath<'_>) -> Result<Text, Text> {
        let policy = match &self.policy {
            Ok(policy) => *policy,
            Err(mistake) => {
                return Err(text!("there is a mistake in it: {}", mistake));
            }
        };
        match policy {
            Policy::None => Ok("no policy is set, so that everything runs".into()),
            Policy::AllowAll => Ok("everything runs".into()),
            Policy::DenyAll => Err("the policy is DenyAll: no plugin runs".into()),
            Policy::Allowlist => {
                let found = look_path(command);
                let is_it = |entry: &&String| {
                    entry.as_str() == command
                        || found.as_ref().is_some_and(|found| {
                            let listed = if entry.contains('/') {
                                Some(PathBuf::from(entry))
                            } else {
                                look_path(entry)
                            };
                            listed.as_ref() == Some(found)
                        })
                };
                let command = Label::from(command);
                match self.allowlist.iter().find(is_it) {
                    Some(entry) => Ok(text!("{} is in the list", Label::from(entry.as_str()))),
                    None => Err(text!("nothing in the list is {}", command)),
                }
            }
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

/// The one thing that an entry names. From 1.36 on that is `command`, and `name` is its old name.
fn name(entry: &Value) -> Result<&str, Text> {
    let field = |name| entry.get(name).and_then(Value::as_str).unwrap_or_default();
    match (field("command"), field("name")) {
        ("", "") => Err("an entry of the list names nothing".into()),
        (name, "") | ("", name) => Ok(name),
        _ => Err("an entry of the list has both command and name".into()),
    }
}

fn policy(object: &Map<String, Value>, is_listed: bool, entries: &[Value]) -> Result<Policy, Text> {
    let policy = match object.get("credentialPluginPolicy") {
        None | Some(Value::Null) => Policy::None,
        Some(Value::String(policy)) => match policy.as_str() {
            "" => Policy::None,
            "AllowAll" => Policy::AllowAll,
            "DenyAll" => Policy::DenyAll,
            "Allowlist" => Policy::Allowlist,
            other => return Err(text!("there is no policy {}", Label::from(other))),
        },
        Some(_) => return Err("the policy is not a string".into()),
    };
    if policy == Policy::Allowlist {
        if entries.is_empty() {
            return Err("the policy is Allowlist, and there is no list".into());
        }
        return entries
            .iter()
            .try_for_each(|entry| name(entry).map(|_| ()))
            .map(|()| policy);
    }
    if is_listed {
        return Err("there is a list, and the policy is not Allowlist".into());
    }
    Ok(policy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Show as _;
    use crate::yaml;

    fn read(fields: &str) -> Kuberc {
        let text = format!("apiVersion: {API_VERSION}\nkind: Preference\n{fields}\n");
        let value = yaml::first_document(text.as_bytes()).unwrap();
        Kuberc::read(value.as_object().unwrap())
    }

    /// Two programs on the path.
    fn look_path(command: &str) -> Option<PathBuf> {
        match command {
            "kube-enroll" | "/opt/kube-enroll" => Some("/opt/kube-enroll".into()),
            "kubectl-enroll" => Some("/opt/kubectl-enroll".into()),
            _ => None,
        }
    }

    #[test]
    fn what_may_run_already_goes_on_to() {
        let kuberc =
            read("credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist: [{command: aws}]");
        assert_eq!(
            kuberc.allowing("kube-enroll").show().as_str(),
            "kubectl kuberc set --section credentialplugin --policy Allowlist --allowlist-entry \
             command=aws --allowlist-entry command=kube-enroll"
        );
    }

    /// Each was tried with kubectl 1.35.2, with `name` for `command`.
    #[test]
    fn kubectl_runs_what_the_policy_allows_by_name_or_by_path() {
        let list = |entry: &str| {
            format!("credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist: {entry}")
        };
        for (fields, command, runs) in [
            (String::new(), "kube-enroll", true),
            (
                "credentialPluginPolicy: AllowAll".into(),
                "kube-enroll",
                true,
            ),
            ("credentialPluginPolicy: ''".into(), "kube-enroll", true),
            (
                "credentialpluginpolicy: DenyAll".into(),
                "kube-enroll",
                true,
            ),
            (
                "credentialPluginPolicy: DenyAll".into(),
                "kube-enroll",
                false,
            ),
            (list("[{command: kube-enroll}]"), "kube-enroll", true),
            (list("[{name: kube-enroll}]"), "kube-enroll", true),
            (list("[{command: /opt/kube-enroll}]"), "kube-enroll", true),
            (list("[{command: kube-enroll}]"), "/opt/kube-enroll", true),
            (
                list("[{command: aws}, {command: kube-enroll}]"),
                "kube-enroll",
                true,
            ),
            (list("[{command: aws}]"), "kube-enroll", false),
            (list("[{command: kube-enroll}]"), "kubectl-enroll", false),
            (list("[{command: opt/kube-enroll}]"), "kube-enroll", false),
            (
                list("[{command: kube-enroll}]"),
                "/elsewhere/kube-enroll",
                false,
            ),
        ] {
            let answer = read(&fields).runs(command, &look_path);
            assert_eq!(answer.is_ok(), runs, "{fields} {command}: {answer:?}");
        }
    }

    #[test]
    fn a_file_that_kubectl_does_not_take_lets_it_run_nothing() {
        for (fields, said) in [
            ("credentialPluginPolicy: Some", "there is no policy Some"),
            ("credentialPluginPolicy: Allowlist", "there is no list"),
            (
                "credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist: []",
                "there is no list",
            ),
            (
                "credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist: [{}]",
                "names nothing",
            ),
            (
                "credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist: [{name: a, command: a}]",
                "has both",
            ),
            (
                "credentialPluginPolicy: DenyAll\ncredentialPluginAllowlist: []",
                "the policy is not Allowlist",
            ),
            (
                "credentialPluginAllowlist: [{name: a}]",
                "the policy is not Allowlist",
            ),
        ] {
            let kuberc = read(fields);
            let answer = kuberc.runs("a", &look_path).unwrap_err();
            assert!(answer.as_str().contains(said), "{fields}: {answer}");
            assert!(kuberc.policy().is_err());
        }
    }

    #[test]
    fn a_policy_counts_in_the_version_that_has_it_alone() {
        for version in ["kubectl.config.k8s.io/v1alpha1", "v1"] {
            let text =
                format!("apiVersion: {version}\nkind: Preference\ncredentialPluginPolicy: DenyAll");
            let value = yaml::first_document(text.as_bytes()).unwrap();
            let kuberc = Kuberc::read(value.as_object().unwrap());
            assert_eq!(kuberc.policy(), Ok(Policy::None));
        }
    }
}
