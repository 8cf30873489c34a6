//! The rows of a roster, as CSV or YAML.

use std::str::FromStr;

use serde_json::Value;

use super::{Remark, quotes};
use crate::budget::Limits;
use crate::text;
use crate::text::{Label, Show, Text};
use crate::yaml::{self, OddityKind, Problem};

/// What a roster tells of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    User,
    Groups,
    Fingerprint,
    MaxLifetime,
    Algorithm,
    ExpiresIn,
}

/// A person as written down.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) line: usize,
    cells: Vec<(Column, Cell)>,
}

/// What stands in a row for a column. There is none for what is empty.
#[derive(Debug)]
pub(super) enum Cell {
    Text(String),
    Number(String),
    List(Vec<String>),
    Other,
}

type Rows = (Vec<Row>, Vec<Remark>);

const COLUMNS: &str = "user, groups, fingerprint, max-lifetime, algorithm and expires-in";
/// What spreadsheets separate cells with.
const DELIMITERS: [u8; 4] = *b",;\t|";
/// Rows above the names of the columns, which a spreadsheet has for its title.
const TITLES: usize = 20;

impl Column {
    /// The column of a name, in any of the ways that names are joined.
    fn named(name: &str) -> Option<Self> {
        let letters = name
            .chars()
            .filter(|letter| !matches!(letter, '-' | '_' | ' '));
        match letters
            .flat_map(char::to_lowercase)
            .collect::<String>()
            .as_str()
        {
            "user" | "username" => Some(Self::User),
            "groups" | "group" => Some(Self::Groups),
            "fingerprint" => Some(Self::Fingerprint),
            "maxlifetime" => Some(Self::MaxLifetime),
            "algorithm" => Some(Self::Algorithm),
            "expiresin" => Some(Self::ExpiresIn),
            _ => None,
        }
    }
}

impl Show for Column {
    fn show(&self) -> Text {
        match self {
            Self::User => "user",
            Self::Groups => "groups",
            Self::Fingerprint => "fingerprint",
            Self::MaxLifetime => "max-lifetime",
            Self::Algorithm => "algorithm",
            Self::ExpiresIn => "expires-in",
        }
        .into()
    }
}

impl Row {
    pub(super) fn cell(&self, column: Column) -> Option<&Cell> {
        let cell = self.cells.iter().find(|(this, _)| *this == column);
        cell.map(|(_, cell)| cell)
    }

    /// The groups, else what is expected there.
    pub(super) fn groups(&self) -> Result<Vec<String>, &'static str> {
        match self.cell(Column::Groups) {
            None => Ok(Vec::new()),
            Some(Cell::Text(group)) => Ok(vec![group.clone()]),
            Some(Cell::List(groups)) => Ok(groups.clone()),
            Some(Cell::Number(_) | Cell::Other) => {
                Err("a group or a list of groups, each in quotes if it reads as something else")
            }
        }
    }

    /// The value of a column, where there is one.
    pub(super) fn parse<T: FromStr>(&self, column: Column) -> Result<Option<T>, Column> {
        match self.cell(column) {
            None => Ok(None),
            Some(Cell::Text(text) | Cell::Number(text)) => {
                text.parse().map(Some).map_err(|_| column)
            }
            Some(Cell::List(_) | Cell::Other) => Err(column),
        }
    }

    /// Adds what is not empty.
    fn push(&mut self, column: Column, cell: Cell) {
        let is_empty = matches!(&cell, Cell::Text(text) if text.is_empty());
        if !is_empty {
            self.cells.push((column, cell));
        }
    }
}

/// The rows that can be read, and what is wrong with the others.
pub(super) fn read(text: &str) -> Rows {
    let told = delimiter_told(text);
    if told.is_none() && is_yaml(text) {
        return from_yaml(text);
    }
    let (delimiter, skipped) = told.unwrap_or((0, 0));
    let rest = text.get(skipped..).unwrap_or_default();
    let delimiter = if delimiter == 0 {
        guess(rest)
    } else {
        delimiter
    };
    from_csv(rest, delimiter, 1 + usize::from(skipped > 0))
}

/// Excel's first line `sep=;`: the delimiter, and where the rest starts.
fn delimiter_told(text: &str) -> Option<(u8, usize)> {
    let end = text.find('\n')? + 1;
    let line = text.get(..end)?.trim_end().trim_matches('"');
    let (name, delimiter) = line.split_once('=')?;
    if !name.eq_ignore_ascii_case("sep") {
        return None;
    }
    match delimiter.as_bytes() {
        [delimiter] => Some((*delimiter, end)),
        // A tab goes with the blanks at the end.
        [] => Some((b'\t', end)),
        _ => None,
    }
}

