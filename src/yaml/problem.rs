//! Why a document cannot be read, and what in it may be read in two ways: in our words, with the
//! line, and never with a piece of the file.

use crate::budget::Exceeded;

/// Why a document cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct YamlError {
    /// The line, counted from 1, where the reader stopped; `None` where it is of no use.
    pub line: Option<usize>,
    /// What it stopped at.
    pub problem: Problem,
}

impl YamlError {
    pub(super) fn new(line: usize, problem: impl Into<Problem>) -> Self {
        Self {
            line: Some(line),
            problem: problem.into(),
        }
    }

    /// Whether kubectl may read it all the same, only that nobody can say as what.
    #[must_use]
    pub fn cannot_tell(&self) -> bool {
        matches!(self.problem, Problem::CannotTell(_) | Problem::Exceeded(_))
    }
}

impl std::fmt::Display for YamlError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.problem),
            None => self.problem.fmt(f),
        }
    }
}

impl std::error::Error for YamlError {}

/// What a reader stops at. But for [`Self::Exceeded`] and [`Self::CannotTell`], kubectl does too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// More than the limits allow.
    #[error("{0}: what kubectl reads here cannot be told")]
    Exceeded(#[from] Exceeded),
    /// kubectl reads something, and it cannot be said what.
    #[error("what kubectl reads here cannot be told: {0}")]
    CannotTell(#[from] Doubt),
    /// Bytes that are no text.
    #[error("this is not UTF-8 text")]
    Encoding,
    /// A character that YAML does not allow.
    #[error("a control character, which YAML does not allow")]
    ControlCharacter,
    /// `---` with more behind it.
    #[error("a line that starts with --- and goes on: the --- must stand alone")]
    Separator,
    /// JSON that ends or goes on where it must not.
    #[error("this is not JSON")]
    Json,
    /// A quoted string without an end.
    #[error("a quoted string is not closed")]
    UnclosedQuote,
    /// `---` or `...` in a quoted string.
    #[error("a line of --- or ... inside a quoted string")]
    IndicatorInQuote,
    /// An escape that is none of YAML's, or stands for no character.
    #[error(
        "an escape that YAML does not know in a double-quoted string; a path of Windows stands in single quotes"
    )]
    Escape,
    /// A tab where only spaces may stand.
    #[error("a tab where only spaces may indent")]
    Tab,
    /// The head of a block scalar.
    #[error("the | or > of a block is followed by something else than its indentation")]
    BlockHead,
    /// A character that starts nothing.
    #[error("a character that no value can start with; put the value in quotes")]
    Character,
    /// A key without its colon.
    #[error("a key without a colon")]
    MissingColon,
    /// `- `, `? ` or `: ` where there can be none.
    #[error(
        "a dash, question mark or colon where none can be; look at the indentation, or put the value in quotes"
    )]
    Misplaced,
    /// Something else than an entry of the list or mapping.
    #[error("neither the next entry nor the end of this list or mapping; look at the indentation")]
    Entry,
    /// No value where one must be.
    #[error("a value is missing")]
    MissingValue,
    /// `&` or `*` without a name.
    #[error("an anchor or alias without a name")]
    AnchorName,
    /// `*name` before any `&name`.
    #[error("an alias to what is not there")]
    UnknownAnchor,
    /// An alias inside what it stands for.
    #[error("an alias that contains itself")]
    AliasCycle,
    /// More from aliases than from the file itself.
    #[error("aliases repeat too much")]
    Aliasing,
    /// A tag that is cut off or undefined.
    #[error("a tag that cannot be read")]
    Tag,
    /// A value that does not fit its tag.
    #[error("a value that does not fit its tag")]
    TagMismatch,
    /// A directive that is unknown, repeated or cut off.
    #[error("a directive that cannot be read")]
    Directive,
    /// `<<` with something else than mappings.
    #[error("a merge key that merges no mapping")]
    Merge,
    /// A key that JSON cannot have.
    #[error("a key that is no string")]
    Key,
    /// `.inf` or `.nan`.
    #[error("a number that JSON cannot have")]
    Infinite,
}

/// Why kubectl's reading cannot be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Doubt {
    /// go.yaml.in/yaml/v2 `is_bom` looks at the start of its buffer, not at the character: where a
    /// mark happens to be there, characters at the start of lines are lost.
    #[error("a byte order mark stands where it may swallow text")]
    Mark,
    /// sigs.k8s.io/yaml turns keys into strings in the order of a Go map, which is random.
    #[error("two different keys become the same, and either may win")]
    Keys,
    /// Behind a UTF-8 mark kubectl does not mend what is no UTF-8.
    #[error("bytes that are no letter in UTF-8 behind a byte order mark")]
    InvalidUtf8,
}

/// Something that people and programs read in different ways, or that hides what is there. None
/// has a use in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Oddity {
    /// What it is.
    pub kind: OddityKind,
    /// Its line, counted from 1.
    pub line: usize,
}

/// The kinds of oddities. Their text is what stands there, to be followed by what comes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, thiserror::Error)]
pub enum OddityKind {
    /// `&name`.
    #[error("a YAML anchor")]
    Anchor,
    /// `*name`.
    #[error("a YAML alias")]
    Alias,
    /// `!tag`.
    #[error("a YAML tag")]
    Tag,
    /// `<<`.
    #[error("a YAML merge key")]
    MergeKey,
    /// A key that its mapping has already.
    #[error("a key that comes twice; the last one counts")]
    DuplicateKey,
    /// A key that is no string in YAML, and one in JSON.
    #[error("a key that YAML takes for a number or a boolean")]
    OtherKey,
    /// `%YAML`, `%TAG`.
    #[error("a YAML directive")]
    Directive,
    /// U+FEFF anywhere but at the very start.
    #[error("a byte order mark inside the text")]
    MarkInside,
    /// What is not UTF-8 is read as U+FFFD.
    #[error(
        "bytes that are no letter in UTF-8 (saved in another encoding?), which kubectl replaces"
    )]
    InvalidUtf8,
    /// The file is in UTF-16.
    #[error("UTF-16")]
    Utf16,
    /// Anything but blanks behind the first value of a file that starts as JSON.
    #[error("something behind the end of the JSON value")]
    BehindJson,
    /// The file starts with `{` and is not JSON: kubectl before 1.34 refuses it, later ones take
    /// it for YAML.
    #[error("braces that are not JSON")]
    NotJson,
    /// Something in a document behind its end, which is not read.
    #[error("something behind the end of a document, which kubectl does not read")]
    BehindDocument,
    /// A line break that is none elsewhere: a carriage return alone, U+0085, U+2028, U+2029.
    #[error("a character that only YAML takes for the end of a line")]
    LineBreak,
}

crate::text::show_escaped!(YamlError, Problem, OddityKind);
