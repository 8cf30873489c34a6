//! OpenSSL request configurations (openssl `config(5)`, `openssl-req(1)`), as teams have them from
//! the hand-made way.

use super::extensions;
use super::{ConfigError, RequestConfig};
use crate::key::Algorithm;

/// One `name = value`, with the line it starts in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Setting {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) line: usize,
}

/// A file taken apart; settings before the first section belong to `default`.
pub(super) struct Sections(Vec<(String, Vec<Setting>)>);

/// The YAML of a team has no `[ section ]` lines with assignments behind them.
pub(super) fn is_openssl(text: &str) -> bool {
    text.lines().any(|line| {
        let line = line.trim();
        line.strip_prefix('[')
            .and_then(|line| line.split_once(']'))
            .is_some_and(|(name, rest)| {
                let rest = rest.trim_start();
                is_section_name(name.trim()) && (rest.is_empty() || rest.starts_with('#'))
            })
    })
}

fn is_section_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_-. ".contains(c))
}

pub(super) fn read(text: &str) -> Result<RequestConfig, ConfigError> {
    let sections = Sections::parse(text)?;
    let mut config = RequestConfig::default();
    let request = sections.section("req").ok_or_else(|| ConfigError {
        line: None,
        problem: "an OpenSSL configuration without [ req ]".to_owned(),
    })?;
    for setting in request {
        read_request(setting, &mut config)?;
    }
    let value = |name| sections.value("req", name);
    if let Some(setting) = value("distinguished_name") {
        let name = sections.named(setting)?;
        let prompts = value("prompt").is_none_or(|prompt| prompt.value != "no");
        read_name(name, prompts, &mut config);
    }
    match value("req_extensions") {
        Some(setting) => {
            for extension in sections.named(setting)? {
                extensions::read(extension, &sections, &mut config)?;
            }
        }
        None if sections.section("v3_ext").is_some() => config.notes.push(
            "[ v3_ext ] is not named by req_extensions, so openssl req does not use it either"
                .to_owned(),
        ),
        None => {}
    }
    Ok(config)
}

impl Sections {
    fn parse(text: &str) -> Result<Self, ConfigError> {
        let mut sections = vec![("default".to_owned(), Vec::new())];
        let mut lines = text.lines().enumerate();
        while let Some((index, line)) = lines.next() {
            let number = index + 1;
            let mut logical = without_comment(line);
            while logical.ends_with('\\') {
                logical.pop();
                let Some((_, next)) = lines.next() else { break };
                logical.push_str(&without_comment(next));
            }
            let logical = logical.trim();
            if logical.is_empty() {
                continue;
            }
            if let Some(name) = logical.strip_prefix('[') {
                let name = name
                    .strip_suffix(']')
                    .ok_or_else(|| ConfigError::new(number, "a section without ]"))?;
                sections.push((name.trim().to_owned(), Vec::new()));
                continue;
            }
            let setting = parse_setting(logical, number, &sections)?;
            if let Some((_, settings)) = sections.last_mut() {
                settings.push(setting);
            }
        }
        Ok(Self(sections))
    }

    /// All settings of a section, which may stand in several places.
    pub(super) fn section(&self, name: &str) -> Option<Vec<&Setting>> {
        let found: Vec<_> = self.0.iter().filter(|(found, _)| found == name).collect();
        (!found.is_empty()).then(|| {
            found
                .into_iter()
                .flat_map(|(_, settings)| settings)
                .collect()
        })
    }

    /// The last setting of a name in a section, or else in `default`.
    fn value(&self, section: &str, name: &str) -> Option<&Setting> {
        lookup(&self.0, section, name)
    }

    /// The section that a setting names.
    pub(super) fn named(&self, setting: &Setting) -> Result<Vec<&Setting>, ConfigError> {
        self.section(setting.value.trim_start_matches('@'))
            .ok_or_else(|| {
                let problem = format!(
                    "{} names the section [ {} ], which is not there",
                    setting.name, setting.value
                );
                ConfigError::new(setting.line, problem)
            })
    }
}

fn lookup<'a>(
    sections: &'a [(String, Vec<Setting>)],
    section: &str,
    name: &str,
) -> Option<&'a Setting> {
    [section, "default"].into_iter().find_map(|wanted| {
        let settings = sections.iter().filter(|(found, _)| found == wanted);
        settings
            .flat_map(|(_, settings)| settings)
            .rfind(|setting| setting.name == name)
    })
}

