//! Who is to have which identity: a roster, one row a person, as CSV or YAML. It is checked whole before
//! anything is done with it: every row that is wrong is told with its line.

use std::collections::HashMap;

use crate::agreement::Agreement;
use crate::carrier;
use crate::config::Settings;
use crate::key::{AgreedFingerprint, Algorithm};
use crate::lifetime::Lifetime;
use crate::name::Subject;
use crate::parallel;
use crate::policy::{self, Code, Level};
use crate::text;
use crate::text::{Label, Show, Text, skeleton};

mod quotes;
mod rows;
mod table;

use rows::{Cell, Column, Row};
pub use table::to_csv;

/// Rows that are read together.
const BATCH: usize = 1024;

/// People by their user names.
#[derive(Debug, Clone, Default)]
pub struct Roster {
    people: Vec<Person>,
    /// Places in `people`.
    by_user: HashMap<String, usize>,
    by_look: HashMap<String, usize>,
    notes: Vec<Remark>,
}

/// A row of a roster.
#[derive(Debug, Clone)]
pub struct Person {
    line: usize,
    subject: Subject,
    agreement: Agreement,
    algorithm: Option<Algorithm>,
    expires_in: Option<Lifetime>,
}

/// What there is to say about a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong there.
    pub what: Text,
}

/// Why a file is no roster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// Everything that is wrong, in the order of the lines.
    pub remarks: Vec<Remark>,
    /// Whether anything in it names a person: else it may be any file.
    pub names_people: bool,
}

impl Roster {
    /// Reads a roster. Groups that start with `system:` are refused unless `allow_system`.
    ///
    /// # Errors
    /// [`Wrong`] with everything at once.
    pub fn read(contents: &[u8], allow_system: bool) -> Result<Self, Wrong> {
        let text = decode(contents).map_err(|remark| Wrong {
            remarks: vec![remark],
            names_people: false,
        })?;
        let (rows, mut wrong) = rows::read(&text);
        let names_people = !rows.is_empty();
        let is_empty = rows.is_empty() && wrong.is_empty();
        let mut roster = Self::default();
        let mut with_commas = Vec::new();
        // Not all of them at once, most of whom may be the same.
        let mut rows = rows.into_iter();
        let people = std::iter::from_fn(|| {
            let some: Vec<Row> = rows.by_ref().take(BATCH).collect();
            (!some.is_empty()).then(|| parallel::map(&some, |row| Person::read(row, allow_system)))
        });
        for person in people.flatten() {
            match person {
                Ok(person) => {
                    let mut groups = person.groups().iter();
                    if let Some(group) = groups.find(|group| group.contains(',')) {
                        with_commas.push((person.line, group.clone()));
                    }
                    roster.add(person, &mut wrong);
                }
                Err(remarks) => wrong.extend(remarks),
            }
        }
        roster.look_at_commas(&with_commas, &mut wrong);
        if is_empty {
            wrong.push(Remark::new(1, "there is nobody in the roster"));
        }
        if wrong.is_empty() {
            return Ok(roster);
        }
        wrong.sort_by_key(|remark| remark.line);
        Err(Wrong {
            remarks: wrong,
            names_people,
        })
    }

    /// The people in the order of the file.
    #[must_use]
    pub fn people(&self) -> &[Person] {
        &self.people
    }

    /// The person of this user name.
    #[must_use]
    pub fn person(&self, user: &str) -> Option<&Person> {
        self.people.get(*self.by_user.get(user)?)
    }

    /// The person whose user name is another one and looks the same.
    #[must_use]
    pub fn look_alike(&self, user: &str) -> Option<&Person> {
        let mut alike = looks(user).into_iter().filter_map(|look| {
            let place = self.by_look.get(&look)?;
            self.people.get(*place)
        });
        alike.find(|person| person.user() != user)
    }

    /// Whether a key was agreed on with anybody.
    #[must_use]
    pub fn has_fingerprints(&self) -> bool {
        let mut people = self.people.iter();
        people.any(|person| person.agreement.fingerprint.is_some())
    }