/// The first line that is not empty is a comment, an item, a mapping, or JSON.
fn is_yaml(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or_default();
    let is_key = |(key, value): (&str, &str)| {
        (value.is_empty() || value.starts_with(' ')) && !key.contains([',', ';', '\t', '|'])
    };
    first.starts_with(['#', '-', '[', '{', '%']) || first.split_once(':').is_some_and(is_key)
}

/// The delimiter that the first line has most of.
fn guess(text: &str) -> u8 {
    let first = text.lines().find(|line| !line.trim().is_empty());
    let first = first.unwrap_or_default().as_bytes();
    let count = |delimiter: &u8| memchr::memchr_iter(*delimiter, first).count();
    // Of several that come as often, the last: it is the first here.
    let most = DELIMITERS
        .iter()
        .rev()
        .max_by_key(|delimiter| count(delimiter));
    most.copied().unwrap_or(b',')
}

/// Counts lines, which the reader of CSV does not where they are empty.
struct Lines<'a> {
    text: &'a [u8],
    position: usize,
    line: usize,
}

impl Lines<'_> {
    /// On to this byte, and past empty lines there.
    fn go_to(&mut self, position: usize) {
        let rest = self.text.get(position..).unwrap_or_default();
        let empty = rest.iter().take_while(|byte| **byte == b'\n').count();
        let next = position + empty;
        let passed = self.text.get(self.position..next).unwrap_or_default();
        self.line += memchr::memchr_iter(b'\n', passed).count();
        self.position = next;
    }
}

/// The text starts in line `first`.
fn from_csv(text: &str, delimiter: u8, first: usize) -> Rows {
    let (text, mut wrong) = quotes::checked(text, delimiter, first);
    let mut lines = Lines {
        text: text.as_bytes(),
        position: 0,
        line: first,
    };
    let mut rows = Vec::new();
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let mut columns: Option<Vec<Head>> = None;
    let mut record = csv::StringRecord::new();
    // The text is UTF-8 and in memory: nothing can fail.
    while reader.read_record(&mut record).is_ok_and(|more| more) {
        let start = record.position().map_or(0, csv::Position::byte);
        lines.go_to(usize::try_from(start).unwrap_or(usize::MAX));
        let line = lines.line;
        if record.iter().all(str::is_empty) {
            continue;
        }
        let Some(columns) = &columns else {
            let (heads, mut remarks) = header(&record, line);
            if heads.is_empty() {
                let before = |remark: &Remark| remark.line < line;
                if wrong.iter().any(before) {
                    wrong.retain(before);
                    return (Vec::new(), wrong);
                }
                remarks.extend(names_below(&mut reader, &mut lines));
                return (Vec::new(), remarks);
            }
            wrong.extend(remarks);
            columns = Some(heads);
            continue;
        };
        let mut row = Row {
            line,
            cells: Vec::new(),
        };
        for (place, cell) in record
            .iter()
            .enumerate()
            .filter(|(_, cell)| !cell.is_empty())
        {
            match columns.get(place) {
                Some(Head::Column(Column::Groups)) => {
                    row.push(Column::Groups, Cell::List(quotes::groups(cell)));
                }
                Some(Head::Column(column)) => row.push(*column, Cell::Text(cell.to_owned())),
                Some(Head::Wrong) => {}
                Some(Head::Nameless) | None => {
                    let what = text!(
                        "there is something in column {}, which has no name",
                        place + 1
                    );
                    let is_split =
                        delimiter == b';' && columns.last() == Some(&Head::Column(Column::Groups));
                    wrong.push(Remark::new(
                        line,
                        if is_split {
                            text!(
                                "{}: where cells have a semicolon between them, several groups in one stand \
                                 in quotation marks, \"a;b\"",
                                what
                            )
                        } else {
                            what
                        },
                    ));
                }
            }
        }
        rows.push(row);
    }
    (rows, wrong)
}

