//! A team's defaults: a YAML mapping with the words of the command line, in which a misspelt word
//! is an error and not a default that silently does not apply.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};

use super::{ConfigError, Settings};
use crate::key::Algorithm;
use crate::lifetime::Lifetime;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
struct Team {
    user: Option<Text>,
    #[serde(alias = "groups")]
    group: Groups,
    #[serde(deserialize_with = "algorithm")]
    algorithm: Option<Algorithm>,
    #[serde(deserialize_with = "lifetime")]
    expires_in: Option<Lifetime>,
    signer: Option<Text>,
    name: Option<Text>,
}

/// A string; a number or a truth value is not taken for one, for YAML does not keep how it was
/// written.
struct Text(String);

/// One group, or a list of them.
#[derive(Default)]
struct Groups(Vec<String>);

/// Reads a team's defaults; a file without any setting has none.
///
/// # Errors
///
/// For what is not YAML, an unknown or repeated key, and a value of another type.
pub(super) fn read(text: &str) -> Result<Settings, ConfigError> {
    let empty = |line: &str| line.trim().is_empty() || line.trim_start().starts_with('#');
    if text.lines().all(empty) {
        return Ok(Settings::default());
    }
    let team: Team = serde_yaml::from_str(text).map_err(|error| error_at(&error))?;
    Ok(Settings {
        user: team.user.map(|text| text.0),
        groups: team.group.0,
        algorithm: team.algorithm,
        expires_in: team.expires_in,
        signer: team.signer.map(|text| text.0),
        name: team.name.map(|text| text.0),
    })
}

const STRING: &str = "a string, quoted if it reads as something else";
const GROUPS: &str = "a group or a list of groups, each a string";
const LIFETIME: &str = "a lifetime such as 90d, or a number of seconds";

/// The line and our words for what is wrong there: those of the library quote the file.
fn error_at(error: &serde_yaml::Error) -> ConfigError {
    let words = error.to_string();
    let expected = [STRING, GROUPS, LIFETIME];
    let expected = expected.iter().find(|expected| words.contains(**expected));
    let problem = match expected {
        Some(expected) => format!("expected {expected}"),
        None if words.contains("unknown field") => {
            "unknown field, expected user, group, algorithm, expiresIn, signer or name".to_owned()
        }
        None if words.contains("duplicate field") => "a field is there twice".to_owned(),
        None if words.contains("expected 600 to 2147483647") => {
            "expected 600 to 2147483647 seconds".to_owned()
        }
        None if words.contains("not a valid lifetime") => format!("expected {LIFETIME}"),
        None if words.contains("unsupported key algorithm") => {
            format!(
                "expected one of {}",
                Algorithm::ALL.map(Algorithm::name).join(", ")
            )
        }
        None => "not the defaults of a team in YAML (user, group, algorithm, expiresIn, signer, \
                 name), nor a request configuration of OpenSSL"
            .to_owned(),
    };
    let line = error.location().map(|location| location.line());
    ConfigError { line, problem }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

struct TextVisitor;

impl Visitor<'_> for TextVisitor {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(STRING)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Text, E> {
        Ok(Text(text.to_owned()))
    }
}

impl<'de> Deserialize<'de> for Groups {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(GroupsVisitor)
    }
}

struct GroupsVisitor;

impl<'de> Visitor<'de> for GroupsVisitor {
    type Value = Groups;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(GROUPS)
    }

    fn visit_str<E: de::Error>(self, group: &str) -> Result<Groups, E> {
        Ok(Groups(vec![group.to_owned()]))
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut groups: A) -> Result<Groups, A::Error> {
        let mut list = Vec::new();
        while let Some(Text(group)) = groups.next_element()? {
            list.push(group);
        }
        Ok(Groups(list))
    }
}

fn algorithm<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Algorithm>, D::Error> {
    deserializer.deserialize_any(AlgorithmVisitor).map(Some)
}

/// A visitor, so that an error is told with the line of the value.
struct AlgorithmVisitor;

impl Visitor<'_> for AlgorithmVisitor {
    type Value = Algorithm;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(STRING)
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Algorithm, E> {
        name.parse().map_err(E::custom)
    }
}

fn lifetime<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Lifetime>, D::Error> {
    deserializer.deserialize_any(LifetimeVisitor).map(Some)
}

struct LifetimeVisitor;

impl Visitor<'_> for LifetimeVisitor {
    type Value = Lifetime;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(LIFETIME)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Lifetime, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_u64<E: de::Error>(self, seconds: u64) -> Result<Lifetime, E> {
        let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
        seconds.try_into().map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_setting_has_no_defaults() {
        for text in ["", "\n  \n", "# group: [developers]\n\n  # nothing\n"] {
            assert_eq!(read(text), Ok(Settings::default()), "{text:?}");
        }
        assert!(read("a text").is_err());
    }
}
