//! The grammar of config(5) as OpenSSL's default reader (`crypto/conf/conf_def.c`) takes it, except
//! that nothing outside of the file is consulted: no environment, no included files.

use std::collections::HashMap;

use super::ConfigError;

/// The section a file starts in, and the one every look-up falls back to.
const DEFAULT: &str = "default";
/// The section that stands for the process environment.
const ENVIRONMENT: &str = "ENV";
/// OpenSSL's own limit for a value with its variables expanded, in bytes.
const MAX_VALUE: usize = 64 * 1024;
/// Limit for all values together, in bytes: variables can name variables.
const MAX_VALUES: usize = 1024 * 1024;

/// A configuration file: sections of `name = value`.
#[derive(Debug)]
pub(super) struct Conf {
    sections: Vec<Section>,
    by_name: HashMap<String, usize>,
    bytes_left: usize,
}

/// A section, all its parts in the file taken together.
#[derive(Debug)]
pub(super) struct Section {
    pub(super) name: String,
    /// Where the section starts, counted from 1.
    pub(super) line: usize,
    entries: Vec<Entry>,
    by_name: HashMap<String, usize>,
}

/// A `name = value`.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) name: String,
    /// Where the setting starts, counted from 1.
    pub(super) line: usize,
    /// The line of a later setting of the same name, which is the one that counts.
    pub(super) replaced: Option<usize>,
    value: Value,
}

#[derive(Debug, Clone)]
enum Value {
    Text(String),
    /// Depends on this environment variable, directly or through another setting.
    Environment(String),
}

impl Entry {
    /// The value with quotes, escapes and variables resolved.
    ///
    /// # Errors
    ///
    /// Where it depends on the environment.
    pub(super) fn value(&self) -> Result<&str, ConfigError> {
        match &self.value {
            Value::Text(text) => Ok(text),
            Value::Environment(variable) => Err(ConfigError::at(
                self.line,
                format!(
                    "{} takes its value from the environment ($ENV::{variable}), which is not read",
                    self.name
                ),
            )),
        }
    }
}

impl Section {
    /// The settings that count, in the order of the file.
    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.replaced.is_none())
    }

    /// The settings that a later one of the same name makes void.
    pub(super) fn replaced(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.replaced.is_some())
    }

    pub(super) fn get(&self, name: &str) -> Option<&Entry> {
        self.entries.get(*self.by_name.get(name)?)
    }

    fn add(&mut self, entry: Entry) {
        let (line, position) = (entry.line, self.entries.len());
        if let Some(earlier) = self.by_name.insert(entry.name.clone(), position)
            && let Some(earlier) = self.entries.get_mut(earlier)
        {
            earlier.replaced = Some(line);
        }
        self.entries.push(entry);
    }
}

impl Conf {
    /// Reads a whole file.
    ///
    /// # Errors
    ///
    /// Where OpenSSL would not load it; for `.include` and `.pragma dollarid`; and for values that
    /// grow beyond the limits. What depends on the environment fails when it is asked for.
    pub(super) fn read(text: &str) -> Result<Self, ConfigError> {
        let mut conf = Self {
            sections: Vec::new(),
            by_name: HashMap::new(),
            bytes_left: MAX_VALUES,
        };
        let mut current = conf.section_index(DEFAULT, 1);
        for (line, text) in logical_lines(text) {
            let text = skip_space(strip_comment(&text));
            if let Some(header) = text.strip_prefix('[') {
                let name = section_name(header)
                    .ok_or_else(|| ConfigError::at(line, "the section name has no closing ]"))?;
                current = conf.section_index(&name, line);
            } else if !text.is_empty() {
                conf.setting(current, line, text)?;
            }
        }
        Ok(conf)
    }

    /// The section of that name, without the default section's settings.
    pub(super) fn section(&self, name: &str) -> Option<&Section> {
        self.sections.get(*self.by_name.get(name)?)
    }

    /// Every section in order of appearance.
    pub(super) fn sections(&self) -> impl Iterator<Item = &Section> {
        self.sections.iter()
    }

    /// A setting of that section, or else of the default section.
    pub(super) fn get(&self, section: &str, name: &str) -> Option<&Entry> {
        [section, DEFAULT]
            .into_iter()
            .find_map(|section| self.section(section)?.get(name))
    }

    fn section_index(&mut self, name: &str, line: usize) -> usize {
        let next = self.sections.len();
        let index = *self.by_name.entry(name.to_owned()).or_insert(next);
        if index == next {
            self.sections.push(Section {
                name: name.to_owned(),
                line,
                entries: Vec::new(),
                by_name: HashMap::new(),
            });
        }
        index
    }

