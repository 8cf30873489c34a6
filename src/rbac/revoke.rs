//! How access is taken away: a script to read, and to run as far as one agrees with it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};

use serde_json::Value;

use crate::shell::quote;
use crate::text::{Label, Show as _};

use super::deny::review;
use super::{MASTERS, RbacError, Subject, SubjectKind, SystemNames};

const BINDINGS: &str = "rolebindings,clusterrolebindings --all-namespaces";

/// So many groups of a certificate are told one by one: nobody reads more.
const TOLD: usize = 100;

/// A file that goes with the script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerFile {
    /// Its name beside the script.
    pub name: &'static str,
    /// Where API servers look for it.
    pub path: String,
    /// What is in it.
    pub text: String,
}

/// Users and groups whose access ends. Its [`script`](Self::script) is made of `kubectl` commands, with
/// what they do and what they cannot do in comments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccessRemoval {
    users: BTreeMap<String, BTreeSet<String>>,
    groups: BTreeSet<String>,
}

impl AccessRemoval {
    /// Takes it from a user in these groups.
    ///
    /// # Errors
    ///
    /// [`RbacError::Nameless`] for a user without a name.
    pub fn user(&mut self, name: &str, groups: &[String]) -> Result<(), RbacError> {
        Subject::user(name, SystemNames::Allow)?;
        let known = self.users.entry(name.to_owned()).or_default();
        known.extend(groups.iter().cloned());
        Ok(())
    }

    /// Takes it from everybody in a group.
    ///
    /// # Errors
    ///
    /// [`RbacError::Nameless`] for a group without a name, and [`RbacError::Masters`].
    pub fn group(&mut self, name: &str) -> Result<(), RbacError> {
        Subject::group(name, SystemNames::Allow)?;
        self.groups.insert(name.to_owned());
        Ok(())
    }

    /// The users, sorted.
    pub fn users(&self) -> impl Iterator<Item = &str> {
        self.users.keys().map(String::as_str)
    }

    /// Whether nobody loses anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.users.is_empty() && self.groups.is_empty()
    }

    /// The script. `files` are what API servers read to deny the users' certificates, that they read at
    /// their start the last; `is_beside` says that they lie beside it; else it writes them.
    #[must_use]
    pub fn script(&self, files: &[ServerFile], is_beside: bool) -> String {
        let mut text = String::from(
            "#!/bin/sh\n\
             # Read this first, and run what you agree with: kubectl uses your rights, in the cluster of\n\
             # your current context. It ends at the first command that fails; what is done already is done\n\
             # once more when it is run again, and changes nothing.\n",
        );
        let script = Script {
            removal: self,
            files,
            is_beside,
        };
        // Writing to a String cannot fail.
        let _ = write!(text, "{script}");
        text
    }
}

struct Script<'a> {
    removal: &'a AccessRemoval,
    files: &'a [ServerFile],
    is_beside: bool,
}

impl fmt::Display for Script<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let removal = self.removal;
        f.write_str(STOPS)?;
        let mut parts = 0;
        let mut part = |title: &str, f: &mut fmt::Formatter<'_>| {
            parts += 1;
            writeln!(f, "\n##### Part {parts}: {title}\npart={parts}\n")
        };
        if !removal.users.is_empty() {
            part("the certificates", f)?;
            self.denial(f)?;
        }
        for (user, groups) in &removal.users {
            part(&format!("the user {}", named(user)), f)?;
            self.user(user, groups, f)?;
        }
        for group in &removal.groups {
            part(&format!("the group {}", named(group)), f)?;
            bindings(&subject(SubjectKind::Group, group), "", f)?;
        }
        f.write_str("\npart=\necho 'Everything is done.' >&2\n}\nrevoke\n")
    }
}

const STOPS: &str = r#"
set -euC
part=
say() {
  if [ -n "$part" ]; then
    echo "STOPPED in part $part of this script: the parts before it are done, the rest is NOT" >&2
  fi
}
trap say EXIT