    /// What is not wrong and should be looked at.
    #[must_use]
    pub fn notes(&self) -> &[Remark] {
        &self.notes
    }

    /// Adds a person whom nobody in it is or may be taken for.
    fn add(&mut self, person: Person, wrong: &mut Vec<Remark>) {
        let (user, line) = (person.user().to_owned(), person.line);
        let shown = Label::from(user.as_str());
        if let Some(first) = self.person(&user) {
            let first = first.line;
            wrong.push(Remark::new(
                line,
                text!("user \"{}\" is in line {} already", shown, first),
            ));
            return;
        }
        if let Some(other) = self.look_alike(&user) {
            let what = text!(
                "user \"{}\" looks like \"{}\" in line {}, and is another one",
                shown,
                Label::from(other.user()),
                other.line
            );
            let is_confusing = !user.is_ascii()
                || !other.user().is_ascii()
                || user.eq_ignore_ascii_case(other.user());
            if is_confusing {
                wrong.push(Remark::new(line, what));
            } else {
                self.notes.push(Remark::new(line, what));
            }
        }
        let place = self.people.len();
        for look in looks(&user) {
            self.by_look.entry(look).or_insert(place);
        }
        self.by_user.insert(user, place);
        self.people.push(person);
    }

    /// Names of LDAP have commas. Where many groups have them and nobody has two groups, several groups
    /// were meant.
    fn look_at_commas(&mut self, groups: &[(usize, String)], wrong: &mut Vec<Remark>) {
        const FEW: usize = 3;
        let is_ldap = |group: &str| group.split(',').all(|part| part.contains('='));
        let Some((line, group)) = groups.first() else {
            return;
        };
        let mut people = self.people.iter();
        let is_meant = groups.len() <= FEW
            || people.any(|person| person.groups().len() > 1)
            || groups.iter().any(|(_, group)| is_ldap(group));
        let more = match groups.len() - 1 {
            0 => Text::default(),
            more => text!(" (so in {})", text::count(more, "row more", "rows more")),
        };
        let what = text!(
            "\"{}\" is one group{}; several have a semicolon between them in CSV, and are a list in YAML",
            Label::from(group.as_str()),
            more
        );
        let remarks = if is_meant { &mut self.notes } else { wrong };
        remarks.push(Remark::new(*line, what));
    }
}