    fn setting(&mut self, current: usize, line: usize, text: &str) -> Result<(), ConfigError> {
        let (first, after) = split_name(text);
        let (section, name, after) = match after.strip_prefix("::") {
            Some(rest) => {
                let (name, after) = split_name(rest);
                (self.section_index(first, line), name, after)
            }
            None => (current, first, after),
        };
        let rest = skip_space(after);
        if directive(line, name, rest)? {
            return Ok(());
        }
        let Some(value) = rest.strip_prefix('=') else {
            return Err(ConfigError::at(
                line,
                "expected `name = value`, `[ section ]` or a comment that starts with #",
            ));
        };
        let value = self.resolve(section, line, value.trim_matches(is_space))?;
        if let Some(section) = self.sections.get_mut(section) {
            section.add(Entry {
                name: name.to_owned(),
                line,
                replaced: None,
                value,
            });
        }
        Ok(())
    }

    /// Takes quotes and escapes away and puts variables in.
    fn resolve(&mut self, section: usize, line: usize, raw: &str) -> Result<Value, ConfigError> {
        let mut text = String::new();
        let mut environment = None;
        let mut rest = raw.chars();
        while let Some(character) = rest.next() {
            match character {
                '"' | '\'' | '`' => copy_quoted(&mut rest, character, &mut text),
                '\\' => text.extend(rest.next().map(escaped)),
                '$' => {
                    let (reference, after) = Reference::read(rest.as_str(), line)?;
                    rest = after.chars();
                    match self.look_up(section, line, &reference)? {
                        Found::Value(Value::Text(value)) => text.push_str(value),
                        Found::Value(Value::Environment(variable)) => {
                            environment = Some(variable.clone());
                        }
                        Found::Environment => environment = Some(reference.name.to_owned()),
                    }
                }
                other => text.push(other),
            }
            if text.len() > MAX_VALUE {
                let problem = format!("the value is longer than {MAX_VALUE} bytes");
                return Err(ConfigError::at(line, problem));
            }
        }
        let value = environment.map_or(Value::Text(text), Value::Environment);
        let (Value::Text(kept) | Value::Environment(kept)) = &value;
        self.bytes_left = self.bytes_left.checked_sub(kept.len()).ok_or_else(|| {
            ConfigError::at(
                line,
                format!("the values are longer than {MAX_VALUES} bytes together"),
            )
        })?;
        Ok(value)
    }

    fn look_up(
        &self,
        section: usize,
        line: usize,
        reference: &Reference<'_>,
    ) -> Result<Found<'_>, ConfigError> {
        let here = || Some(self.sections.get(section)?.name.as_str());
        let section = reference.section.or_else(here).unwrap_or(DEFAULT);
        let own = |section| self.section(section)?.get(reference.name);
        match own(section) {
            Some(entry) => Ok(Found::Value(&entry.value)),
            None if section == ENVIRONMENT => Ok(Found::Environment),
            None => own(DEFAULT)
                .map(|entry| Found::Value(&entry.value))
                .ok_or_else(|| {
                    ConfigError::at(
                        line,
                        format!("the variable {} has no value here", reference.name),
                    )
                }),
        }
    }
}

/// What a variable stands for.
enum Found<'a> {
    Value(&'a Value),
    Environment,
}

/// A variable as a value names it: `$name`, `${name}`, `$(name)`, with `section::` before the name
/// or not.
struct Reference<'a> {
    section: Option<&'a str>,
    name: &'a str,
}

impl<'a> Reference<'a> {
    /// Reads what follows the dollar sign; gives the rest of the text too.
    fn read(text: &'a str, line: usize) -> Result<(Self, &'a str), ConfigError> {
        let (close, inner) = match text.chars().next() {
            Some('{') => (Some('}'), text.get(1..)),
            Some('(') => (Some(')'), text.get(1..)),
            _ => (None, Some(text)),
        };
        let (first, rest) = split_word(inner.unwrap_or_default());
        let (reference, rest) = match rest.strip_prefix("::") {
            Some(rest) => {
                let (name, rest) = split_word(rest);
                let section = Some(first);
                (Self { section, name }, rest)
            }
            None => (
                Self {
                    section: None,
                    name: first,
                },
                rest,
            ),
        };
        match close {
            None => Ok((reference, rest)),
            Some(close) => match rest.strip_prefix(close) {
                Some(rest) => Ok((reference, rest)),
                None => Err(ConfigError::at(
                    line,
                    format!("the variable {} has no closing {close}", reference.name),
                )),
            },
        }
    }
}