/// A row further down that names a column user.
fn names_below(reader: &mut csv::Reader<&[u8]>, lines: &mut Lines<'_>) -> Option<Remark> {
    let mut record = csv::StringRecord::new();
    for _ in 0..TITLES {
        if !reader.read_record(&mut record).ok()? {
            return None;
        }
        let start = record.position().map_or(0, csv::Position::byte);
        lines.go_to(usize::try_from(start).ok()?);
        let mut names = record.iter().map(Column::named);
        if names.any(|column| column == Some(Column::User)) {
            let what = "this row names the columns: take out what is above it";
            return Some(Remark::new(lines.line, what));
        }
    }
    None
}

/// What the first row says of a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Head {
    Column(Column),
    /// A name that there is not, or one that is there already; told once.
    Wrong,
    Nameless,
}

/// The columns by their names in the first row, and what is wrong with them. Where none is called user
/// it may be any file, of which nothing is repeated.
fn header(record: &csv::StringRecord, line: usize) -> (Vec<Head>, Vec<Remark>) {
    let named: Vec<Option<Column>> = record.iter().map(Column::named).collect();
    if !named.contains(&Some(Column::User)) {
        let what = text!(
            "no column is called user: the first row of a roster names its columns, which are {}",
            COLUMNS
        );
        return (Vec::new(), vec![Remark::new(line, what)]);
    }
    let (mut heads, mut wrong) = (Vec::new(), Vec::new());
    for (name, column) in record.iter().zip(named) {
        heads.push(match column {
            Some(column) if heads.contains(&Head::Column(column)) => {
                let what = text!("the column {} is there twice", column);
                wrong.push(Remark::new(line, what));
                Head::Wrong
            }
            Some(column) => Head::Column(column),
            None if name.is_empty() => Head::Nameless,
            None => {
                wrong.push(Remark::new(line, unknown("column", name)));
                Head::Wrong
            }
        });
    }
    (heads, wrong)
}

fn unknown(what: &'static str, name: &str) -> Text {
    text!(
        "there is no {} {}; there are {}",
        what,
        Label::from(name),
        COLUMNS
    )
}

/// A list of mappings, or one under `people`.
fn from_yaml(text: &str) -> Rows {
    let (mut rows, mut wrong) = (Vec::new(), Vec::new());
    let items = match yaml::items(text, &Limits::for_input(text.as_bytes())) {
        Ok(items) => items,
        Err(error) => {
            let line = error.line.unwrap_or(1);
            let what = match error.problem {
                Problem::CannotTell(_) => "this can be read in two ways".into(),
                problem => problem.show(),
            };
            return (rows, vec![Remark::new(line, what)]);
        }
    };
    for oddity in &items.oddities {
        let what = match oddity.kind {
            OddityKind::DuplicateKey => "a key that comes twice".into(),
            OddityKind::BehindDocument => "something behind the end of a document".into(),
            kind => kind.show(),
        };
        wrong.push(Remark::new(
            oddity.line,
            text!("{}, which a roster does not have", what),
        ));
    }
    let Some(items) = items.items else {
        let what = "neither CSV with a column user, nor a YAML list of people: - user: alice";
        return (rows, vec![Remark::new(1, what)]);
    };
    for (line, value) in items {
        let mapping = value.as_object();
        let Some(mapping) = mapping.filter(|mapping| mapping.contains_key("user")) else {
            wrong.push(Remark::new(line, "no user is named"));
            continue;
        };
        let mut row = Row {
            line,
            cells: Vec::new(),
        };
        for (name, value) in mapping {
            match Column::named(name) {
                Some(column) if row.cell(column).is_some() => {
                    let what = text!("{} is there twice", column);
                    wrong.push(Remark::new(line, what));
                }
                Some(Column::Groups) if value.as_str().is_some_and(|it| it.contains(';')) => {
                    let what = "groups: several are a list in YAML, [a, b], and so is one with a \
                                semicolon in it";
                    wrong.push(Remark::new(line, what));
                }
                Some(column) => row.cells.extend(cell(value).map(|cell| (column, cell))),
                None => wrong.push(Remark::new(line, unknown("field", name))),
            }
        }
        rows.push(row);
    }
    (rows, wrong)
}

fn cell(value: &Value) -> Option<Cell> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    match value {
        Value::Null => None,
        Value::String(text) => Some(Cell::Text(text.clone())),
        Value::Number(number) => Some(Cell::Number(number.to_string())),
        Value::Array(items) => {
            let texts = items.iter().map(text).collect::<Option<Vec<_>>>();
            Some(texts.map_or(Cell::Other, Cell::List))
        }
        Value::Bool(_) | Value::Object(_) => Some(Cell::Other),
    }
}