impl Person {
    /// The line that the row starts in, counted from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.line
    }

    /// The user name.
    #[must_use]
    pub fn user(&self) -> &str {
        self.subject.user()
    }

    /// The groups.
    #[must_use]
    pub fn groups(&self) -> &[String] {
        self.subject.groups()
    }

    /// Both, to be asked for.
    #[must_use]
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// What was agreed on with this person.
    #[must_use]
    pub fn agreement(&self) -> &Agreement {
        &self.agreement
    }

    /// The kind of key in the row.
    #[must_use]
    pub fn algorithm(&self) -> Option<Algorithm> {
        self.algorithm
    }

    /// What the row says is to be asked for.
    #[must_use]
    pub fn settings(&self) -> Settings {
        Settings {
            user: Some(self.user().to_owned()),
            groups: self.groups().to_vec(),
            algorithm: self.algorithm,
            expires_in: self.expires_in,
            ..Settings::default()
        }
    }

    /// What to ask for where nothing says so: no more than was agreed on.
    #[must_use]
    pub fn longest_settings(&self) -> Settings {
        Settings {
            expires_in: self.agreement.max_lifetime,
            ..Settings::default()
        }
    }

    fn read(row: &Row, allow_system: bool) -> Result<Self, Vec<Remark>> {
        let mut wrong: Vec<Text> = Vec::new();
        let user = match row.cell(Column::User) {
            Some(Cell::Text(user)) => Some(user.as_str()),
            Some(_) => {
                wrong.push("user: expected a name, in quotes if it reads as something else".into());
                None
            }
            None => {
                wrong.push("no user is named".into());
                None
            }
        };
        let groups = row.groups().unwrap_or_else(|expected| {
            wrong.push(text!("groups: expected {}", expected));
            Vec::new()
        });
        // Where no user is named, groups are checked all the same.
        let user_or_none = user.unwrap_or("nobody");
        let problems = Subject::problems(user_or_none, &groups, allow_system);
        wrong.extend(problems.iter().map(Show::show));
        let is_fine = |name: &str| problems.iter().all(|problem| problem.name != name);
        wrong.extend(mislead(user_or_none, &groups, is_fine, allow_system));
        let mut expected = |column: Column, words: Text| {
            wrong.push(text!("{}: expected {}", column, words));
        };
        let fingerprint = row.parse::<AgreedFingerprint>(Column::Fingerprint);
        let fingerprint = fingerprint.unwrap_or_else(|column| {
            let is_number = matches!(row.cell(column), Some(Cell::Number(_)));
            expected(
                column,
                if is_number {
                    "eight groups of five digits, in quotes".into()
                } else {
                    "SHA256: and base64, hexadecimal digits, or eight groups of five digits".into()
                },
            );
            None
        });
        let mut lifetime = |column| {
            row.parse::<Lifetime>(column).unwrap_or_else(|column| {
                expected(
                    column,
                    "90d, 2160h or a number of seconds, at least 10m".into(),
                );
                None
            })
        };
        let max_lifetime = lifetime(Column::MaxLifetime);
        let expires_in = lifetime(Column::ExpiresIn);
        let algorithm = row.parse::<Algorithm>(Column::Algorithm);
        let algorithm = algorithm.unwrap_or_else(|column| {
            let names = Algorithm::ALL.map(|algorithm| Text::from(algorithm.name()));
            expected(column, text!("one of {}", Text::join(names, ", ")));
            None
        });
        if let (Some(longest), Some(asked)) = (max_lifetime, expires_in)
            && asked.seconds() > longest.seconds()
        {
            wrong.push(text!(
                "expires-in is {}, longer than the max-lifetime of {}",
                asked,
                longest
            ));
        }
        let subject = user.and_then(|user| Subject::new(user, &groups, allow_system).ok());
        let subject = subject.filter(|_| wrong.is_empty()).ok_or_else(|| {
            let remark = |what| Remark::new(row.line, what);
            wrong.into_iter().map(remark).collect::<Vec<_>>()
        })?;
        Ok(Self {
            line: row.line,
            agreement: Agreement {
                user: Some(subject.user().to_owned()),
                groups: Some(groups),
                fingerprint,
                max_lifetime,
            },
            subject,
            algorithm,
            expires_in,
        })
    }
}

impl Remark {
    fn new(line: usize, what: impl Into<Text>) -> Self {
        Self {
            line,
            what: what.into(),
        }
    }
}

impl Show for Remark {
    fn show(&self) -> Text {
        text!("line {}: {}", self.line, self.what)
    }
}

/// The text of a file that a spreadsheet or an editor wrote.
fn decode(contents: &[u8]) -> Result<String, Remark> {
    let utf16 = carrier::utf16(contents);
    if utf16.is_some() && contents.len() % 2 == 1 {
        return Err(Remark::new(
            1,
            "half a character of UTF-16 is at its end: it was cut off",
        ));
    }
    let bytes = utf16.as_deref().map_or(contents, Vec::as_slice);
    let bytes = bytes.strip_prefix(carrier::MARK).unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.replace("\r\n", "\n").replace('\r', "\n")),
        Err(error) => {
            let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let line = 1 + memchr::memchr_iter(b'\n', before).count();
            let what = "not UTF-8: save it once more, as \"CSV UTF-8\" where the spreadsheet asks";
            Err(Remark::new(line, what))
        }
    }
}

