//! What mail programs and web pages make of text (RFC 5322, RFC 2045).

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

use super::lines::{self, is_document};

type Text = Zeroizing<String>;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// RFC 2045 section 6.7, rule 5.
const LONGEST_LINE: usize = 76;

const HEADS: [&str; 11] = [
    "return-path:",
    "delivered-to:",
    "from ",
    "from:",
    "to:",
    "subject:",
    "date:",
    "mime-version:",
    "content-type:",
    "message-id:",
    "received:",
];

/// The part of a mail that holds a document, decoded.
pub(super) fn body(text: &str) -> Option<Text> {
    let first = text.lines().next()?.to_ascii_lowercase();
    let is_head = |line: &str| HEADS.iter().any(|head| line.starts_with(head));
    if !is_head(&first) {
        return None;
    }
    let mut encoding = Encoding::Plain;
    let mut inside = false;
    let mut part = Zeroizing::new(String::new());
    for line in text.lines() {
        let is_boundary = line.starts_with("--") && !line.starts_with("---");
        if is_boundary
            && inside
            && let Some(found) = decoded(&part, encoding)
        {
            return Some(found);
        }
        if is_boundary {
            part = Zeroizing::new(String::new());
            encoding = Encoding::Plain;
            inside = false;
        } else if inside {
            part.push_str(line);
            part.push('\n');
        } else if line.trim().is_empty() {
            inside = true;
        } else {
            let line = line.to_ascii_lowercase();
            if let Some(value) = line.strip_prefix("content-transfer-encoding:") {
                encoding = match value.trim() {
                    "base64" => Encoding::Base64,
                    "quoted-printable" => Encoding::QuotedPrintable,
                    _ => Encoding::Plain,
                };
            }
        }
    }
    decoded(&part, encoding)
}

/// The text above a signature of `OpenPGP`, as it was before that was made.
pub(super) fn clear_signed(text: &str) -> Option<Text> {
    const HEAD: &str = "-----BEGIN PGP SIGNED MESSAGE-----";
    const SIGNATURE: &str = "-----BEGIN PGP SIGNATURE-----";
    let mut lines = text.lines().map(str::trim_end);
    lines.by_ref().find(|line| *line == HEAD)?;
    // Which hashes were used.
    lines.by_ref().find(|line| line.is_empty())?;
    let mut inside = Zeroizing::new(String::with_capacity(text.len()));
    for line in lines.take_while(|line| *line != SIGNATURE) {
        inside.push_str(
            line.strip_prefix("- ")
                .filter(|it| it.starts_with(['-', 'F']))
                .unwrap_or(line),
        );
        inside.push('\n');
    }
    is_document(&inside).then_some(inside)
}

#[derive(Clone, Copy)]
enum Encoding {
    Plain,
    Base64,
    QuotedPrintable,
}

fn decoded(part: &str, encoding: Encoding) -> Option<Text> {
    let text = match encoding {
        Encoding::Plain => Zeroizing::new(part.to_owned()),
        Encoding::QuotedPrintable => decode_quoted_printable(part)?,
        Encoding::Base64 => {
            let packed: String = part.chars().filter(|c| !c.is_whitespace()).collect();
            let bytes = BASE64.decode(packed).ok()?;
            Zeroizing::new(String::from_utf8(bytes).ok()?)
        }
    };
    is_document(&text).then_some(text)
}

