//! Quotation marks in a roster: lines of CSV whose cells have them where they must not be, and groups with a
//! semicolon, which stand in quotation marks inside of their cell.

use super::Remark;
use crate::text;
use crate::text::Text;

/// How the quotation marks of a line come out.
enum Quoting {
    /// Each is closed, or there are none.
    Closed,
    /// A cell goes on in the next line.
    Open,
    /// A closed cell goes on.
    GoesOn,
}

/// The text with nothing in the lines that are wrong, and without blanks before quotation marks that open a
/// cell; with what is wrong. It starts in line `first`.
pub(super) fn checked(text: &str, delimiter: u8, first: usize) -> (String, Vec<Remark>) {
    let mut clean = String::with_capacity(text.len());
    let mut wrong = Vec::new();
    let mut lines = text.split_inclusive('\n');
    let mut number = first;
    while let Some(line) = lines.next() {
        let (quoting, kept) = quoting(line, delimiter);
        let (what, length): (Text, usize) = match quoting {
            Quoting::Closed => {
                clean.push_str(&kept);
                number += 1;
                continue;
            }
            Quoting::GoesOn => (
                "there is something behind the quotation mark that ends a cell".into(),
                1,
            ),
            Quoting::Open => match lines_to_its_end(lines.clone(), delimiter) {
                Some(more) => (
                    text!(
                        "a cell of {} lines; several groups have a semicolon between them",
                        more + 1
                    ),
                    more + 1,
                ),
                None => ("a quotation mark that is not closed".into(), 1),
            },
        };
        wrong.push(Remark::new(number, what));
        number += length;
        clean.push_str(&"\n".repeat(length));
        lines.by_ref().take(length - 1).for_each(drop);
    }
    (clean, wrong)
}

/// Reads a line as a reader of CSV does.
fn quoting(line: &str, delimiter: u8) -> (Quoting, String) {
    let mut kept = String::with_capacity(line.len());
    let mut rest = line;
    loop {
        let cell = rest.trim_start_matches(' ');
        let Some(quoted) = cell.strip_prefix('"') else {
            let end = memchr::memchr(delimiter, rest.as_bytes());
            let end = end.map_or(rest.len(), |end| end + 1);
            let (cell, more) = rest.split_at(end);
            kept.push_str(cell);
            rest = more;
            if rest.is_empty() {
                return (Quoting::Closed, kept);
            }
            continue;
        };
        let Some(behind) = behind_its_end(quoted) else {
            return (Quoting::Open, kept);
        };
        kept.push_str(cell.get(..cell.len() - behind.len()).unwrap_or_default());
        rest = behind.trim_start_matches([' ', '\n']);
        match rest.as_bytes() {
            [] => {
                kept.push('\n');
                return (Quoting::Closed, kept);
            }
            [next, ..] if *next == delimiter => {
                kept.push(char::from(delimiter));
                rest = rest.get(1..).unwrap_or_default();
            }
            _ => return (Quoting::GoesOn, kept),
        }
    }
}

/// What is behind the quotation mark that ends a cell; two of them are one in it.
fn behind_its_end(quoted: &str) -> Option<&str> {
    let mut rest = quoted;
    loop {
        let end = memchr::memchr(b'"', rest.as_bytes())?;
        rest = rest.get(end + 1..)?;
        match rest.strip_prefix('"') {
            Some(more) => rest = more,
            None => return Some(rest),
        }
    }
}

/// How many more lines a cell has, where its end is one: neither the beginning of another cell, nor with
/// something behind it.
fn lines_to_its_end<'a>(rest: impl Iterator<Item = &'a str>, delimiter: u8) -> Option<usize> {
    for (place, line) in rest.enumerate() {
        let Some(mark) = memchr::memchr(b'"', line.as_bytes()) else {
            continue;
        };
        let before = line.get(..mark).unwrap_or_default().trim_end_matches(' ');
        let behind = behind_its_end(line)?.trim_start_matches([' ', '\n']);
        let begins = before.is_empty() || before.as_bytes().last() == Some(&delimiter);
        let ends = behind.is_empty() || behind.as_bytes().first() == Some(&delimiter);
        return (ends && !begins).then_some(place + 1);
    }
    None
}

/// The groups in a cell.
pub(super) fn groups(cell: &str) -> Vec<String> {
    // To make a reader of CSV takes longer than to read most rosters.
    if !cell.contains(['"', '\n', '\r']) {
        let groups = cell
            .split(';')
            .map(str::trim)
            .filter(|group| !group.is_empty());
        return groups.map(str::to_owned).collect();
    }
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(b';')
        .has_headers(false)
        .trim(csv::Trim::All)
        .buffer_capacity(cell.len())
        .from_reader(cell.as_bytes());
    let record = reader.records().next().and_then(Result::ok);
    let record = record.unwrap_or_default();
    let groups = record.iter().filter(|group| !group.is_empty());
    groups.map(str::to_owned).collect()
}

/// The cell of some groups.
pub(super) fn cell(groups: &[String]) -> String {
    let mut writer = csv::WriterBuilder::new()
        .delimiter(b';')
        .from_writer(Vec::new());
    // Memory takes everything.
    let written = writer.write_record(groups);
    let bytes = written.ok().and_then(|()| writer.into_inner().ok());
    let mut cell = String::from_utf8(bytes.unwrap_or_default()).unwrap_or_default();
    cell.truncate(cell.trim_end_matches('\n').len());
    if groups.is_empty() {
        String::new()
    } else {
        cell
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_come_back_from_the_cell_that_they_were_written_to() {
        for groups in [
            &[][..],
            &["dev"],
            &["dev", "ops"],
            &["a;b", "c"],
            &["say \"hi\"", "\"", "a,b"],
        ] {
            let groups: Vec<String> = groups.iter().map(|it| (*it).to_owned()).collect();
            assert_eq!(super::groups(&cell(&groups)), groups);
        }
        assert_eq!(cell(&["dev".into(), "ops".into()]), "dev;ops");
        assert_eq!(groups(" dev ;; ops;"), ["dev", "ops"]);
    }

    #[test]
    fn lines_with_a_wrong_quotation_mark_are_told_and_no_others_are_lost() {
        let text = "user,groups\n\"alice\"x,dev\nbob, \"a;b\" \ncarol,\"dev\nops\"\n\"dave,dev\n\
                    erin,\"dev\"\nfrank,\"dev\nheidi,\"ops\"\n";
        let (clean, wrong) = checked(text, b',', 1);
        let lines: Vec<_> = wrong.iter().map(|remark| remark.line).collect();
        assert_eq!(lines, [2, 4, 6, 8]);
        assert_eq!(
            clean,
            "user,groups\n\nbob,\"a;b\"\n\n\n\nerin,\"dev\"\n\nheidi,\"ops\"\n"
        );
    }
}