/// A line up to a `#` that is neither quoted nor escaped.
fn without_comment(line: &str) -> String {
    let mut kept = String::new();
    let mut quote = None;
    let mut characters = line.trim_end().chars();
    while let Some(character) = characters.next() {
        match character {
            '#' if quote.is_none() => break,
            ';' if kept.trim().is_empty() => break,
            '\\' => {
                kept.push(character);
                kept.extend(characters.next());
                continue;
            }
            '"' | '\'' if quote.is_none() => quote = Some(character),
            _ if quote == Some(character) => quote = None,
            _ => {}
        }
        kept.push(character);
    }
    kept
}

fn parse_setting(
    text: &str,
    line: usize,
    sections: &[(String, Vec<Setting>)],
) -> Result<Setting, ConfigError> {
    if text.starts_with(".include") {
        return Err(ConfigError::new(
            line,
            ".include is not followed; put everything into one file",
        ));
    }
    let (name, value) = text
        .split_once('=')
        .ok_or_else(|| ConfigError::new(line, "expected name = value"))?;
    let current = sections.last().map_or("default", |(name, _)| name);
    Ok(Setting {
        name: name.trim().to_owned(),
        value: expand(value.trim(), current, line, sections)?,
        line,
    })
}

/// Takes quotes and escapes away and puts variables in.
fn expand(
    value: &str,
    section: &str,
    line: usize,
    sections: &[(String, Vec<Setting>)],
) -> Result<String, ConfigError> {
    const MAX_LENGTH: usize = 64 * 1024;
    let mut expanded = String::new();
    let mut rest = value;
    let mut quote = None;
    while let Some(character) = rest.chars().next() {
        rest = rest.get(character.len_utf8()..).unwrap_or_default();
        match character {
            '"' | '\'' if quote.is_none() => quote = Some(character),
            _ if quote == Some(character) => quote = None,
            '\\' => {
                let escaped = rest.chars().next().unwrap_or('\\');
                rest = rest.get(escaped.len_utf8()..).unwrap_or_default();
                expanded.push(match escaped {
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    'b' => '\u{8}',
                    other => other,
                });
            }
            '$' if quote != Some('\'') => {
                let (found, after) = variable(rest, section, line, sections)?;
                expanded.push_str(found);
                rest = after;
            }
            other => expanded.push(other),
        }
        if expanded.len() > MAX_LENGTH {
            return Err(ConfigError::new(line, "a value of more than 64 KiB"));
        }
    }
    Ok(expanded)
}

/// `name`, `{name}`, `(name)`, each perhaps with `section::` before it.
fn variable<'a, 'b>(
    rest: &'b str,
    section: &str,
    line: usize,
    sections: &'a [(String, Vec<Setting>)],
) -> Result<(&'a str, &'b str), ConfigError> {
    let closing = match rest.chars().next() {
        Some('{') => Some('}'),
        Some('(') => Some(')'),
        _ => None,
    };
    let body = if closing.is_some() {
        rest.get(1..).unwrap_or_default()
    } else {
        rest
    };
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let end = match closing {
        Some(closing) => body
            .find(closing)
            .ok_or_else(|| ConfigError::new(line, format!("a variable without {closing}")))?,
        None => {
            let end = |text: &str| text.find(|c| !is_name(c)).unwrap_or(text.len());
            let first = end(body);
            match body.get(first..).and_then(|rest| rest.strip_prefix("::")) {
                Some(rest) => first + 2 + end(rest),
                None => first,
            }
        }
    };
    let (name, after) = body.split_at(end);
    let after = if closing.is_some() {
        after.get(1..).unwrap_or_default()
    } else {
        after
    };
    let (of, name) = name.split_once("::").unwrap_or((section, name));
    if of == "ENV" {
        return Err(ConfigError::new(
            line,
            "the environment is not read; write the value itself",
        ));
    }
    match lookup(sections, of, name) {
        Some(setting) => Ok((&setting.value, after)),
        None => Err(ConfigError::new(
            line,
            format!("the variable {name} has no value"),
        )),
    }
}

fn read_request(setting: &Setting, config: &mut RequestConfig) -> Result<(), ConfigError> {
    let refused = |problem: &str| Err(ConfigError::new(setting.line, problem));
    match setting.name.as_str() {
        "default_bits" => {
            let bits = setting.value.trim().parse().ok().and_then(Algorithm::rsa);
            config.algorithm = Some(bits.ok_or_else(|| {
                let problem = format!(
                    "default_bits is {}, expected 2048, 3072 or 4096",
                    setting.value
                );
                ConfigError::new(setting.line, problem)
            })?);
        }
        "default_md" if !matches!(setting.value.as_str(), "sha256" | "default") => {
            config.notes.push(format!(
                "default_md = {} is not used: RSA requests are signed with SHA-256",
                setting.value
            ));
        }
        "input_password" | "output_password" => {
            return refused("a passphrase does not belong into this file; use --passphrase-file");
        }
        "attributes" => config
            .notes
            .push("attributes are left out: Kubernetes does not look at them".to_owned()),
        _ => {}
    }
    Ok(())
}

