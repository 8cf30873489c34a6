//! Long lines of an object that a program broke at some width. Which lines belong together is told by the
//! grammar and not by their length: what is no line of an object goes on with the one before it.

use zeroize::Zeroizing;

use super::lines::{BEGIN, LONG, is_base64, is_head};
use crate::qr::parts;

/// What stands at the margin of the objects and kubeconfigs of this field.
const TOP: [&str; 11] = [
    "apiVersion",
    "kind",
    "metadata",
    "spec",
    "status",
    "items",
    "clusters",
    "contexts",
    "users",
    "preferences",
    "current-context",
];
/// So much of a value is enough to know that it is base64, in characters.
const ENOUGH: usize = 16;

/// The lines of a text that was an object, whole again.
pub(super) fn mended(text: &str) -> Option<Zeroizing<String>> {
    let has_parts = text.lines().any(|line| parts::is_parts(line.as_bytes()));
    if has_parts || text.contains(BEGIN) {
        return None;
    }
    let lines: Vec<&str> = text.lines().collect();
    let first = lines.iter().position(|line| is_head(line.trim_start()))?;
    let head = lines.get(first)?;
    let margin = indentation(head);
    let is_json = head.trim_start().starts_with('{');
    // What is behind the last line of the object may be what somebody wrote below it.
    let is_own = |line: &&str| begins(line, margin, is_json);
    let last = lines.iter().rposition(is_own)?;
    let mut mended = Zeroizing::new(String::with_capacity(text.len()));
    // The line that the one in hand goes on with, and the one just before.
    let (mut before, mut previous) = ("", "");
    // How many characters of base64 the value that is open has so far.
    let mut packed = 0;
    let mut is_broken = false;
    for (position, line) in lines.iter().enumerate() {
        let bare = line.trim();
        let ends = ["", "-", "--"].contains(&bare) || bare.starts_with("```");
        if position <= first || ends || before.is_empty() || is_own(line) {
            packed = packed_at_end(line);
        } else if (packed >= ENOUGH || packed > 0 && bare.len() >= LONG) && is_rest_of_base64(bare)
        {
            packed += bare.len();
            previous = line;
            cut_blanks(&mut mended);
            mended.push_str(bare);
            is_broken = true;
            continue;
        } else if position < last && indentation(line) <= indentation(before).min(margin + 1)
            || is_value_of(previous, bare)
        {
            let had_blank = previous.ends_with([' ', '\t']) || line.starts_with([' ', '\t']);
            let is_apart = is_without_value(previous) && !bare.starts_with('/');
            cut_blanks(&mut mended);
            if had_blank || is_apart || before.trim_start().starts_with('#') {
                mended.push(' ');
            }
            mended.push_str(bare);
            packed = packed_at_end(line);
            previous = line;
            is_broken = true;
            continue;
        } else {
            packed = 0;
        }
        if position > 0 {
            mended.push('\n');
        }
        mended.push_str(line);
        before = if ends { "" } else { line };
        previous = before;
    }
    mended.push('\n');
    is_broken.then_some(mended)
}

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start_matches([' ', '\t']).len()
}

fn cut_blanks(text: &mut String) {
    text.truncate(text.trim_end_matches([' ', '\t']).len());
}

/// How much base64 a line ends with.
fn packed_at_end(line: &str) -> usize {
    let last = line.trim_end().rsplit([' ', '"', '\'']).next();
    last.filter(|it| it.chars().all(is_base64))
        .map_or(0, str::len)
}

/// Whether a line can be what base64 goes on with: with the end of a string behind it, perhaps.
fn is_rest_of_base64(bare: &str) -> bool {
    let inner = bare.trim_end_matches([',', '"', '\'']);
    inner.chars().all(is_base64) && bare.len() - inner.len() <= 2
}

/// Whether a line holds the value, in base64, of the field that the line before it has none for.
fn is_value_of(before: &str, bare: &str) -> bool {
    let inner = bare.trim_start_matches(['"', '\'']);
    is_without_value(before) && inner.len() >= ENOUGH && is_rest_of_base64(inner)
}

/// Whether a line has a field's name, and no value behind it.
fn is_without_value(line: &str) -> bool {
    let bare = line.trim().trim_start_matches("- ");
    bare.ends_with(':') && !bare.contains([' ', '"'])
}

/// Whether an object, or a field or item of it, begins in a line.
fn begins(line: &str, margin: usize, is_json: bool) -> bool {
    let bare = line.trim_start_matches([' ', '\t']);
    if is_json {
        let is_field = bare
            .strip_prefix('"')
            .and_then(|rest| rest.split_once('"'))
            .is_some_and(|(_, rest)| rest.trim_start().starts_with(':'));
        return is_field || bare.starts_with(['{', '}', '[', ']']);
    }
    if bare.is_empty() || bare.starts_with('#') || bare.starts_with("---") || bare == "..." {
        return true;
    }
    let depth = indentation(line);
    if depth < margin {
        return false;
    }
    if bare == "-" || bare.starts_with("- ") {
        return true;
    }
    let Some((key, rest)) = bare.split_once(':') else {
        return false;
    };
    let key = key.trim_matches(['"', '\'']);
    let is_name = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    let is_field = !key.is_empty()
        && key.chars().all(is_name)
        && (rest.is_empty() || rest.starts_with([' ', '\t']));
    is_field && (depth > margin || TOP.contains(&key))
}