# Of a script that was cut off nothing is run.
revoke() {
"#;

/// Writes standard input to a file, unless it is there already.
const PUT: &str = r#"
# What is there is not written over.
put() {
  text=$(cat)
  if [ -e "$1" ] && [ "$(cat "$1")" = "$text" ]; then
    echo "$1 is there already" >&2
  elif [ -e "$1" ]; then
    echo "$1 is there and says something else: move it away, or name it with --authorization-config" >&2
    return 1
  else
    printf '%s\n' "$text" > "$1"
  fi
}
"#;

const WHERE_IT_WORKS: &str = "# API servers refuse all certificates of these names, but for those that are kept (--keep). This
# works with Kubernetes 1.32 or later (kubectl version), where you can set the API servers' options,
# which managed clusters do not let you. There the certificates let their holders in until they end:
# bind nothing to these names until then, give the people others, and ask for shorter lifetimes.
#
# Copy the files to every control-plane node, the kubeconfig first:
";

const ONCE: &str = "# in place of --authorization-mode and --authorization-webhook-..., whose authorizers must stand in
# the file (kubeadm: in /etc/kubernetes/manifests/kube-apiserver.yaml). From then on it reads the
# file anew within a minute of each change, without a restart. A file that it cannot read changes
# nothing, until it is restarted and fails.
#
# To let somebody in again: with another name, which needs nothing here; or with a new certificate,
# and each that follows it, that is kept:
#   kube-enroll rbac --keep NEW.reply.yaml --authorization-config authorization-config.yaml
# or take the line of the name out of the file, once all its old certificates have ended.
";

const NOT_STOPPED: &str = "
# Not stopped by it: sessions that are open already (exec, port-forward, watch) until they end or
# the API server is restarted; tokens, and certificates of other names, that were made with it
# (kubectl get serviceaccounts,secrets --all-namespaces); and members of system:masters, for whom
# no authorizer is asked. Before Kubernetes 1.32 it does nothing, whatever the answer above is.
";

impl Script<'_> {
    fn denial(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(WHERE_IT_WORKS)?;
        for file in self.files {
            writeln!(f, "#   {} to {}", file.name, named(&file.path))?;
        }
        if let Some(configuration) = self.files.last() {
            writeln!(
                f,
                "#\n# Once for each API server: start it with\n#   {}",
                named(&format!("--authorization-config={}", configuration.path))
            )?;
        }
        f.write_str(ONCE)?;
        if !self.is_beside {
            f.write_str(PUT)?;
            for file in self.files {
                writeln!(f, "put {} <<'END'\n{}END", file.name, file.text)?;
            }
        }
        f.write_str(
            "\n# Ask an API server, after that minute, whether it denies certificates of the name that\n\
             # nobody kept: the answer is true, or nothing. Of several API servers each must be asked.\n",
        )?;
        for (user, groups) in &self.removal.users {
            writeln!(
                f,
                "kubectl create -o jsonpath='{{.status.denied}}{{\"\\n\"}}' -f - <<'END'\n{}\nEND",
                ascii_json(&review(user, groups))
            )?;
        }
        f.write_str(NOT_STOPPED)
    }

    fn user(
        &self,
        name: &str,
        groups: &BTreeSet<String>,
        f: &mut fmt::Formatter<'_>,
    ) -> fmt::Result {
        let user = subject(SubjectKind::User, name);
        f.write_str(
            "# Whoever goes on under this name, with a certificate that is kept, needs these bindings: then\n\
             # stop here.\n\n",
        )?;
        bindings(&user, "", f)?;
        if !groups.is_empty() {
            f.write_str(
                "\n# The groups are written in the certificate: what they may do stays allowed with it. What is\n\
                 # commented out here would take it from every member.\n",
            )?;
        }
        let told = groups.iter().filter(|group| *group != MASTERS).take(TOLD);
        for group in told {
            writeln!(f)?;
            bindings(&subject(SubjectKind::Group, group), "# ", f)?;
        }
        let more = groups.len().saturating_sub(TOLD);
        if more > 0 {
            writeln!(
                f,
                "\n# {more} more groups are in the certificate, and left out from here on."
            )?;
        }
        if groups.contains(MASTERS) {
            writeln!(
                f,
                "\n# {MASTERS} needs no binding and cannot lose anything by one."
            )?;
        }
        writeln!(
            f,
            "\n# See what the name and its groups may still do (for a namespace add --namespace):"
        )?;
        write!(f, "kubectl auth can-i --list --as={}", quote(name))?;
        for group in groups.iter().take(TOLD) {
            write!(f, " --as-group={}", quote(group))?;
        }
        writeln!(f)
    }
}