/// The subject. `0.O` and `1.O` are both O; with prompts, the defaults stand for the answers.
fn read_name(settings: Vec<&Setting>, prompts: bool, config: &mut RequestConfig) {
    for setting in settings {
        let Some(kind) = attribute(&setting.name, prompts) else {
            continue;
        };
        match kind.trim_start_matches('+') {
            "CN" | "commonName" => {
                if let Some(earlier) = config.user.replace(setting.value.clone()) {
                    config
                        .notes
                        .push(format!("CN = {earlier} is not used: the last CN counts"));
                }
            }
            "O" | "organizationName" => config.groups.push(setting.value.clone()),
            other => config.notes.push(format!(
                "{other} = {} is left out: users are CN and groups are O to Kubernetes",
                setting.value
            )),
        }
    }
}

/// The attribute type in a name, without the digits in front of it; `None` for what only steers
/// the prompts.
fn attribute(name: &str, prompts: bool) -> Option<&str> {
    let bare = name
        .split_once(['.', ':', ','])
        .map(|(_, rest)| rest)
        .filter(|rest| !rest.is_empty())
        .unwrap_or(name);
    if !prompts {
        return Some(bare);
    }
    bare.strip_suffix("_default")
}

#[cfg(test)]
mod tests {
    use crate::config::read;
    use crate::key::Algorithm;

    const HAND_MADE: &str = "
[ req ]
default_bits = 2048
prompt = no
default_md = sha256
distinguished_name = dn

[ dn ]
CN = alice
O = developers # the team
1.O = \"on, call\"
OU = basement

[ v3_ext ]
authorityKeyIdentifier=keyid,issuer:always
basicConstraints=CA:FALSE
keyUsage=keyEncipherment,dataEncipherment
extendedKeyUsage=serverAuth,clientAuth
";

    #[test]
    fn the_hand_made_configuration_is_read() {
        let config = read(HAND_MADE.as_bytes()).unwrap();
        assert_eq!(config.user.as_deref(), Some("alice"));
        assert_eq!(config.groups, ["developers", "on, call"]);
        assert_eq!(config.algorithm, Some(Algorithm::Rsa2048));
        assert!(config.extensions.is_empty());
        assert!(
            config
                .notes
                .iter()
                .any(|note| note.contains("OU = basement"))
        );
        assert!(
            config
                .notes
                .iter()
                .any(|note| note.contains("req_extensions"))
        );
    }

    #[test]
    fn extensions_in_use_are_read_and_told() {
        let text = HAND_MADE.replace("prompt = no", "prompt = no\nreq_extensions = v3_ext");
        let config = read(text.as_bytes()).unwrap();
        assert_eq!(config.extensions.len(), 3);
        assert!(
            config
                .notes
                .iter()
                .any(|note| note.contains("extendedKeyUsage"))
        );
    }

    #[test]
    fn variables_continuations_and_prompting_names_are_understood() {
        let text = "team = dev\n[req]\ndistinguished_name=dn\n[dn]\nCN = Your name\nCN_default = ali\\\nce\nCN_max = 64\n0.O_default = ${team}elopers\n1.O_default = $default::team\n";
        let config = read(text.as_bytes()).unwrap();
        assert_eq!(config.user.as_deref(), Some("alice"));
        assert_eq!(config.groups, ["developers", "dev"]);
    }

    #[test]
    fn what_cannot_be_followed_is_refused_with_its_line() {
        for (text, line) in [
            ("[req]\n.include other\n", 2),
            ("[req]\na = $ENV::HOME\n", 2),
            ("[req]\na = $nothing\n", 2),
            ("[req]\noutput_password = x\n", 2),
            ("[req]\ndefault_bits = 1024\n", 2),
            ("[req]\ndistinguished_name = gone\n", 2),
            ("[req]\nnonsense\n", 2),
        ] {
            assert_eq!(
                read(text.as_bytes()).unwrap_err().line,
                Some(line),
                "{text}"
            );
        }
        assert!(read(b"[other]\na = b\n").is_err());
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "(\\[|\\]|=|\\$|\\{|\\}|\\\\|\"|#|a|req|\n| |:|@|CN|O)*") {
            let _ = read(text.as_bytes());
        }
    }
}