/// Whether the line is one of the directives that change nothing here.
///
/// # Errors
///
/// For the directives that would change what the file says.
fn directive(line: usize, name: &str, rest: &str) -> Result<bool, ConfigError> {
    if name.starts_with(".include") {
        let problem = "reads another file (.include), which is not done: put its lines here";
        return Err(ConfigError::at(line, problem));
    }
    if !name.starts_with(".pragma") {
        return Ok(false);
    }
    let pragma = rest.strip_prefix('=').unwrap_or(rest).split_once(':');
    match pragma.map(|(keyword, value)| (keyword.trim_matches(is_space), value)) {
        Some(("dollarid", _)) => Err(ConfigError::at(
            line,
            ".pragma dollarid is not supported: write a literal dollar sign as \\$",
        )),
        Some((keyword, value)) if !keyword.is_empty() && !value.is_empty() => Ok(true),
        _ => Err(ConfigError::at(line, "expected .pragma = keyword:value")),
    }
}

/// The lines of a file with the continued ones joined, each with the number of its first line.
fn logical_lines(text: &str) -> impl Iterator<Item = (usize, String)> {
    let mut lines = text.split('\n').zip(1..);
    std::iter::from_fn(move || {
        let (first, number) = lines.next()?;
        let mut joined = first.trim_end_matches('\r').to_owned();
        while continues(&joined) {
            joined.pop();
            let Some((next, _)) = lines.next() else { break };
            joined.push_str(next.trim_end_matches('\r'));
        }
        Some((number, joined))
    })
}

/// Whether the line ends in one backslash; a doubled one is a character.
fn continues(line: &str) -> bool {
    line.strip_suffix('\\')
        .is_some_and(|before| !before.ends_with('\\'))
}

/// Cuts a comment off: from the first `#` that is neither quoted nor escaped.
fn strip_comment(line: &str) -> &str {
    let mut quote = None;
    let mut characters = line.char_indices();
    while let Some((at, character)) = characters.next() {
        match (character, quote) {
            ('\\', _) => drop(characters.next()),
            (_, Some(open)) if character == open => quote = None,
            ('#', None) => return line.get(..at).unwrap_or(line),
            ('"' | '\'' | '`', None) => quote = Some(character),
            _ => {}
        }
    }
    line
}

/// The name in a section header, given what follows the opening bracket. Spaces inside are part of
/// it; what follows the closing bracket is ignored.
fn section_name(header: &str) -> Option<String> {
    let header = skip_space(header);
    let mut rest = header;
    loop {
        let (_, after) = split_name(rest);
        let next = skip_space(after);
        if next.starts_with(']') {
            let name = header.get(..header.len() - after.len())?;
            return Some(unescaped(name));
        }
        if next.is_empty() || next.len() == rest.len() {
            return None;
        }
        rest = next;
    }
}

fn unescaped(name: &str) -> String {
    let mut characters = name.chars();
    let mut text = String::new();
    while let Some(character) = characters.next() {
        match character {
            '\\' => text.extend(characters.next().map(escaped)),
            '`' | '"' | '\'' => copy_quoted(&mut characters, character, &mut text),
            other => text.push(other),
        }
    }
    text
}

/// Copies up to the closing quote, or to the end where there is none.
fn copy_quoted(rest: &mut std::str::Chars<'_>, quote: char, text: &mut String) {
    while let Some(character) = rest.next() {
        match character {
            '\\' => text.extend(rest.next()),
            _ if character == quote => return,
            other => text.push(other),
        }
    }
}

/// What a character means after a backslash outside of quotes.
fn escaped(character: char) -> char {
    match character {
        'r' => '\r',
        'n' => '\n',
        'b' => '\u{8}',
        't' => '\t',
        other => other,
    }
}

fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\r' | '\n')
}

fn skip_space(text: &str) -> &str {
    text.trim_start_matches(is_space)
}

/// Splits after the letters, digits and underscores that a variable's name is made of.
fn split_word(text: &str) -> (&str, &str) {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let end = text.find(|c| !is_word(c)).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// Splits after a setting's or section's name; a backslash takes the next character along.
fn split_name(text: &str) -> (&str, &str) {
    let is_name = |c: char| c.is_ascii_alphanumeric() || "_!%&*+,-./;?@^|~".contains(c);
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        if character == '\\' {
            characters.next();
        } else if !is_name(character) {
            return text.split_at_checked(at).unwrap_or((text, ""));
        }
    }
    (text, "")
}