/// Deletes what was bound here, and finds what others bound.
fn bindings(subject: &Subject, before: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let (word, name) = (subject.kind.as_word(), named(&subject.name));
    writeln!(
        f,
        "# Delete what kube-enroll bound to the {word} {name}, an approver's role as well:"
    )?;
    writeln!(
        f,
        "{before}kubectl delete {BINDINGS} -l {}",
        subject.selector()
    )?;
    writeln!(
        f,
        "# Find what others bound to the {word} {name}; care for other subjects of it:"
    )?;
    writeln!(
        f,
        "kubectl get {BINDINGS} -o go-template={}",
        quote(found_by(subject))
    )
}

/// A name in a comment, which is one line.
fn named(name: &str) -> String {
    const LONGEST: usize = 300;
    let quoted = quote(name);
    if quoted.len() > LONGEST || quoted.contains('\n') {
        return format!("\"{}\"", Label::from(name).show());
    }
    quoted
}

/// A template of kubectl's that names each binding of a subject.
fn found_by(subject: &Subject) -> String {
    format!(
        "{{{{range $b := .items}}}}{{{{range .subjects}}}}\
         {{{{if and (eq .kind \"{}\") (eq .name \"{}\")}}}}\
         {{{{printf \"%s %q in %q: %s %q, subjects: %d\\n\" $b.kind $b.metadata.name \
         (or $b.metadata.namespace \"\") $b.roleRef.kind $b.roleRef.name (len $b.subjects)}}}}\
         {{{{end}}}}{{{{end}}}}{{{{end}}}}",
        subject.kind.as_kind(),
        go_string(&subject.name)
    )
}

/// The inside of a string as Go has it.
fn go_string(text: &str) -> String {
    let mut quoted = String::new();
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            ' '..='~' => quoted.push(c),
            // Writing to a String cannot fail.
            _ => drop(write!(quoted, "\\U{:08x}", u32::from(c))),
        }
    }
    quoted
}

/// JSON that a terminal and a here-document take as it is.
fn ascii_json(value: &Value) -> String {
    let mut ascii = String::new();
    for c in value.to_string().chars() {
        if c == ' ' || c.is_ascii_graphic() {
            ascii.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(ascii, "\\u{unit:04x}");
            }
        }
    }
    ascii
}

