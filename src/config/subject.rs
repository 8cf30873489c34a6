//! The subject of an OpenSSL request configuration, reduced to what Kubernetes reads of a subject:
//! CN is the user, every O a group.

use der::oid::ObjectIdentifier;

use super::conf::{Conf, Entry, Section};
use super::{ConfigError, Note};

/// Attribute names that OpenSSL knows and Kubernetes does not read, in OpenSSL's letters.
const UNREAD: [&str; 37] = [
    "C",
    "countryName",
    "ST",
    "stateOrProvinceName",
    "L",
    "localityName",
    "OU",
    "organizationalUnitName",
    "emailAddress",
    "DC",
    "domainComponent",
    "serialNumber",
    "street",
    "streetAddress",
    "title",
    "GN",
    "givenName",
    "SN",
    "surname",
    "initials",
    "name",
    "dnQualifier",
    "UID",
    "userId",
    "postalCode",
    "description",
    "businessCategory",
    "unstructuredName",
    "telephoneNumber",
    "pseudonym",
    "generationQualifier",
    "organizationIdentifier",
    "jurisdictionC",
    "jurisdictionL",
    "jurisdictionST",
    "x500UniqueIdentifier",
    "role",
];
const USER: [&str; 3] = ["CN", "commonName", "2.5.4.3"];
const GROUP: [&str; 3] = ["O", "organizationName", "2.5.4.10"];

/// The suffixes of settings that say something about a question of the prompting form.
const ABOUT: [&str; 4] = ["_min", "_max", "_default", "_value"];

/// Who the subject names.
#[derive(Debug, Default)]
pub(super) struct Subject {
    pub(super) user: Option<String>,
    pub(super) groups: Vec<String>,
    pub(super) notes: Vec<Note>,
}

/// Reads the section that `distinguished_name` names; without one there is no subject.
///
/// # Errors
///
/// For a section that is not there; for a CN or O that OpenSSL refuses; and, where the file answers
/// for itself, for a name that is not known to be an attribute's.
pub(super) fn read(conf: &Conf) -> Result<Subject, ConfigError> {
    let mut subject = Subject::default();
    let Some(setting) = conf.get("req", "distinguished_name") else {
        return Ok(subject);
    };
    let name = setting.value()?;
    let section = conf.section(name).ok_or_else(|| {
        ConfigError::at(
            setting.line,
            format!("distinguished_name is [ {name} ], which is not there"),
        )
    })?;
    let form = Form {
        conf,
        section,
        prompts: text(conf, "req", "prompt")? != Some("no"),
        utf8: text(conf, "req", "utf8")? == Some("yes"),
    };
    for entry in section.entries() {
        form.attribute(entry, &mut subject)?;
    }
    Ok(subject)
}

fn text<'a>(conf: &'a Conf, section: &str, name: &str) -> Result<Option<&'a str>, ConfigError> {
    conf.get(section, name).map(Entry::value).transpose()
}

/// How the section is to be taken.
struct Form<'a> {
    conf: &'a Conf,
    section: &'a Section,
    /// The values are questions to ask; the answers are in settings of their own.
    prompts: bool,
    /// OpenSSL would read the values as UTF-8, not as Latin-1.
    utf8: bool,
}

impl Form<'_> {
    fn attribute(&self, entry: &Entry, subject: &mut Subject) -> Result<(), ConfigError> {
        if self.prompts && ABOUT.iter().any(|about| entry.name.ends_with(about)) {
            return Ok(());
        }
        let kind = kind(&entry.name);
        let (is_user, is_group) = (USER.contains(&kind), GROUP.contains(&kind));
        let mut note = |text: String| {
            let line = entry.line;
            subject.notes.push(Note { line, text });
        };
        if !is_user && !is_group {
            self.check_letters(entry.line, kind)?;
            note(format!(
                "{kind} is left out: Kubernetes reads only CN and O"
            ));
            return Ok(());
        }
        let Some(value) = self.value(entry)? else {
            let name = &entry.name;
            note(format!(
                "{kind} is a question (prompt is not `no`) without {name}_default"
            ));
            return Ok(());
        };
        if !value.is_ascii() && !self.utf8 {
            note(format!(
                "{kind} is taken as UTF-8; OpenSSL does so only with utf8 = yes"
            ));
        }
        if is_group {
            subject.groups.push(value.to_owned());
        } else if let Some(earlier) = subject.user.replace(value.to_owned()) {
            note(format!(
                "replaces the earlier {kind} {earlier}: Kubernetes reads the last"
            ));
        }
        Ok(())
    }

    /// OpenSSL refuses names that it does not know, and asks no question for them.
    fn check_letters(&self, line: usize, kind: &str) -> Result<(), ConfigError> {
        if self.prompts || UNREAD.contains(&kind) || ObjectIdentifier::new(kind).is_ok() {
            return Ok(());
        }
        let problem =
            format!("expected an attribute such as CN, O or OU, in these letters; found {kind}");
        Err(ConfigError::at(line, problem))
    }

    /// The attribute's value; `None` where a question has no answer.
    fn value<'a>(&'a self, entry: &'a Entry) -> Result<Option<&'a str>, ConfigError> {
        if self.prompts {
            return self.answer(entry);
        }
        match entry.value()? {
            "" => Err(ConfigError::at(
                entry.line,
                format!("{} is empty", entry.name),
            )),
            value => Ok(Some(value)),
        }
    }

    /// What OpenSSL takes when nobody is there to answer: the prescribed answer or the default one.
    fn answer(&self, question: &Entry) -> Result<Option<&str>, ConfigError> {
        let about = |what: &str| {
            let name = format!("{}{what}", question.name);
            text(self.conf, &self.section.name, &name)
        };
        let answer = match about("_value")? {
            Some(".") => None,
            Some(value) if !value.is_empty() => Some(value),
            _ => about("_default")?.filter(|value| !value.is_empty()),
        };
        let Some(answer) = answer else {
            return Ok(None);
        };
        let least = about("_min")?.map_or(0, number);
        let most = about("_max")?.map_or(usize::MAX, number);
        if (least..=most).contains(&answer.len()) {
            return Ok(Some(answer));
        }
        let (name, found) = (&question.name, answer.len());
        let expected = if found < least {
            format!("at least {least} bytes ({name}_min)")
        } else {
            format!("at most {most} bytes ({name}_max)")
        };
        let problem = format!("expected {expected}, found {found}");
        Err(ConfigError::at(question.line, problem))
    }
}

/// The attribute's type, where it is one that Kubernetes reads.
pub(super) fn read_kind(name: &str) -> Option<&str> {
    Some(kind(name)).filter(|kind| USER.contains(kind) || GROUP.contains(kind))
}

/// The digits a text starts with, as OpenSSL reads a number.
fn number(text: &str) -> usize {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let digits = text.get(..end).unwrap_or_default();
    if digits.is_empty() {
        0
    } else {
        digits.parse().unwrap_or(usize::MAX)
    }
}

/// The attribute's type: a number before it (`0.O`) keeps equal names apart, and a `+` joins it to
/// the relative distinguished name before it, which means nothing to Kubernetes.
fn kind(name: &str) -> &str {
    let kind = match name.split_once([':', ',', '.']) {
        Some((_, kind)) if !kind.is_empty() => kind,
        _ => name,
    };
    kind.strip_prefix('+').unwrap_or(kind)
}
