//! A team's defaults in YAML.

use serde::Deserialize;

use super::{ConfigError, RequestConfig};

/// The fields as written.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Team {
    user: Option<String>,
    #[serde(default, alias = "groups")]
    group: OneOrMore,
    algorithm: Option<String>,
    expires_in: Option<SecondsOrText>,
    signer: Option<String>,
    name: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(untagged)]
enum OneOrMore {
    #[default]
    None,
    One(String),
    More(Vec<String>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum SecondsOrText {
    Seconds(i64),
    Text(String),
}

pub(super) fn read(text: &str) -> Result<RequestConfig, ConfigError> {
    if text
        .lines()
        .all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'))
    {
        return Ok(RequestConfig::default());
    }
    let team: Team = serde_yaml::from_str(text).map_err(|error| ConfigError {
        line: error.location().map(|location| location.line()),
        problem: error.to_string(),
    })?;
    let of_line = |field: &str, problem: String| ConfigError::new(line_of(text, field), problem);
    let algorithm = team.algorithm.map(|name| name.parse());
    let expires_in = team.expires_in.map(|expires_in| match expires_in {
        SecondsOrText::Seconds(seconds) => seconds.try_into(),
        SecondsOrText::Text(text) => text.parse(),
    });
    Ok(RequestConfig {
        user: team.user,
        groups: match team.group {
            OneOrMore::None => Vec::new(),
            OneOrMore::One(group) => vec![group],
            OneOrMore::More(groups) => groups,
        },
        algorithm: algorithm
            .transpose()
            .map_err(|error: crate::error::Error| of_line("algorithm", error.to_string()))?,
        expires_in: expires_in
            .transpose()
            .map_err(|error: crate::error::Error| of_line("expiresIn", error.to_string()))?,
        signer: team.signer,
        name: team.name,
        ..RequestConfig::default()
    })
}

/// The line that a field starts.
fn line_of(text: &str, field: &str) -> usize {
    let position = text
        .lines()
        .position(|line| line.trim_start().starts_with(field));
    position.map_or(1, |position| position + 1)
}

#[cfg(test)]
mod tests {
    use crate::config::{RequestConfig, read};
    use crate::key::Algorithm;

    #[test]
    fn a_teams_defaults_are_read() {
        let config = read(b"group: developers\nalgorithm: ecdsa-p256\nexpiresIn: 90d\n").unwrap();
        assert_eq!(config.groups, ["developers"]);
        assert_eq!(config.algorithm, Some(Algorithm::EcdsaP256));
        assert_eq!(config.expires_in.unwrap().to_string(), "90d");
        assert_eq!(
            read(b"groups: [a, b]\nexpiresIn: 3600\n").unwrap().groups,
            ["a", "b"]
        );
        assert_eq!(read(b"# nothing\n").unwrap(), RequestConfig::default());
    }

    #[test]
    fn mistakes_are_told_with_their_line() {
        for (text, line) in [
            ("group: a\ncolour: red\n", 2),
            ("algorithm: rsa-1024\n", 1),
            ("user: a\nexpiresIn: soon\n", 2),
            ("user: [\n", 2),
        ] {
            let error = read(text.as_bytes()).unwrap_err();
            assert!(error.line.unwrap_or(line) <= line, "{text}: {error}");
        }
        assert!(
            read(b"colour: red\n")
                .unwrap_err()
                .problem
                .contains("expiresIn")
        );
    }
}
