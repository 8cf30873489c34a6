//! What the way does to a file: quoting, fences, mail encodings, lost line breaks. It is undone on the
//! user's side, where a certificate is bound to its key anyway, and told; never for who judges.

use zeroize::Zeroizing;

use crate::pem;
use crate::qr::parts;
use crate::text;
use crate::text::{Show, Text};

mod lines;
mod mail;
mod wrapped;

/// Coats that may lie over each other.
const MOST: usize = 8;
/// U+FEFF in UTF-8.
pub(crate) const MARK: &[u8] = b"\xEF\xBB\xBF";

/// What was undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// UTF-16, with or without a byte order mark.
    Utf16,
    /// A byte order mark at the start of UTF-8.
    Mark,
    /// One byte a character, as old Windows programs write.
    Windows1252,
    /// Lines that end with a carriage return alone.
    CarriageReturns,
    /// Line breaks written as `\n`.
    EscapedBreaks,
    /// `&quot;` and the like.
    Html,
    /// Typographic quotation marks.
    SmartQuotes,
    /// Typographic dashes, too few of them, or small letters in the lines that PEM begins and ends with.
    Dashes,
    /// Blanks that are no spaces, and characters without a width.
    Blanks,
    /// A line of an object in several, as programs break what is long.
    Wrapped,
    /// A signature of `OpenPGP` below it, and what that does to lines (RFC 9580 section 7).
    ClearSigned,
    /// The head of a mail.
    Mail,
    /// Quoted-printable (RFC 2045 section 6.7).
    QuotedPrintable,
    /// The number of each line before it.
    Numbered,
    /// The `---` between two objects, lost or made a rule of.
    Separator,
    /// `> ` before the lines.
    Quoted,
    /// Lines of three backquotes.
    Fence,
    /// Blanks before all lines.
    Indented,
    /// Tabs that indent.
    Tabs,
    /// Text before or behind the document.
    TextAround,
    /// Base64 of the whole file.
    Base64,
    /// The name of a field before its value.
    Field,
    /// The parts that QR codes hold.
    Parts,
    /// PEM whose line breaks were lost, or whose lines have blanks before them.
    PemLines,
    /// `X509 CERTIFICATE`, which OpenSSL wrote once and still reads.
    OldLabel,
}

impl Show for Step {
    fn show(&self) -> Text {
        match self {
            Self::Utf16 => "UTF-16",
            Self::Mark => "a byte order mark (BOM) at its start",
            Self::Windows1252 => "Windows-1252, in which it is written instead of UTF-8",
            Self::CarriageReturns => "lines that end with a carriage return (CR) alone",
            Self::EscapedBreaks => r"line breaks that were written as \n",
            Self::Html => "HTML (tags, &quot; and the like)",
            Self::SmartQuotes => "typographic quotation marks of a word processor",
            Self::Dashes => "BEGIN and END lines that have other dashes or letters than PEM",
            Self::Blanks => "blanks that are no spaces (non-breaking, of no width)",
            Self::Wrapped => "line breaks within its lines (long ones were broken on its way)",
            Self::ClearSigned => "a signature of OpenPGP, which was not checked",
            Self::Mail => "the head of a mail",
            Self::QuotedPrintable => "quoted-printable, a mail encoding (=3D)",
            Self::Numbered => "the numbers of its lines in front of them",
            Self::Separator => {
                "a line of three dashes (---) between its objects, which was lost or changed"
            }
            Self::Quoted => "signs in front of the lines, as in a quoted mail (>)",
            Self::Fence => "a fence (``` or {code}) around it",
            Self::Indented => "blanks in front of all lines (it is indented)",
            Self::Tabs => "tabs in front of lines",
            Self::TextAround => "text before or behind it",
            Self::Base64 => "base64 around the whole file",
            Self::Field => "the name of a field in front of it",
            Self::Parts => "the parts of QR codes that it is in",
            Self::PemLines => "line breaks that are missing or out of place in the PEM",
            Self::OldLabel => "the old label X509 CERTIFICATE",
        }
        .into()
    }
}

/// A file without what the way did to it.
#[derive(Debug)]
pub struct Undone {
    /// The bytes: a key may have come this way.
    pub bytes: Zeroizing<Vec<u8>>,
    /// What was undone, the outermost first; none where nothing was recognised.
    pub steps: Vec<Step>,
}

impl Undone {
    /// What was undone, in one sentence.
    #[must_use]
    pub fn note(&self) -> Text {
        text!("read all the same, without {}", self.coats())
    }

