//! What may be printed is a type: a message is a [`Text`], which only [`text!`](crate::text!) makes, out of
//! literals and of values that say how they are shown.
//!
//! A `String` that came from a file is not among them, so that printing one does not compile:
//!
//! ```compile_fail,E0277
//! let read = String::from("from a file");
//! let shown = kube_enroll::text!("found {}", read);
//! ```
//! ```
//! use kube_enroll::text::Label;
//! let read = String::from("from a \u{202e}file");
//! let shown = kube_enroll::text!("found {}", Label::from(read));
//! assert_eq!(shown.as_str(), r"found from a \u{202e}file");
//! ```
//!
//! Nor is a borrowed `str`, a captured name, a secret or the error of a library:
//!
//! ```compile_fail
//! fn show(read: &str) -> kube_enroll::text::Text {
//!     kube_enroll::text!("found {}", read)
//! }
//! ```
//! ```compile_fail
//! let read = String::from("from a file");
//! let shown = kube_enroll::text!("found {read}");
//! ```
//! ```compile_fail,E0277
//! let passphrase = kube_enroll::secret::Passphrase::new(Vec::new());
//! let shown = kube_enroll::text!("found {}", passphrase);
//! ```
//! ```compile_fail,E0277
//! let error = std::io::Error::other("from elsewhere");
//! let shown = kube_enroll::text!("found {}", error);
//! ```

use std::borrow::Cow;
use std::fmt;

use crate::shell;

mod show;
mod visible;

pub use show::Show;
pub(crate) use show::{show_escaped, show_raw};
pub use visible::{Visible, is_deceptive, visible};
pub(crate) use visible::{bounded, skeleton};

/// Longer labels are cut when they are shown, in characters.
const LONGEST_LABEL: usize = 300;

/// Public text that others wrote, such as a name: raw inside, for comparisons and for programs;
/// escaped and cut when it is shown to people.
///
/// Never for what may be a secret: a value of a file whose kind is not known, a field that is not
/// known, or the text of a library's error.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Label(String);

impl Label {
    /// The text as it was written.
    #[must_use]
    pub fn raw(&self) -> &str {
        &self.0
    }
}

impl From<String> for Label {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Label {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl Show for Label {
    fn show(&self) -> Text {
        let Some((end, _)) = self.0.char_indices().nth(LONGEST_LABEL) else {
            return Text::escaped(&self.0);
        };
        let head = Text::escaped(self.0.get(..end).unwrap_or_default());
        crate::text!("{}... ({} characters)", head, self.0.chars().count())
    }
}

/// What people read. It moves no cursor and hides nothing, whatever it speaks of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Text(Cow<'static, str>);

impl Text {
    /// The text, ready for a terminal.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Its length in columns of a terminal.
    #[must_use]
    pub fn width(&self) -> usize {
        unicode_width::UnicodeWidthStr::width(self.as_str())
    }

    /// The same with spaces behind it, so that it takes `width` columns at least.
    #[must_use]
    pub fn padded(self, width: usize) -> Self {
        let missing = width.saturating_sub(self.width());
        Self(Cow::Owned(format!("{self}{}", " ".repeat(missing))))
    }

    /// The same, where it takes more than `width` columns with its end cut off and told.
    #[must_use]
    pub fn cut(self, width: usize) -> Self {
        if self.width() <= width {
            return self;
        }
        let mut used = 0;
        let room = width.saturating_sub("...".len());
        let end = self.0.char_indices().find(|(_, character)| {
            used +=
                unicode_width::UnicodeWidthStr::width(character.encode_utf8(&mut [0; 4]) as &str);
            used > room
        });
        let end = end.map_or(self.0.len(), |(end, _)| end);
        Self(Cow::Owned(format!(
            "{}...",
            self.0.get(..end).unwrap_or_default()
        )))
    }

    /// The texts in a row, with a separator between them.
    #[must_use]
    pub fn join(texts: impl IntoIterator<Item = Self>, separator: &'static str) -> Self {
        let texts: Vec<Self> = texts.into_iter().collect();
        let texts: Vec<&str> = texts.iter().map(Self::as_str).collect();
        Self(Cow::Owned(texts.join(separator)))
    }

    /// What [`text!`](crate::text!) calls. There is one value for each `{}` of the format.
    #[doc(hidden)]
    #[must_use]
    #[cold]
    #[inline(never)]
    pub fn assemble(format: &'static str, values: &[&dyn Show]) -> Self {
        let mut pieces = format.split("{}");
        let mut text = pieces.next().unwrap_or_default().to_owned();
        for (value, piece) in values.iter().zip(pieces) {
            text.push_str(value.show().as_str());
            text.push_str(piece);
        }
        Self(Cow::Owned(text))
    }

