//! The one place that escapes: what would move the cursor, hide or reorder is shown as `\u{..}`.

use std::fmt::{self, Write as _};
use std::sync::LazyLock;

/// Shows `text` with control, bidirectional, invisible and look-alike-space characters, private
/// use and noncharacters as `\u{202e}`. Where one of those follows, or what looks like one, `\` is
/// doubled, so that the reading is unambiguous; elsewhere it stays, as in paths of Windows.
#[must_use]
pub fn visible(text: &str) -> Visible<'_> {
    Visible(text)
}

/// See [`visible`].
#[derive(Debug, Clone, Copy)]
pub struct Visible<'a>(&'a str);

impl fmt::Display for Visible<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        while let Some(character) = rest.chars().next() {
            // A run of backslashes at once: what is behind it decides for all of them.
            let behind = rest.trim_start_matches('\\');
            if let Some(backslashes @ [_, ..]) = rest.as_bytes().strip_suffix(behind.as_bytes()) {
                let times = if is_taken_for_an_escape(behind) { 2 } else { 1 };
                (0..times * backslashes.len()).try_for_each(|_| f.write_char('\\'))?;
                rest = behind;
                continue;
            }
            if is_deceptive(character) {
                write!(f, "\\u{{{:x}}}", u32::from(character))?;
            } else {
                f.write_char(character)?;
            }
            rest = rest.get(character.len_utf8()..).unwrap_or_default();
        }
        Ok(())
    }
}

/// Whether backslashes before this could be taken for those of an escape.
fn is_taken_for_an_escape(behind: &str) -> bool {
    behind.starts_with("u{") || behind.starts_with(is_deceptive)
}

/// Text as it looks to people, whatever letters it is made of (Unicode Technical Standard #39).
pub(crate) fn skeleton(text: &str) -> String {
    /// What becomes of each letter, which in ASCII is a matter of itself alone.
    static ASCII: LazyLock<Vec<String>> = LazyLock::new(|| {
        let letters = (0..128).map(|byte: u8| char::from(byte).to_string());
        letters
            .map(|letter| unicode_security::skeleton(&letter).collect())
            .collect()
    });
    if !text.is_ascii() {
        return unicode_security::skeleton(text).collect();
    }
    let letters = text.bytes().map(usize::from);
    letters
        .filter_map(|byte| ASCII.get(byte))
        .map(String::as_str)
        .collect()
}

/// Both ends of a text that is longer than anybody reads: what was found stands at one, what was
/// expected at the other.
pub(crate) fn bounded(text: String) -> String {
    const END: usize = 1000;
    if text.len() <= 3 * END {
        return text;
    }
    let (Some((head, _)), Some((tail, _))) = (
        text.char_indices().nth(END),
        text.char_indices().rev().nth(END),
    ) else {
        return text;
    };
    if tail <= head {
        return text;
    }
    let (head, tail) = (text.get(..head), text.get(tail..));
    [
        head.unwrap_or_default(),
        " [...] ",
        tail.unwrap_or_default(),
    ]
    .concat()
}

/// Whether a reader of `character` on a screen could be misled about what is there.
#[must_use]
pub fn is_deceptive(character: char) -> bool {
    if character.is_ascii() {
        return character.is_ascii_control();
    }
    let code = u32::from(character);
    let index = DECEPTIVE.partition_point(|range| *range.end() < code);
    DECEPTIVE
        .get(index)
        .is_some_and(|range| range.contains(&code))
        || code & 0xFFFE == 0xFFFE
}

/// Code points outside ASCII that are controls, spaces, bidirectional or default-ignorable
/// (Unicode Standard Annex #44, `White_Space`, `Bidi_Control`, `Default_Ignorable_Code_Point`),
/// for private use, or no characters; in ascending order.
const DECEPTIVE: &[std::ops::RangeInclusive<u32>] = &[
    0x80..=0xA0,
    0xAD..=0xAD,
    0x34F..=0x34F,
    0x61C..=0x61C,
    0x115F..=0x1160,
    0x1680..=0x1680,
    0x17B4..=0x17B5,
    0x180B..=0x180F,
    0x2000..=0x200F,
    0x2028..=0x202F,
    0x205F..=0x206F,
    0x2800..=0x2800,
    0x3000..=0x3000,
    0x3164..=0x3164,
    0xE000..=0xF8FF,
    0xFDD0..=0xFDEF,
    0xFE00..=0xFE0F,
    0xFEFF..=0xFEFF,
    0xFFA0..=0xFFA0,
    0xFFF0..=0xFFFB,
    0x1BCA0..=0x1BCA3,
    0x1D173..=0x1D17A,
    0xE0000..=0xE0FFF,
    0xF_0000..=0x10_FFFF,
];

/// Text whose names are escaped already: the same, and `\` stays as it is.
pub(super) fn escape_again(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for piece in text.split_inclusive('\\') {
        let (before, backslash) = piece
            .strip_suffix('\\')
            .map_or((piece, ""), |before| (before, "\\"));
        escaped.push_str(&visible(before).to_string());
        escaped.push_str(backslash);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_text_in_any_script_is_left_alone() {
        for text in ["alice@example.com", "Зоя", "李雷", "naïve", "🙂"] {
            assert_eq!(visible(text).to_string(), text);
        }
    }

    #[test]
    fn what_moves_hides_or_reorders_is_escaped() {
        for (text, shown) in [
            ("a\u{1b}[2Kb", "a\\u{1b}[2Kb"),
            ("a\r\nb", "a\\u{d}\\u{a}b"),
            ("alice\u{202e}toor", "alice\\u{202e}toor"),
            ("zero\u{200b}width", "zero\\u{200b}width"),
            ("line\u{2028}", "line\\u{2028}"),
            ("no-break\u{a0}space", "no-break\\u{a0}space"),
            ("tag\u{e0041}", "tag\\u{e0041}"),
            ("\u{10fffe}\u{ffff}", "\\u{10fffe}\\u{ffff}"),
            ("C:\\Users\\alice\\", "C:\\Users\\alice\\"),
            ("back\\\\slash", "back\\\\slash"),
            ("\\u{1b}", "\\\\u{1b}"),
            ("\\\\u{1b}", "\\\\\\\\u{1b}"),
            ("\\\u{1b}", "\\\\\\u{1b}"),
            ("\\\\\u{1b}x", "\\\\\\\\\\u{1b}x"),
        ] {
            assert_eq!(visible(text).to_string(), shown);
        }
    }

    #[test]
    fn the_table_is_in_ascending_order() {
        assert!(DECEPTIVE.is_sorted_by(|a, b| a.end() < b.start()));
    }
}