    /// What was undone, in a row.
    #[must_use]
    pub fn coats(&self) -> Text {
        Text::join(self.steps.iter().map(Show::show), ", and ")
    }
}

/// Takes off, one after the other, what is recognised. Each takes one pass over the file, and there
/// are few.
#[must_use]
pub fn undo(input: &[u8]) -> Undone {
    let mut undone = decode(input);
    for _ in 0..MOST {
        let Some((step, text)) = next(&undone.bytes) else {
            break;
        };
        undone.put(step, text);
    }
    undone
}

/// The same of the encoding of text alone: what is in it is as it was typed.
#[must_use]
pub fn decode(input: &[u8]) -> Undone {
    let mut undone = Undone {
        bytes: Zeroizing::new(input.to_vec()),
        steps: Vec::new(),
    };
    if let Some(text) = utf16(input) {
        undone.put(Step::Utf16, text);
    } else if let Some(rest) = input.strip_prefix(MARK) {
        undone.put(Step::Mark, Zeroizing::new(rest.to_vec()));
    } else if let Some(text) = lines::windows_1252(input) {
        undone.put(Step::Windows1252, Zeroizing::new(text.as_bytes().to_vec()));
    }
    undone
}

impl Undone {
    fn put(&mut self, step: Step, text: Zeroizing<Vec<u8>>) {
        self.bytes = text;
        if !self.steps.contains(&step) {
            self.steps.push(step);
        }
    }
}

/// The outermost coat, and what is below.
fn next(bytes: &[u8]) -> Option<(Step, Zeroizing<Vec<u8>>)> {
    let text = std::str::from_utf8(bytes).ok()?;
    // An archive may hold text between its NUL bytes.
    if text.contains('\0') {
        return None;
    }
    let found = |step, text: Option<Zeroizing<String>>| {
        text.map(|text| (step, Zeroizing::new(text.as_bytes().to_vec())))
    };
    if text.contains('\r') && !text.contains('\n') {
        let text = Zeroizing::new(text.replace('\r', "\n"));
        return found(Step::CarriageReturns, Some(text));
    }
    found(Step::EscapedBreaks, lines::escaped_breaks(text))
        .or_else(|| found(Step::ClearSigned, mail::clear_signed(text)))
        .or_else(|| found(Step::Dashes, lines::dashes(text)))
        .or_else(|| found(Step::Mail, mail::body(text)))
        .or_else(|| found(Step::QuotedPrintable, mail::quoted_printable(text)))
        .or_else(|| found(Step::Html, mail::html(text)))
        .or_else(|| found(Step::Blanks, lines::blanks(text)))
        .or_else(|| found(Step::Numbered, lines::numbered(text)))
        .or_else(|| found(Step::Quoted, lines::quoted(text)))
        .or_else(|| found(Step::Fence, lines::fenced(text)))
        .or_else(|| found(Step::PemLines, lines::pem(text)))
        .or_else(|| found(Step::OldLabel, lines::old_label(text)))
        .or_else(|| found(Step::Separator, lines::separators(text)))
        .or_else(|| found(Step::Wrapped, wrapped::mended(text)))
        .or_else(|| found(Step::Indented, lines::indented(text)))
        .or_else(|| found(Step::Tabs, lines::tabs(text)))
        .or_else(|| found(Step::TextAround, lines::text_around(text)))
        .or_else(|| found(Step::SmartQuotes, lines::smart_quotes(text)))
        .or_else(|| parts(text).map(|inner| (Step::Parts, inner)))
        .or_else(|| found(Step::Field, lines::field(text)))
        .or_else(|| base64(text).map(|inner| (Step::Base64, inner)))
}

/// UTF-16 by its mark, or by the zero bytes of its ASCII.
pub(crate) fn utf16(input: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let unit: fn([u8; 2]) -> u16 = match input {
        // UTF-32.
        [0xFF, 0xFE, 0, 0, ..] => return None,
        [0xFF, 0xFE, ..] => u16::from_le_bytes,
        [0xFE, 0xFF, ..] => u16::from_be_bytes,
        [first, 0, second, 0, ..] if *first != 0 && *second != 0 => u16::from_le_bytes,
        [0, first, 0, second, ..] if *first != 0 && *second != 0 => u16::from_be_bytes,
        _ => return None,
    };
    let (units, _) = input.as_chunks::<2>();
    let text: Result<String, _> = char::decode_utf16(units.iter().map(|it| unit(*it))).collect();
    let text = Zeroizing::new(text.ok()?);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    Some(Zeroizing::new(text.as_bytes().to_vec()))
}

