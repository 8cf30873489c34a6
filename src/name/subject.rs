//! The subject of a request: a user and groups that are worth asking for.

use std::collections::HashSet;
use std::fmt;

use der::asn1::Any;
use der::oid::db::rfc4519::{COMMON_NAME, ORGANIZATION_NAME};
use der::{Decode as _, Encode as _, Result as DerResult, Tag};
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::name::{Name, RdnSequence, RelativeDistinguishedName};

use crate::text::{is_deceptive, visible};

/// Upper bound of CN and O in characters (RFC 5280 appendix A.1); OpenSSL refuses more.
pub const MAX_CHARACTERS: usize = 64;

/// The group that the API server refuses to sign for
/// (k8s.io/kubernetes `CertificateSubjectRestriction`).
const MASTERS: &str = "system:masters";

/// A user and the groups asked for, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    user: String,
    groups: Vec<String>,
}

/// Why a user or group cannot be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubjectError {
    /// `"user"` or `"group"`.
    pub what: &'static str,
    /// The name as given.
    pub name: String,
    /// What is wrong with it.
    pub problem: SubjectProblem,
}

/// What is wrong with the name of a user or group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubjectProblem {
    /// The name is empty.
    Empty,
    /// The name starts or ends with a space, which nobody would see.
    OuterSpace,
    /// The name holds a character that controls, reorders or cannot be seen.
    Deceptive(char),
    /// The name is longer than 64 characters.
    TooLong(usize),
    /// The group is given twice.
    Twice,
    /// The name starts with `system:`, which Kubernetes keeps for itself.
    System,
    /// The group is `system:masters`, which the API server always refuses.
    Masters,
}

impl Subject {
    /// Checks the names.
    ///
    /// # Errors
    /// [`SubjectError`] for the first name that cannot be asked for. Names that start with
    /// `system:` are refused unless `allow_system`; `system:masters` always.
    pub fn new(user: &str, groups: &[String], allow_system: bool) -> Result<Self, SubjectError> {
        match Self::problems(user, groups, allow_system)
            .into_iter()
            .next()
        {
            Some(error) => Err(error),
            None => Ok(Self {
                user: user.to_owned(),
                groups: groups.to_vec(),
            }),
        }
    }

    /// Every reason why [`Self::new`] refuses these names.
    #[must_use]
    pub fn problems(user: &str, groups: &[String], allow_system: bool) -> Vec<SubjectError> {
        let mut seen = HashSet::new();
        let groups = groups.iter().map(|group| {
            let twice = (!seen.insert(group)).then_some(SubjectProblem::Twice);
            ("group", group.as_str(), twice)
        });
        let named = std::iter::once(("user", user, None)).chain(groups);
        named
            .filter_map(|(what, name, twice)| {
                Some(SubjectError {
                    what,
                    name: name.to_owned(),
                    problem: problem(name, allow_system).or(twice)?,
                })
            })
            .collect()
    }

    /// The user.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The groups in the order given.
    #[must_use]
    pub fn groups(&self) -> &[String] {
        &self.groups
    }

    /// One relative name for each O in the order given, then the CN; `UTF8String`.
    pub(crate) fn to_name(&self) -> DerResult<Name> {
        let groups = self.groups.iter().map(|group| (ORGANIZATION_NAME, group));
        let mut names = RdnSequence::default();
        for (oid, text) in groups.chain([(COMMON_NAME, &self.user)]) {
            let value = Any::new(Tag::Utf8String, text.as_bytes())?;
            let mut relative = RelativeDistinguishedName::default();
            relative.insert(AttributeTypeAndValue { oid, value })?;
            names.push(relative);
        }
        Name::from_der(&names.to_der()?)
    }
}

