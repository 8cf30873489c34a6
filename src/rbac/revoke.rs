//! How access is taken away from somebody whose certificate cannot be: a script to read, and to run
//! as far as one agrees with it.

use std::fmt;

use crate::shell::quote;

use super::{RbacError, Subject, SubjectKind, SystemNames};

const BINDINGS: &str = "rolebindings,clusterrolebindings --all-namespaces";

/// Somebody, or a group, whose access ends. Its [`Display`](fmt::Display) is a shell script of
/// `kubectl` commands, with what they do and what they cannot do in comments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaver {
    subject: Subject,
    groups: Vec<Subject>,
    not_after: Option<String>,
}

impl Leaver {
    /// A user in these groups.
    ///
    /// # Errors
    ///
    /// [`RbacError::Nameless`] for a user without a name.
    pub fn user(name: &str, groups: &[String]) -> Result<Self, RbacError> {
        let name_is = |kind, name: &String| Subject {
            kind,
            name: name.clone(),
        };
        Ok(Self {
            subject: Subject::user(name, SystemNames::Allow)?,
            groups: groups
                .iter()
                .map(|group| name_is(SubjectKind::Group, group))
                .collect(),
            not_after: None,
        })
    }

    /// Everybody in a group.
    ///
    /// # Errors
    ///
    /// [`RbacError::Nameless`] for a group without a name, and [`RbacError::Masters`].
    pub fn group(name: &str) -> Result<Self, RbacError> {
        Ok(Self {
            subject: Subject::group(name, SystemNames::Allow)?,
            groups: Vec::new(),
            not_after: None,
        })
    }

    /// Says when the certificate ends, where that is known.
    #[must_use]
    pub fn until(mut self, not_after: &impl fmt::Display) -> Self {
        self.not_after = Some(not_after.to_string());
        self
    }

    fn bindings(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, name) = (self.subject.kind, quote(&self.subject.name));
        let column = match kind {
            SubjectKind::User => "USERS",
            SubjectKind::Group => "GROUPS",
        };
        writeln!(
            f,
            "# Delete what kube-enroll bound to the {} {name}:",
            kind.as_word()
        )?;
        writeln!(
            f,
            "kubectl delete {BINDINGS} -l {}",
            self.subject.selector()
        )?;
        writeln!(
            f,
            "\n# Find what others bound to it (column {column}), and delete that too:"
        )?;
        writeln!(f, "kubectl get {BINDINGS} -o wide")
    }

    fn groups(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.groups.is_empty() {
            return Ok(());
        }
        writeln!(
            f,
            "\n# The groups are written in the certificate, so what they may do stays allowed."
        )?;
        writeln!(
            f,
            "# Deleting a group's bindings takes it from every member:"
        )?;
        for group in &self.groups {
            writeln!(f, "kubectl get {BINDINGS} -l {}", group.selector())?;
        }
        if self.groups.iter().any(|group| group.name == super::MASTERS) {
            writeln!(
                f,
                "# {} needs no binding and cannot lose anything by one.",
                super::MASTERS
            )?;
        }
        Ok(())
    }

    fn check(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.subject.kind != SubjectKind::User {
            return Ok(());
        }
        writeln!(
            f,
            "\n# See what is left (for another namespace add --namespace):"
        )?;
        write!(
            f,
            "kubectl auth can-i --list --as={}",
            quote(&self.subject.name)
        )?;
        for group in &self.groups {
            write!(f, " --as-group={}", quote(&group.name))?;
        }
        writeln!(f)
    }

    fn certificate(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = match &self.not_after {
            Some(end) => format!("until {}", quote(end)),
            None => "until it ends".to_owned(),
        };
        let certificate = match self.subject.kind {
            SubjectKind::User => "The certificate itself stays valid",
            SubjectKind::Group => "The members' certificates themselves stay valid",
        };
        writeln!(f, "\n# {certificate} {end}: Kubernetes cannot revoke one.")?;
        f.write_str(
            "# Until then whoever holds the key is still let in under this name: bind nothing to it,\n\
             # and give it to nobody else. Sooner than that only a new CA for client certificates\n\
             # ends it, together with every other certificate of the old one. Shorter lifetimes\n\
             # (request --expires-in) keep this time short.\n",
        )
    }
}

impl fmt::Display for Leaver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bindings(f)?;
        self.groups(f)?;
        self.check(f)?;
        self.certificate(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commands(leaver: &Leaver) -> Vec<String> {
        let text = leaver.to_string();
        let lines = text
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        lines.map(str::to_owned).collect()
    }

    #[test]
    fn a_users_bindings_go_and_the_groups_are_shown() {
        let leaver = Leaver::user("alice", &["dev".into(), "a b".into()]).unwrap();
        let label = super::super::label::value("a b");
        assert_eq!(
            commands(&leaver),
            [
                "kubectl delete rolebindings,clusterrolebindings --all-namespaces -l kube-enroll/user=alice",
                "kubectl get rolebindings,clusterrolebindings --all-namespaces -o wide",
                "kubectl get rolebindings,clusterrolebindings --all-namespaces -l kube-enroll/group=dev",
                &format!(
                    "kubectl get rolebindings,clusterrolebindings --all-namespaces -l kube-enroll/group={label}"
                ),
                "kubectl auth can-i --list --as=alice --as-group=dev --as-group='a b'",
            ]
        );
    }

    #[test]
    fn it_says_that_the_certificate_stays_valid() {
        let leaver = Leaver::user("alice", &[]).unwrap();
        let text = leaver.to_string();
        assert!(text.contains(
            "# The certificate itself stays valid until it ends: Kubernetes cannot revoke one.\n"
        ));
        let text = leaver.until(&"2027-01-01T00:00:00Z").to_string();
        assert!(text.contains(
            "# The certificate itself stays valid until 2027-01-01T00:00:00Z: Kubernetes"
        ));
        let text = Leaver::group("dev").unwrap().to_string();
        assert!(text.contains("-l kube-enroll/group=dev\n"));
        assert!(text.contains("# The members' certificates themselves stay valid until it ends"));
    }

    #[test]
    fn a_hostile_name_is_no_command() {
        let name = "x\nkubectl delete ns --all #'$(id)\u{1b}[2J";
        let leaver = Leaver::user(name, &[name.to_owned()]).unwrap().until(&name);
        for command in commands(&leaver) {
            assert!(
                command.starts_with("kubectl get ")
                    || command.starts_with("kubectl auth ")
                    || command.starts_with("kubectl delete rolebindings,"),
                "{command}"
            );
        }
        let text = leaver.to_string();
        assert!(
            text.chars()
                .all(|c| c == '\n' || c == ' ' || c.is_ascii_graphic())
        );
    }

    #[test]
    fn a_line_fits_a_terminal_where_the_names_do() {
        let leaver = Leaver::user("alice", &["system:masters".into()]).unwrap();
        let text = leaver.to_string();
        assert!(text.contains("system:masters needs no binding"));
        assert!(
            text.lines()
                .filter(|line| line.starts_with('#'))
                .all(|line| line.len() <= 92)
        );
        assert_eq!(Leaver::group("system:masters"), Err(RbacError::Masters));
        assert_eq!(Leaver::user("", &[]), Err(RbacError::Nameless("user")));
    }
}