/// What misleads in names that are taken for themselves: what `verify` says of a request for them, and what
/// spreadsheets write that is no name.
fn mislead(
    user: &str,
    groups: &[String],
    is_fine: impl Fn(&str) -> bool,
    allow_system: bool,
) -> Vec<Text> {
    let users = [user].into_iter().filter(|user| is_fine(user));
    let groups = groups.iter().map(String::as_str);
    let groups = groups.filter(|group| is_fine(group));
    let (users, groups): (Vec<_>, Vec<_>) = (users.collect(), groups.collect());
    let no_names = users.iter().map(|user| ("user", *user));
    let no_names = no_names.chain(groups.iter().map(|group| ("group", *group)));
    let no_names: Vec<Text> = no_names
        .filter_map(|(what, name)| {
            let why = no_name(name)?;
            Some(text!("{} \"{}\" {}", what, Label::from(name), why))
        })
        .collect();
    if !no_names.is_empty() {
        return no_names;
    }
    let findings = policy::check_names(&users, &groups);
    let is_wrong = |finding: &policy::Finding| {
        finding.level == Level::Error
            && !(allow_system && finding.code == Code::SystemIdentity.name())
    };
    let findings = findings.iter().filter(|finding| is_wrong(finding));
    findings.map(Show::show).collect()
}

/// Why something in a cell is nobody's name.
fn no_name(name: &str) -> Option<&'static str> {
    const ERRORS: [&str; 9] = [
        "#N/A", "#REF!", "#NAME?", "#VALUE!", "#DIV/0!", "#NULL!", "#NUM!", "#SPILL!", "#CALC!",
    ];
    const SUMS: [&str; 4] = ["total", "sum", "count", "subtotal"];
    let word = name.split([':', '=']).next().unwrap_or_default().trim();
    let is_sum = word.len() < name.len() && SUMS.iter().any(|sum| word.eq_ignore_ascii_case(sum));
    if ERRORS.iter().any(|error| name.eq_ignore_ascii_case(error)) {
        Some("is the error of a formula")
    } else if name.starts_with('=') {
        Some("is a formula: save the sheet with its values")
    } else if name.starts_with('#') {
        Some("starts with #: delete the row if it is a comment")
    } else if is_sum {
        Some("is the row of a sum")
    } else if !name.chars().any(char::is_alphanumeric) {
        Some("has neither a letter nor a digit")
    } else {
        None
    }
}