fn problem(name: &str, allow_system: bool) -> Option<SubjectProblem> {
    let length = name.chars().count();
    if name.is_empty() {
        Some(SubjectProblem::Empty)
    } else if let Some(character) = name.chars().find(|character| is_deceptive(*character)) {
        Some(SubjectProblem::Deceptive(character))
    } else if name.starts_with(' ') || name.ends_with(' ') {
        Some(SubjectProblem::OuterSpace)
    } else if length > MAX_CHARACTERS {
        Some(SubjectProblem::TooLong(length))
    } else if name == MASTERS {
        Some(SubjectProblem::Masters)
    } else if name.starts_with("system:") && !allow_system {
        Some(SubjectProblem::System)
    } else {
        None
    }
}

impl fmt::Display for SubjectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} \"{}\" ", self.what, visible(&self.name))?;
        match self.problem {
            SubjectProblem::Empty => f.write_str("is empty"),
            SubjectProblem::OuterSpace => f.write_str("starts or ends with a space"),
            SubjectProblem::Deceptive(character) => {
                write!(f, "holds the character U+{:04X}", u32::from(character))
            }
            SubjectProblem::TooLong(length) => {
                write!(
                    f,
                    "has {length} characters, at most {MAX_CHARACTERS} are allowed"
                )
            }
            SubjectProblem::Twice => f.write_str("is given twice"),
            SubjectProblem::System => f.write_str("starts with system:, which Kubernetes reserves"),
            SubjectProblem::Masters => f.write_str("is refused by every API server"),
        }
    }
}

impl std::error::Error for SubjectError {}

crate::text::show_escaped!(SubjectError);

#[cfg(test)]
mod tests {
    use super::*;

    fn problem_of(user: &str, groups: &[&str], allow_system: bool) -> Option<SubjectProblem> {
        let groups: Vec<_> = groups.iter().map(|group| (*group).to_owned()).collect();
        let refused = Subject::new(user, &groups, allow_system).err()?;
        Some(refused.problem)
    }

    #[test]
    fn names_that_mislead_or_that_openssl_refuses_are_refused() {
        let longest = "ä".repeat(MAX_CHARACTERS);
        for (name, problem) in [
            ("alice smith", None),
            (&longest, None),
            ("", Some(SubjectProblem::Empty)),
            (" alice", Some(SubjectProblem::OuterSpace)),
            ("alice ", Some(SubjectProblem::OuterSpace)),
            ("a\u{202e}b", Some(SubjectProblem::Deceptive('\u{202e}'))),
            (&format!("{longest}b"), Some(SubjectProblem::TooLong(65))),
        ] {
            assert_eq!(problem_of(name, &[], false), problem, "{name}");
            assert_eq!(
                problem_of("alice", &["dev", name], false),
                problem,
                "{name}"
            );
        }
    }

    #[test]
    fn the_names_of_kubernetes_are_asked_for_on_purpose_and_masters_never() {
        let (system, masters) = ("system:nodes", "system:masters");
        assert_eq!(
            problem_of("a", &[system], false),
            Some(SubjectProblem::System)
        );
        assert_eq!(problem_of("a", &[system], true), None);
        assert_eq!(problem_of("a", &["system"], false), None);
        for allow_system in [false, true] {
            let problem = problem_of("a", &[masters], allow_system);
            assert_eq!(problem, Some(SubjectProblem::Masters));
        }
    }

    #[test]
    fn a_group_is_given_once() {
        assert_eq!(
            problem_of("a", &["b", "c", "b"], false),
            Some(SubjectProblem::Twice)
        );
        let groups = ["c".to_owned(), "b".to_owned()];
        let subject = Subject::new("b", &groups, false).unwrap();
        assert_eq!((subject.user(), subject.groups()), ("b", &groups[..]));
    }

    #[test]
    fn what_is_refused_is_told_in_a_sentence() {
        let told = |name: &str| Subject::new(name, &[], false).unwrap_err().to_string();
        assert_eq!(told(""), "user \"\" is empty");
        assert_eq!(told("a "), "user \"a \" starts or ends with a space");
        assert_eq!(
            told("a\u{7}"),
            "user \"a\\u{7}\" holds the character U+0007"
        );
        assert!(told(&"a".repeat(65)).ends_with("has 65 characters, at most 64 are allowed"));
    }
}