/// Quoted-printable without a head that says so.
pub(super) fn quoted_printable(text: &str) -> Option<Text> {
    // Padding ends lines of base64 too, but such a line is longer, or the last of its value.
    let is_short = text.lines().all(|line| line.len() <= LONGEST_LINE);
    // The last line of PEM may be as long and end so.
    let is_pem_end = |line: &str| line.contains("-----END ");
    let has_soft_break = text
        .lines()
        .zip(text.lines().skip(1))
        .any(|(line, next)| line.len() >= 60 && line.ends_with('=') && !is_pem_end(next));
    let is_encoded = text.contains("=3D") || is_short && has_soft_break;
    // Base64 whose lines were broken without a sign for it may end so, too.
    let is_base64 = |line: &str| !line.is_empty() && line.chars().all(lines::is_base64);
    let is_broken = text.lines().zip(text.lines().skip(1)).any(|(line, next)| {
        let next = next.trim_end_matches('"');
        line.len() >= lines::LONG && is_base64(line) && !line.ends_with('=') && is_base64(next)
    });
    let is_encoded = is_encoded && !is_broken;
    if !is_document(text) || !is_encoded {
        return None;
    }
    let decoded = decode_quoted_printable(text)?;
    (*decoded != text).then_some(decoded)
}

fn decode_quoted_printable(text: &str) -> Option<Text> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    for line in text.lines() {
        let line = line.trim_end();
        let (line, soft) = match line.strip_suffix('=') {
            // Base64 that ends with its padding is encoded as =3D.
            Some(line) => (line, true),
            None => (line, false),
        };
        let mut rest = line.as_bytes();
        while let Some((byte, tail)) = rest.split_first() {
            rest = tail;
            let hex = tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
            let escaped = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok());
            match (byte, escaped) {
                (b'=', Some(value)) => {
                    bytes.push(value);
                    rest = tail.get(2..).unwrap_or_default();
                }
                _ => bytes.push(*byte),
            }
        }
        if !soft {
            bytes.push(b'\n');
        }
    }
    let text = std::str::from_utf8(&bytes).ok()?;
    Some(Zeroizing::new(text.to_owned()))
}

/// The escapes of HTML that text gets.
pub(super) fn html(text: &str) -> Option<Text> {
    const ESCAPES: [(&str, &str); 12] = [
        ("&#x27;", "'"),
        ("&#x22;", "\""),
        ("&#x2B;", "+"),
        ("&quot;", "\""),
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&apos;", "'"),
        ("&#43;", "+"),
        ("&nbsp;", " "),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&amp;", "&"),
    ];
    let has_escape = ESCAPES.iter().any(|(escape, _)| text.contains(escape));
    let untagged = without_tags(text);
    let is_page = untagged.is_some();
    let mut text = untagged.unwrap_or_else(|| Zeroizing::new(text.to_owned()));
    if !is_page && (!is_document(&text) || !has_escape) {
        return None;
    }
    for (escape, character) in ESCAPES {
        text = Zeroizing::new(text.replace(escape, character));
    }
    let text = if is_page {
        let lines = text.lines().map(str::trim_end);
        let lines: Vec<_> = lines.filter(|line| !line.trim().is_empty()).collect();
        Zeroizing::new(lines.join("\n") + "\n")
    } else {
        text
    };
    is_document(&text).then_some(text)
}

/// The text of a page, each of its paragraphs in a line; nothing where it is no page.
fn without_tags(text: &str) -> Option<Text> {
    const BREAKS: [&str; 7] = ["br", "br/", "/div", "/p", "/li", "/tr", "/pre"];
    let start = text.trim_start();
    let is_page = start.starts_with('<')
        && ["</div>", "</p>", "</html>", "</body>", "</pre>", "<br"]
            .iter()
            .any(|tag| text.contains(tag));
    if !is_page {
        return None;
    }
    let mut plain = Zeroizing::new(String::with_capacity(text.len()));
    let mut rest = text;
    while let Some((before, tag)) = rest.split_once('<') {
        plain.push_str(before);
        let Some((tag, after)) = tag.split_once('>') else {
            rest = "";
            break;
        };
        let name = tag.split_whitespace().next().unwrap_or_default();
        if BREAKS.contains(&name.to_ascii_lowercase().as_str()) {
            plain.push('\n');
        }
        rest = after;
    }
    plain.push_str(rest);
    Some(plain)
}
