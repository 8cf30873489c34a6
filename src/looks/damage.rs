//! What the way did to a file that cannot be undone, by what is left of it.

use crate::certificate::Certificate;
use crate::text;
use crate::text::{Show, Text};

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";

/// What is damaged, and where that is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Damage {
    /// Zero bytes and nothing else.
    Zeros,
    /// BEGIN and END of PEM, in these lines, are of different things.
    OtherEnd(usize, usize),
    /// The END in this line has no BEGIN.
    NoBegin(usize),
    /// An object without its beginning.
    NoHead,
    /// Whole base64 of something that is not whole.
    Contents(&'static str),
    /// DER of so many bytes, which says that it has so many.
    Length(usize, usize),
    /// Binary data that was saved as text.
    Mangled,
    /// YAML without its indentation.
    Indentation,
    /// YAML in one line.
    Lines,
}

impl Show for Damage {
    fn show(&self) -> Text {
        match self {
            Self::Zeros => {
                "only zero bytes: it was not copied to its end (a stick pulled out too early?)".into()
            }
            Self::OtherEnd(begin, end) => text!(
                "PEM that begins with other words, in line {}, than it ends with, in line {}",
                *begin,
                *end
            ),
            Self::NoBegin(line) => text!(
                "PEM whose beginning is missing: there is an END in line {} and no BEGIN",
                *line
            ),
            Self::NoHead => {
                "an object whose beginning is missing (its first lines say neither apiVersion nor kind)"
                    .into()
            }
            Self::Contents(what) => text!(
                "{} that is damaged: a piece of it is missing or is another one",
                *what
            ),
            Self::Length(found, said) if found < said => text!(
                "binary data (DER) that is cut off: {} of {} bytes are there",
                *found,
                *said
            ),
            Self::Length(found, said) => text!(
                "binary data (DER) that was changed: there are {} bytes in place of {}",
                *found,
                *said
            ),
            Self::Mangled => {
                "binary data that was saved as text, by which a part of it is lost".into()
            }
            Self::Indentation => {
                "YAML that lost the indentation of its lines: all start at the margin".into()
            }
            Self::Lines => "YAML that lost its line breaks: all is in one line".into(),
        }
    }
}

/// The number of the line that a place is in.
fn line_of(text: &str, place: usize) -> usize {
    let before = text.as_bytes().get(..place).unwrap_or_default();
    1 + memchr::memchr_iter(b'\n', before).count()
}

/// PEM that ends with another label than it begins with, or has no beginning.
pub(super) fn ends_of_pem(text: &str) -> Option<Damage> {
    let end = text.find(END)?;
    let begin = text.find(BEGIN).filter(|begin| *begin < end);
    Some(match begin {
        Some(begin) => Damage::OtherEnd(line_of(text, begin), line_of(text, end)),
        None => Damage::NoBegin(line_of(text, end)),
    })
}

/// A certificate in whole base64 that is none.
pub(super) fn certificate(der: &[u8]) -> Option<Damage> {
    Certificate::from_der(der)
        .is_err()
        .then_some(Damage::Contents("a certificate"))
}

/// DER whose length is another one than it says (X.690 section 8.1.3.5).
pub(super) fn length(bytes: &[u8]) -> Option<Damage> {
    let [0x30, form @ 0x81..=0x84, rest @ ..] = bytes else {
        return None;
    };
    let count = usize::from(form & 0x7F);
    let length = rest.get(..count)?;
    let length = length
        .iter()
        .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
    let said = length.checked_add(2 + count)?;
    (said != bytes.len()).then_some(Damage::Length(bytes.len(), said))
}

/// Binary data in which a program replaced what is no text.
pub(super) fn mangled(text: &str) -> Option<Damage> {
    let is_binary = |c: char| c.is_control() && !c.is_whitespace() && c != '\u{1b}';
    (text.contains('\u{fffd}') && text.contains(is_binary)).then_some(Damage::Mangled)
}

/// Objects and kubeconfigs without what makes them YAML, or without their first lines.
pub(super) fn object(text: &str) -> Option<Damage> {
    let is_line = |wanted: &str| text.lines().any(|line| line.trim_end() == wanted);
    let has_line = |start: &str| text.lines().any(|line| line.starts_with(start));
    let is_at_margin = !text.lines().any(|line| line.starts_with([' ', '\t']));
    let is_object = is_line("spec:") && has_line("request:");
    let is_kubeconfig = is_line("clusters:") && (has_line("server:") || has_line("cluster:"));
    if is_at_margin && (is_object || is_kubeconfig) {
        return Some(Damage::Indentation);
    }
    let whole = text.trim();
    let holds = |part: &str| whole.contains(part);
    if !whole.contains('\n')
        && !whole.starts_with('{')
        && holds("apiVersion: ")
        && (holds("spec:") || holds("clusters:"))
    {
        return Some(Damage::Lines);
    }
    let document = text.split("\n---").next()?;
    let mut lines = document.lines().filter(|line| {
        let line = line.trim();
        !line.is_empty() && !line.starts_with('#')
    });
    let first = lines.next()?;
    let is_inside =
        first.starts_with(' ') || ["metadata:", "spec:", "status:"].contains(&first.trim_end());
    let has_head = document
        .lines()
        .map(|line| line.trim_start_matches([' ', '-']))
        .any(|line| line.starts_with("apiVersion:") || line.starts_with("kind:"));
    let is_ours = document.lines().any(|line| {
        let line = line.trim_start();
        ["request:", "signerName:", "certificate:", "conditions:"]
            .iter()
            .any(|field| line.starts_with(field))
    });
    (is_inside && !has_head && is_ours).then_some(Damage::NoHead)
}