/// Text as people see it, in any script: as it stands, where a capital i is like an l, and in lower case.
fn looks(user: &str) -> [String; 2] {
    [user, &user.to_lowercase()].map(skeleton)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Row = (usize, String, Vec<String>);

    fn read(text: &str) -> Result<Vec<Row>, Vec<String>> {
        let shown = |remark: &Remark| remark.show().to_string();
        let person = |person: &Person| {
            let groups = person.groups().to_vec();
            (person.line(), person.user().to_owned(), groups)
        };
        match Roster::read(text.as_bytes(), false) {
            Ok(roster) => Ok(roster.people().iter().map(person).collect()),
            Err(wrong) => Err(wrong.remarks.iter().map(shown).collect()),
        }
    }

    fn wrong(text: &str) -> Vec<String> {
        read(text).unwrap_err()
    }

    #[test]
    fn a_roster_is_read_as_spreadsheets_and_editors_write_it() {
        let alice = |line| {
            (
                line,
                "alice".to_owned(),
                vec!["dev".to_owned(), "ops".to_owned()],
            )
        };
        let bob = |line| (line, "bob".to_owned(), Vec::new());
        for (text, lines) in [
            ("user,groups\nalice,dev;ops\nbob,\n", [2, 3]),
            ("User,Groups\r\nalice,dev; ops\r\n\r\nbob\r\n", [2, 4]),
            ("\u{feff}user;groups\nalice;\"dev;ops\"\nbob;\n", [2, 3]),
            (
                "sep=;\r\nuser;groups;;\r\nalice ;\"dev;ops\";;\r\n;;;\r\nbob;;;\r\n",
                [3, 5],
            ),
            ("user\tgroups\nalice\tdev;ops\nbob\t\n", [2, 3]),
            ("groups,user\n\"dev;ops\",\"alice\"\n,bob\n", [2, 3]),
            ("- user: alice\n  groups: [dev, ops]\n- user: bob\n", [1, 3]),
            (
                "# the lab\npeople:\n- {user: alice, groups: [dev, ops]}\n- user: bob\n",
                [3, 4],
            ),
            (
                "[{\"user\": \"alice\", \"groups\": [\"dev\", \"ops\"]},\n {\"user\": \"bob\"}]",
                [1, 2],
            ),
        ] {
            let expected = vec![alice(lines[0]), bob(lines[1])];
            assert_eq!(read(text), Ok(expected), "{text}");
            let utf16: Vec<u8> = "\u{feff}"
                .encode_utf16()
                .chain(text.trim_start_matches('\u{feff}').encode_utf16())
                .flat_map(u16::to_le_bytes)
                .collect();
            let read = Roster::read(&utf16, false).unwrap();
            assert_eq!(read.people().len(), 2, "{text}");
        }
    }

    #[test]
    fn what_was_agreed_on_and_what_is_to_be_made_stand_in_the_row() {
        let text = "user,max-lifetime,expires_in,Algorithm,fingerprint\n\
                    alice,90d,30d,ecdsa-p256,12345 12345 12345 12345 12345 12345 12345 12345\n";
        let roster = Roster::read(text.as_bytes(), false).unwrap();
        let alice = roster.person("alice").unwrap();
        assert_eq!(alice.settings().algorithm, Some(Algorithm::EcdsaP256));
        assert_eq!(alice.settings().expires_in, "30d".parse().ok());
        assert_eq!(alice.agreement().max_lifetime, "90d".parse().ok());
        assert_eq!(alice.agreement().groups, Some(Vec::new()));
        assert!(alice.agreement().fingerprint.is_some());
        assert!(roster.person("bob").is_none());
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once_with_its_line() {
        let text = "user,groups,fingerprint,max-lifetime,algorithm,expires-in\n\
                    alice,dev\n\
                    ,dev\n\
                    alice,ops\n\
                    \u{430}lice,dev\n\
                    Alice,dev\n\
                    bob,system:nodes;dev;dev\n\
                    carol,dev,abc,1s,rsa-1,soon\n\
                    dave,dev,,,,,,more\n\
                    \"erin,dev\nfrank,dev\n";
        let lines: Vec<_> = wrong(text)
            .iter()
            .map(|line| line.split(':').next().unwrap().to_owned())
            .collect();
        let expected = [3, 4, 5, 6, 7, 7, 8, 8, 8, 8, 9, 10].map(|line| format!("line {line}"));
        assert_eq!(lines, expected, "{:#?}", wrong(text));
        let yaml = "- user: alice\n- user: 1234\n- groups: [dev]\n- user: bob\n  team: dev\n\
                    - user: carol\n  groups: [1]\n- user: dave\n  user: erin\n";
        let lines = wrong(yaml).len();
        assert_eq!(lines, 5, "{:#?}", wrong(yaml));
    }

    #[test]
    fn names_that_look_alike_are_told() {
        let roster = Roster::read(b"user\nbot-1\nbot-l\n", false).unwrap();
        assert_eq!(roster.notes().len(), 1);
        assert_eq!(roster.look_alike("b\u{43e}t-1").unwrap().user(), "bot-1");
        assert!(roster.look_alike("bot-1").is_none());
        assert!(roster.look_alike("bot-2").is_none());
    }

    #[test]
    fn another_file_is_not_repeated() {
        for text in [
            "alice,hunter2\n",
            "hunter2\n",
            "password: hunter2\n",
            "{\"a\": \"hunter2\"",
            "",
        ] {
            let wrong = wrong(text).join("\n");
            assert!(!wrong.is_empty() && !wrong.contains("hunter2"), "{wrong}");
        }
        let latin = Roster::read(b"user\nal\xffice\n", false).unwrap_err();
        assert_eq!(latin.remarks[0].line, 2);
    }
}
