//! Rows in each format.

use std::collections::HashMap;

use serde_json::Value;

use super::Row;
use crate::inspect::Style;
use crate::shell::quoted;
use crate::text;
use crate::text::{Label, Show as _, Text};

/// Longer cells of the table are cut, in columns.
const WIDEST: usize = 40;
/// So much of a fingerprint, in characters, tells one key from others at a glance: two groups of it.
const SHORT_FINGERPRINT: usize = 11;

/// How a list is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Columns for people. Copies of one certificate are one line, with the files that have it.
    Table,
    /// All columns, none of them cut.
    Wide,
    /// For programs.
    Json,
    /// For programs, as YAML.
    Yaml,
    /// RFC 4180, every cell quoted, deceptive characters escaped; a cell that a spreadsheet would take
    /// for a formula has `'` in front.
    Csv,
    /// The files, quoted for the shell where they need it, each once.
    Name,
}

impl Layout {
    /// All rows, in their order.
    #[must_use]
    pub fn write(self, rows: &[Row]) -> String {
        match self {
            Self::Table => table(&HEAD[..7], without_copies(rows).into_iter()),
            Self::Wide => table(&HEAD, rows.iter().map(|row| row.cells(false))),
            Self::Json => Style::Json.values(values(rows)),
            Self::Yaml => Style::Yaml.values(values(rows)),
            Self::Csv => csv(rows),
            Self::Name => names(rows),
        }
    }
}

const HEAD: [&str; 13] = [
    "USER",
    "GROUPS",
    "CLUSTER",
    "STATE",
    "EXPIRES",
    "KEY",
    "FILE",
    "KIND",
    "NAME",
    "SERVER",
    "SIGNER",
    "ALGORITHM",
    "CREDENTIAL",
];

fn values(rows: &[Row]) -> impl ExactSizeIterator<Item = Value> {
    // Strings, numbers and lists of them: nothing here can fail to be JSON.
    let value = |row| serde_json::to_value(row).unwrap_or_default();
    rows.iter().map(value)
}

impl Row {
    /// In the order of [`HEAD`]; the first seven, cut, where they are to be short.
    fn cells(&self, short: bool) -> Vec<Text> {
        let label = |text: &Option<String>| match text.as_deref() {
            None | Some("") => Text::from("-"),
            Some(text) => Label::from(text).show(),
        };
        let groups = self.groups.iter().map(|group| group_name(group));
        let groups = match self.groups.as_slice() {
            [] => Text::from("-"),
            _ => Text::join(groups, ","),
        };
        let expires = match (self.end, self.days_left) {
            (Some(end), Some(days)) if short => {
                text!("{} ({})", Label::from(date(end)), show_days(days))
            }
            (Some(end), Some(days)) => text!("{} ({})", end, show_days(days)),
            _ => Text::from("-"),
        };
        let key = match &self.key {
            Some(key) if short => Some(key.spoken().chars().take(SHORT_FINGERPRINT).collect()),
            key => key.map(|key| key.spoken()),
        };
        let mut cells = vec![
            label(&self.user),
            groups,
            label(&self.cluster),
            self.state.name().into(),
            expires,
            label(&key),
        ];
        if short {
            cells = cells.into_iter().map(|cell| cell.cut(WIDEST)).collect();
            cells.push(quoted(&self.source));
            return cells;
        }
        cells.extend([
            quoted(&self.source),
            self.kind.into(),
            label(&self.name),
            label(&self.server),
            label(&self.signer_name),
            label(&self.algorithm),
            label(&self.credential_id),
        ]);
        cells
    }

    /// For spreadsheets and scripts.
    fn fields(&self) -> [String; 14] {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let days = self.days_left.map(|days| days.to_string());
        [
            text(&self.user),
            self.groups.join(";"),
            text(&self.cluster),
            self.state.name().to_owned(),
            text(&self.not_after),
            days.unwrap_or_default(),
            self.key.map(|key| key.to_string()).unwrap_or_default(),
            self.source.clone(),
            self.kind.to_owned(),
            text(&self.name),
            text(&self.server),
            text(&self.signer_name),
            text(&self.algorithm),
            text(&self.credential_id),
        ]
    }
}

/// A group with a comma in its name is one group.
fn group_name(group: &str) -> Text {
    let shown = Label::from(group);
    if group.is_empty() || group.contains([',', '"', ' ']) {
        text!("\"{}\"", shown)
    } else {
        shown.show()
    }
}