fn subject(kind: SubjectKind, name: &str) -> Subject {
    let name = name.to_owned();
    Subject { kind, name }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaver(name: &str, groups: &[&str]) -> AccessRemoval {
        let groups: Vec<String> = groups.iter().map(|&group| group.into()).collect();
        let mut removal = AccessRemoval::default();
        removal.user(name, &groups).unwrap();
        removal
    }

    fn commands(text: &str) -> Vec<&str> {
        let is_command = |line: &&str| !line.is_empty() && !line.starts_with('#');
        text.lines().filter(is_command).collect()
    }

    #[test]
    fn a_users_bindings_go_and_those_of_the_groups_are_left_to_decide() {
        let text = leaver("alice", &["dev", "a b"]).script(&[], false);
        let commands = commands(&text);
        let mut commands: Vec<_> = commands.iter().skip(1).collect();
        commands.retain(|line| line.starts_with("kubectl"));
        commands.retain(|line| !line.starts_with("kubectl create"));
        let delete =
            "kubectl delete rolebindings,clusterrolebindings --all-namespaces -l kube-enroll";
        assert_eq!(*commands[0], format!("{delete}/user=alice"));
        assert!(commands[1].contains("(eq .kind \"User\") (eq .name \"alice\")"));
        assert!(commands[2].contains("(eq .kind \"Group\") (eq .name \"a b\")"));
        assert!(commands[3].contains("(eq .kind \"Group\") (eq .name \"dev\")"));
        let last = "kubectl auth can-i --list --as=alice --as-group='a b' --as-group=dev";
        assert_eq!(commands[4..], [&last]);
        assert!(text.contains(&format!("\n# {delete}/group=dev\n")));
    }

    #[test]
    fn a_group_that_is_named_loses_its_bindings() {
        let mut removal = AccessRemoval::default();
        assert!(removal.is_empty());
        removal.group("dev").unwrap();
        let text = removal.script(&[], false);
        let deletes = |line: &&str| line.ends_with("-l kube-enroll/group=dev");
        assert_eq!(commands(&text).iter().copied().filter(deletes).count(), 1);
        assert_eq!(removal.group("system:masters"), Err(RbacError::Masters));
        assert_eq!(removal.user("", &[]), Err(RbacError::Nameless("user")));
    }

    #[test]
    fn the_files_that_deny_a_certificate_lie_beside_the_script_or_are_written_by_it() {
        let removal = leaver("alice", &[]);
        let file = ServerFile {
            name: "a.yaml",
            path: "/etc/a b.yaml".to_owned(),
            text: "kind: x\n".to_owned(),
        };
        let files = std::slice::from_ref(&file);
        let (beside, written) = (removal.script(files, true), removal.script(files, false));
        for text in [&beside, &written] {
            assert!(text.contains("#   a.yaml to '/etc/a b.yaml'\n"));
            assert!(text.contains("#   '--authorization-config=/etc/a b.yaml'\n"));
        }
        assert!(written.contains("}\nput a.yaml <<'END'\nkind: x\nEND\n"));
        assert!(!beside.contains("put"));
    }

    #[test]
    fn a_hostile_name_is_no_command() {
        for name in [
            "x\nEND\nkubectl delete ns --all #'$(id)\u{1b}[2J\"}}🙂",
            "x\nEND\nkubectl delete ns --all\n",
            "'; kubectl delete ns --all; '🙂",
        ] {
            let mut removal = leaver(name, &[name]);
            removal.group(name).unwrap();
            let text = removal.script(&[], true);
            let ours = leaver("alice", &[]).script(&[], true);
            let ours = commands(&ours);
            for command in commands(&text) {
                assert!(
                    command.starts_with("kubectl get rolebindings,")
                        || command.starts_with("kubectl auth can-i ")
                        || command.starts_with("kubectl create -o ")
                        || command.starts_with("{\"apiVersion\":")
                        || command == "part=3"
                        // A name that ends in a new line is quoted over two.
                        || command == "\""
                        || command.starts_with("\" --as-group=")
                        || command.starts_with("kubectl delete rolebindings,")
                        || ours.contains(&command),
                    "{command}"
                );
            }
            let text = text.replace('\n', " ");
            assert!(!text.chars().any(crate::text::is_deceptive), "{text}");
        }
    }

    #[test]
    fn the_user_who_is_asked_about_is_the_one_whatever_the_shell() {
        let text = leaver("josé", &["Zoë's"]).script(&[], true);
        assert!(
            text.contains(r" --as='josé' --as-group='Zoë'\''s'"),
            "{text}"
        );
        let text = leaver("a\n", &[]).script(&[], true);
        assert!(text.contains(" --as=\"$(printf 'a')\n\""), "{text}");
    }

    #[test]
    fn a_comment_fits_a_terminal_where_the_names_do() {
        let removal = leaver("alice", &["system:masters"]);
        let text = removal.script(&[], false);
        assert!(text.contains("system:masters needs no binding"));
        let all = [&text, &leaver("alice", &["dev"]).script(&[], false)].map(|text| {
            let comments = text.lines().filter(|line| line.starts_with("# "));
            let prose = comments.filter(|line| !line.starts_with("# kubectl"));
            prose.map(str::len).max().unwrap()
        });
        assert!(all.iter().all(|&width| width <= 100), "{all:?}");
    }
}