/// The file whose parts a text is, all of them.
fn parts(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let is_parts = parts::is_parts(text.as_bytes());
    let joined = is_parts.then(|| parts::join(text.as_bytes()))?;
    joined.ok().map(|joined| joined.file)
}

/// What is behind text that is base64 and nothing else, where that is something.
fn base64(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=".contains(byte);
    let is_ours = |byte: &u8| is_base64(byte) || byte.is_ascii_whitespace();
    if text.len() < 16 || !text.as_bytes().iter().all(is_ours) {
        return None;
    }
    let packed: Vec<u8> = text.bytes().filter(is_base64).collect();
    let packed = Zeroizing::new(packed);
    let decoded = pem::decode_base64(&packed).ok()?;
    let is_der = decoded.first() == Some(&0x30);
    // Some programs apply it twice.
    let is_text = |text: &str| lines::is_document(text) || base64(text).is_some();
    let is_ours = std::str::from_utf8(&decoded).is_ok_and(is_text);
    (is_der || is_ours).then_some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPLY: &str = "apiVersion: v1\nkind: Config\nclusters:\n- name: \"a\"\n";
    const PEM: &str = "-----BEGIN X-----\nYWJjZGVmZ2hpamtsbW5vcA==\n-----END X-----\n";

    fn undone(input: &str) -> (String, Vec<Step>) {
        let undone = undo(input.as_bytes());
        (
            String::from_utf8(undone.bytes.to_vec()).unwrap(),
            undone.steps,
        )
    }

    #[test]
    fn what_the_way_did_is_undone_and_told() {
        let before = |text: &str, prefix: &str| {
            let lines: Vec<_> = text
                .lines()
                .map(|line| format!("{prefix}{line}\n"))
                .collect();
            lines.concat()
        };
        let quoted = before(REPLY, "> ");
        let twice = before(&quoted, "> ");
        let indented = before(REPLY, "    ");
        for (input, steps) in [
            (quoted, vec![Step::Quoted]),
            (twice, vec![Step::Quoted]),
            (indented, vec![Step::Indented]),
            (format!("```yaml\n{REPLY}```\n"), vec![Step::Fence]),
            (
                format!("Hi,\nhere it is\n\n{REPLY}"),
                vec![Step::TextAround],
            ),
            // Only some of the lines, and a signature.
            (
                REPLY.replacen("apiVersion", "> apiVersion", 1) + "-- \nBob\n",
                vec![Step::Quoted, Step::TextAround],
            ),
            (
                REPLY
                    .replacen("apiVersion", "> apiVersion", 1)
                    .replacen("kind", "> kind", 1),
                vec![Step::Quoted],
            ),
            (
                format!(
                    "<html><body>{}</body></html>",
                    before(
                        &REPLY.replace(' ', "&nbsp;").replace('"', "&quot;"),
                        "<div>"
                    )
                    .replace('\n', "</div>\n")
                ),
                vec![Step::Html],
            ),
            (REPLY.replace('"', "&quot;"), vec![Step::Html]),
            (REPLY.replace('\n', "\r"), vec![Step::CarriageReturns]),
            (before(REPLY, "| "), vec![Step::Quoted]),
            (before(REPLY, "+"), vec![Step::Quoted]),
            (REPLY.replace(' ', "\u{a0}"), vec![Step::Blanks]),
            (REPLY.replace(": ", ": \u{200b}"), vec![Step::Blanks]),
            (
                REPLY.replacen('"', "\u{201c}", 1).replace('"', "\u{201d}"),
                vec![Step::SmartQuotes],
            ),
            (
                serde_json::Value::from(REPLY).to_string(),
                vec![Step::EscapedBreaks],
            ),
        ] {
            let (text, found) = undone(&input);
            assert_eq!(
                (text.trim_end(), found),
                (REPLY.trim_end(), steps),
                "{input}"
            );
        }
    }

    #[test]
    fn parts_of_qr_codes_are_found_in_a_mail() {
        let parts = parts::split(REPLY.as_bytes(), 2);
        let [one, two] = &parts[..] else { panic!() };
        let (one, two) = (one.as_str(), two.as_str());
        for (input, step) in [
            (format!("Hi,\n\n{one}\n{two}\n\nBye\n"), Step::TextAround),
            (format!("> Hi\n> {two}\n> {one}\n"), Step::Quoted),
            (format!("```\n{two}\n{one}\n```"), Step::Fence),
        ] {
            let (text, steps) = undone(&input);
            assert_eq!(text, REPLY, "{input}");
            assert_eq!((steps[0], steps.last()), (step, Some(&Step::Parts)));
        }
    }

    #[test]
    fn pem_gets_its_lines_back() {
        for input in [
            PEM.replace('\n', " "),
            PEM.replace('\n', ""),
            PEM.replace('\n', "\\n"),
            format!("  {}", PEM.replace('\n', "\n  ")),
        ] {
            let (text, steps) = undone(&input);
            assert!(pem::first(text.as_bytes()).is_some(), "{input}: {text}");
            assert_eq!(steps.len(), 1, "{input}");
        }
    }

    #[test]
    fn the_old_label_of_certificates_is_written_anew() {
        let old = PEM.replace(" X-", " X509 CERTIFICATE-");
        let new = old.replace("X509 ", "");
        let quoted = format!("> {}\n", old.trim_end().replace('\n', "\n> "));
        assert_eq!(undone(&old), (new.clone(), vec![Step::OldLabel]));
        assert_eq!(undone(&quoted), (new, vec![Step::Quoted, Step::OldLabel]));
    }

    #[test]
    fn the_ends_of_pem_get_their_dashes_back() {
        let five = |dash: char| PEM.replace("-----", &dash.to_string().repeat(5));
        for input in [
            five('\u{2013}'),
            five('\u{2212}'),
            PEM.replace("--", "\u{2014}"),
            PEM.replace("-----", "----"),
            PEM.replace("BEGIN X", "begin x").replace("END X", "end x"),
        ] {
            assert_eq!(
                undone(&input),
                (PEM.to_owned(), vec![Step::Dashes]),
                "{input}"
            );
        }
    }

    #[test]
    fn base64_that_was_wrapped_is_in_one_line_again() {
        let packed = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t".repeat(6);
        let whole = format!("kind: Config\nclusters:\n- name: a\n  data: \"{packed}\"\n  b: c\n");
        let wrapped = |before: &str| {
            let chunks = packed.as_bytes().chunks(72);
            let lines: Vec<_> = chunks.map(|it| String::from_utf8_lossy(it)).collect();
            whole.replace(&packed, &lines.join(&format!("\n{before}")))
        };
        for before in ["", "    "] {
            assert_eq!(
                undone(&wrapped(before)),
                (whole.clone(), vec![Step::Wrapped])
            );
        }
    }

    #[test]
    fn base64_is_taken_off_twice_and_behind_the_name_of_its_field() {
        use base64::Engine as _;
        use base64::prelude::BASE64_STANDARD;
        let once = BASE64_STANDARD.encode(PEM);
        for (input, steps) in [
            (BASE64_STANDARD.encode(&once), vec![Step::Base64]),
            (
                format!("certificate: {once}\n"),
                vec![Step::Field, Step::Base64],
            ),
            (
                format!("\"certificate\": \"{once}\","),
                vec![Step::Field, Step::Base64],
            ),
        ] {
            assert_eq!(undone(&input), (PEM.to_owned(), steps), "{input}");
        }
    }

    #[test]
    fn one_byte_a_character_is_known_where_it_is_no_utf_8() {
        let input = b"kind: Config\nclusters:\n- name: \x93b\xfcro\x94\n";
        let undone = undo(input);
        let text = "kind: Config\nclusters:\n- name: \"b\u{fc}ro\"\n";
        assert_eq!(std::str::from_utf8(&undone.bytes), Ok(text));
        assert_eq!(undone.steps, [Step::Windows1252, Step::SmartQuotes]);
    }

    #[test]
    fn what_is_as_it_was_sent_stays_so() {
        for input in [REPLY, PEM, "", "word", "two words\n"] {
            assert_eq!(undone(input), (input.to_owned(), Vec::new()));
        }
    }

    #[test]
    fn utf_16_is_known_by_its_mark_or_its_zero_bytes() {
        let units: Vec<u16> = REPLY.encode_utf16().collect();
        let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
        let marked = [&b"\xFF\xFE"[..], &little].concat();
        for input in [little, big, marked] {
            let undone = undo(&input);
            assert_eq!(&undone.bytes[..], REPLY.as_bytes());
            assert_eq!(undone.steps, [Step::Utf16]);
        }
    }
}