/// What is left, or how long ago it ended, as [`show_days_left`](crate::certificate::show_days_left)
/// tells it.
fn show_days(left: i64) -> Text {
    match left {
        1.. => text!("{}d", left),
        0 => "<1d".into(),
        -1 => "ended <1d ago".into(),
        _ => text!("ended {}d ago", -1 - left),
    }
}

/// The day, in UTC.
fn date(end: time::OffsetDateTime) -> String {
    let end = end.to_offset(time::UtcOffset::UTC).date();
    format!(
        "{:04}-{:02}-{:02}",
        end.year(),
        u8::from(end.month()),
        end.day()
    )
}

/// A line for each certificate in each cluster, and for each request. What does not say which cluster it is
/// for stands with the first that does.
fn without_copies(rows: &[Row]) -> Vec<Vec<Text>> {
    let mut lines: Vec<(&Row, Vec<Text>)> = Vec::new();
    let mut in_cluster: HashMap<(&str, Option<&str>), usize> = HashMap::new();
    let mut first_of: HashMap<&str, usize> = HashMap::new();
    for row in rows {
        let file = quoted(&row.source);
        let cluster = row.cluster.as_deref();
        let id = row.mark.as_deref().or(row.credential_id.as_deref());
        let found = id.and_then(|id| {
            let known = in_cluster.get(&(id, cluster));
            let known = known.or_else(|| in_cluster.get(&(id, None)));
            known.or_else(|| first_of.get(id).filter(|_| cluster.is_none()))
        });
        let is_new = found.is_none();
        let index = found.copied().unwrap_or(lines.len());
        match lines.get_mut(index) {
            Some((first, files)) => {
                if first.cluster.is_none() && cluster.is_some() {
                    *first = row;
                }
                if files.last() != Some(&file) {
                    files.push(file);
                }
            }
            None => lines.push((row, vec![file])),
        }
        if let Some(id) = id {
            first_of.entry(id).or_insert(index);
            if is_new || cluster.is_some() {
                in_cluster.entry((id, cluster)).or_insert(index);
            }
            if !is_new && cluster.is_some() {
                in_cluster.remove(&(id, None));
            }
        }
    }
    let line = |(row, files): (&Row, Vec<Text>)| {
        let mut cells = row.cells(true);
        cells.pop();
        cells.push(Text::join(files, ", "));
        cells
    };
    lines.into_iter().map(line).collect()
}

/// Columns with two spaces between them.
fn table(head: &[&'static str], rows: impl Iterator<Item = Vec<Text>>) -> String {
    let head: Vec<Text> = head.iter().map(|name| Text::from(*name)).collect();
    let rows: Vec<Vec<Text>> = std::iter::once(head).chain(rows).collect();
    let mut widths = Vec::new();
    for row in &rows {
        widths.resize(row.len(), 0);
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.width().max(*width);
        }
    }
    let mut page = String::new();
    for row in &rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            let missing = width.saturating_sub(cell.width());
            line.push_str(cell.as_str());
            line.extend(std::iter::repeat_n(' ', missing + 2));
        }
        page.push_str(line.trim_end());
        page.push('\n');
    }
    page
}

fn csv(rows: &[Row]) -> String {
    let head = [
        "user",
        "groups",
        "cluster",
        "state",
        "notAfter",
        "daysLeft",
        "key",
        "file",
        "kind",
        "name",
        "server",
        "signerName",
        "algorithm",
        "credentialId",
    ];
    let line = |cells: &[String]| {
        let cells: Vec<String> = cells.iter().map(|cell| csv_cell(cell)).collect();
        cells.join(",") + "\r\n"
    };
    let mut page = line(&head.map(str::to_owned));
    for row in rows {
        page.push_str(&line(&row.fields()));
    }
    page
}

fn csv_cell(cell: &str) -> String {
    let shown = text::visible(cell).to_string().replace('"', "\"\"");
    let is_number = shown.parse::<i64>().is_ok();
    let formula = !is_number && shown.starts_with(['=', '+', '-', '@']);
    format!("\"{}{shown}\"", if formula { "'" } else { "" })
}

fn names(rows: &[Row]) -> String {
    let mut seen = std::collections::HashSet::new();
    let first = rows.iter().filter(|row| seen.insert(row.source.as_str()));
    let lines = first.map(|row| text!("{}\n", quoted(&row.source)));
    Text::join(lines, "").to_string()
}