    fn escaped(raw: &str) -> Self {
        Self(Cow::Owned(visible(raw).to_string()))
    }

    /// A value that shows itself in our words around names that are raw: everything is escaped, and of
    /// more than anybody reads there are both ends.
    pub(crate) fn of_raw(value: &dyn fmt::Display) -> Self {
        Self::escaped(&bounded(value.to_string()))
    }

    /// What a value of this crate made of nothing but letters, digits and signs of ours.
    pub(crate) fn from_own(made: String) -> Self {
        Self(Cow::Owned(made))
    }

    /// Lines of such values.
    pub(crate) fn of_escaped_lines(lines: &[String]) -> Self {
        Self::join(lines.iter().map(|line| Self::of_escaped(line)), "\n")
    }

    /// A value that shows itself in our words around names that it escapes.
    pub(crate) fn of_escaped(value: &dyn fmt::Display) -> Self {
        Self(Cow::Owned(visible::escape_again(&value.to_string())))
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&'static str> for Text {
    fn from(literal: &'static str) -> Self {
        Self(shell::in_our_name(literal))
    }
}

/// A [`Text`] out of a literal whose `{}` stand for values that are [`Show`]. Nothing else may stand
/// between braces.
#[macro_export]
macro_rules! text {
    ($format:literal $(, $value:expr)* $(,)?) => {{
        const _: () = assert!(
            $crate::text::places($format) == <[&str]>::len(&[$(stringify!($value)),*]),
            "a format has one place for each value, and no other braces"
        );
        $crate::text::Text::assemble($format, &[$(&$value as &dyn $crate::text::Show),*])
    }};
}

/// The number of `{}` in a format, or what no number of values equals where a brace stands alone.
#[doc(hidden)]
#[must_use]
pub const fn places(format: &str) -> usize {
    let mut bytes = format.as_bytes();
    let mut count = 0;
    loop {
        match bytes {
            [b'{', b'}', rest @ ..] => {
                count += 1;
                bytes = rest;
            }
            [b'{' | b'}', ..] => return usize::MAX,
            [_, rest @ ..] => bytes = rest,
            [] => return count,
        }
    }
}

/// A number of things, of which one is not many.
#[must_use]
pub fn count(number: usize, one: &'static str, many: &'static str) -> Text {
    crate::text!("{} {}", number, if number == 1 { one } else { many })
}

/// Bytes as lower-case hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    let mut digits = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_raw_inside_and_escaped_when_shown() {
        let label = Label::from("a\u{1b}[2K\\b");
        assert_eq!(label.raw(), "a\u{1b}[2K\\b");
        assert_eq!(label.show().as_str(), r"a\u{1b}[2K\b");
    }

    #[test]
    fn a_long_label_is_cut_and_says_how_long_it_is() {
        let shown = Label::from("é".repeat(1000)).show();
        assert!(shown.as_str().ends_with("é... (1000 characters)"));
        assert_eq!(shown.as_str().matches('é').count(), 300);
        assert_eq!(Label::from("é".repeat(300)).show().width(), 300);
    }

    #[test]
    fn a_text_that_is_too_wide_is_cut() {
        let text = |raw: &str| Label::from(raw).show();
        assert_eq!(text("abcdef").cut(6).as_str(), "abcdef");
        assert_eq!(text("abcdefg").cut(6).as_str(), "abc...");
        // Each of these takes two columns.
        assert_eq!(text("漢字漢字").cut(6).as_str(), "漢...");
    }

    #[test]
    fn a_text_is_put_together_in_the_order_of_its_values() {
        let text = text!("{} of {}: {}", 2, 3_usize, text!("{}", "two"));
        assert_eq!(text.as_str(), "2 of 3: two");
        assert_eq!(text!("none").as_str(), "none");
        assert_eq!(count(1, "file", "files").as_str(), "1 file");
        assert_eq!(count(0, "file", "files").as_str(), "0 files");
    }

    #[test]
    fn what_is_escaped_already_is_not_escaped_twice() {
        assert_eq!(
            Text::of_escaped(&"a\\u{1b}\u{1b}").as_str(),
            r"a\u{1b}\u{1b}"
        );
        assert_eq!(Text::of_raw(&"a\\\u{1b}").as_str(), r"a\\\u{1b}");
    }

    #[test]
    fn braces_that_hold_something_are_refused() {
        assert_eq!(places("{} and {}"), 2);
        for wrong in ["{read}", "{:?}", "{", "}", "{{}}"] {
            assert_eq!(places(wrong), usize::MAX, "{wrong}");
        }
    }

    #[test]
    fn columns_are_counted_as_a_terminal_does() {
        assert_eq!(Text::from("李").padded(4).as_str(), "李  ");
        assert_eq!(Text::from("abcde").padded(4).as_str(), "abcde");
    }
}
