//! PEM (RFC 7468) as Go's `encoding/pem` reads it, since that is what reads it in the cluster and
//! in kubectl: what it skips is skipped here, and its first block is the first block here.

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"\n-----END ";
const DASHES: &[u8] = b"-----";

/// One encapsulated message.
pub struct Block {
    /// What stands behind `BEGIN`.
    pub label: String,
    /// The headers of RFC 1421, in their order.
    pub headers: Vec<(String, String)>,
    /// The decoded bytes, wiped on drop since they may be a key.
    pub contents: Zeroizing<Vec<u8>>,
    /// Where the block lies in the input, from its `BEGIN` to the line after its `END`.
    pub span: std::ops::Range<usize>,
}

/// The first block that can be decoded, if there is one (`encoding/pem` `Decode`).
#[must_use]
pub fn first(input: &[u8]) -> Option<Block> {
    blocks(input).next()
}

/// Every block that can be decoded, in order.
pub fn blocks(input: &[u8]) -> impl Iterator<Item = Block> {
    let mut position = 0;
    std::iter::from_fn(move || {
        let block = next_block(input, position)?;
        position = block.span.end;
        Some(block)
    })
}

/// Writes a block with lines of 64 characters.
#[must_use]
pub fn encode(label: &str, der: &[u8]) -> String {
    let config = ::pem::EncodeConfig::new().set_line_ending(::pem::LineEnding::LF);
    ::pem::encode_config(&::pem::Pem::new(label, der), config)
}

/// [`encode`] that leaves no copy of what it writes behind.
#[must_use]
pub fn encode_secret(label: &str, der: &[u8]) -> Zeroizing<String> {
    let lines = der.chunks(48);
    let mut text = Zeroizing::new(String::with_capacity(
        lines.len() * 65 + 2 * (label.len() + 17),
    ));
    text.push_str("-----BEGIN ");
    text.push_str(label);
    text.push_str("-----\n");
    for line in lines {
        GO_STANDARD.encode_string(line, &mut text);
        text.push('\n');
    }
    text.push_str("-----END ");
    text.push_str(label);
    text.push_str("-----\n");
    text
}

/// `encoding/base64` `StdEncoding`: padding is required, the bits that it leaves over are not
/// looked at.
const GO_STANDARD: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
);

/// Decodes base64 as Go does: line breaks are skipped, and nothing else.
///
/// # Errors
/// The offset of the first byte that does not belong there.
pub fn decode_base64(input: &[u8]) -> Result<Zeroizing<Vec<u8>>, usize> {
    decode_without(input, b"\r\n")
}

/// Decodes base64 after dropping every byte of `skipped`.
fn decode_without(input: &[u8], skipped: &[u8]) -> Result<Zeroizing<Vec<u8>>, usize> {
    let mut packed = Zeroizing::new(Vec::with_capacity(input.len()));
    for run in input.split(|byte| skipped.contains(byte)) {
        packed.extend_from_slice(run);
    }
    let mut decoded = Zeroizing::new(Vec::with_capacity(packed.len() / 4 * 3 + 3));
    match GO_STANDARD.decode_vec(&packed[..], &mut decoded) {
        Ok(()) => Ok(decoded),
        Err(error) => {
            let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=".contains(byte);
            let first_other = packed.iter().position(|byte| !is_base64(byte));
            let packed_offset = first_other.unwrap_or(match error {
                base64::DecodeError::InvalidByte(offset, _)
                | base64::DecodeError::InvalidLastSymbol { offset, .. } => offset,
                _ => packed.len(),
            });
            let kept = |(_, byte): &(usize, &u8)| !skipped.contains(byte);
            let offset = input.iter().enumerate().filter(kept).nth(packed_offset);
            Err(offset.map_or(input.len(), |(offset, _)| offset))
        }
    }
}

/// Looks for a block from `start` on: each END line is tried with the last BEGIN before it.
fn next_block(input: &[u8], start: usize) -> Option<Block> {
    let mut from = start;
    loop {
        let end = from + find(input.get(from..)?, END)?;
        let trailer = end + END.len();
        match try_block(input, from, end) {
            Attempt::Block(block) => return Some(block),
            Attempt::Nothing => return None,
            Attempt::GoOn => from = trailer,
        }
    }
}

/// What came of trying one END line.
enum Attempt {
    Block(Block),
    /// This is no block; look on behind this END line.
    GoOn,
    /// Headers run past the END line: the search is over.
    Nothing,
}

fn try_block(input: &[u8], from: usize, end: usize) -> Attempt {
    let trailer = end + END.len();
    let Some(begin) = begin_before(input, from, end) else {
        return Attempt::GoOn;
    };
    let (label_line, body) = line(input, begin + BEGIN.len());
    let Some(label) = label_line.strip_suffix(DASHES) else {
        return Attempt::GoOn;
    };
    let Some((headers, body)) = headers(input, body) else {
        return Attempt::Nothing;
    };
    if trailer < body {
        return Attempt::Nothing;
    }
    if !headers.is_empty() && end < body {
        return Attempt::GoOn;
    }
    let Some(contents) = ends_with_label(input, trailer, label)
        .then(|| input.get(body..end).unwrap_or_default())
        .and_then(|base64| decode_without(base64, b"\r\n \t").ok())
    else {
        return Attempt::GoOn;
    };
    Attempt::Block(Block {
        label: String::from_utf8_lossy(label).into_owned(),
        headers,
        contents,
        span: begin..line(input, trailer).1,
    })
}

/// The last BEGIN at the start of a line before `end`.
fn begin_before(input: &[u8], from: usize, end: usize) -> Option<usize> {
    let begin = from + rfind(input.get(from..end)?, BEGIN)?;
    let starts_line = begin == from || input.get(begin - 1) == Some(&b'\n');
    starts_line.then_some(begin)
}

/// The `name: value` lines from `body` on, and where they end; nothing where the input ends first.
fn headers(input: &[u8], mut body: usize) -> Option<(Vec<(String, String)>, usize)> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    let mut headers = Vec::new();
    while body < input.len() {
        let (header, next) = line(input, body);
        let Some(colon) = header.iter().position(|byte| *byte == b':') else {
            return Some((headers, body));
        };
        let (name, value) = header.split_at(colon);
        headers.push((text(name), text(value.get(1..).unwrap_or_default())));
        body = next;
    }
    None
}

/// Whether the END line names the same label and holds nothing more.
fn ends_with_label(input: &[u8], trailer: usize, label: &[u8]) -> bool {
    let rest = input.get(trailer..).unwrap_or_default();
    rest.strip_prefix(label)
        .and_then(|rest| rest.strip_prefix(DASHES))
        .is_some_and(|rest| line(rest, 0).0.is_empty())
}

/// The line that starts at `start`, without its end and trailing blanks, and where the next starts.
fn line(input: &[u8], start: usize) -> (&[u8], usize) {
    let rest = input.get(start..).unwrap_or_default();
    let (line, length) = match rest.iter().position(|byte| *byte == b'\n') {
        Some(newline) => {
            let line = rest.get(..newline).unwrap_or_default();
            (line.strip_suffix(b"\r").unwrap_or(line), newline + 1)
        }
        None => (rest, rest.len()),
    };
    let blank = |byte: &&u8| matches!(byte, b' ' | b'\t');
    let trailing = line.iter().rev().take_while(blank).count();
    let line = line.get(..line.len() - trailing).unwrap_or_default();
    (line, start + length)
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    memchr::memmem::find(haystack, needle)
}

fn rfind(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    memchr::memmem::rfind(haystack, needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = "-----BEGIN X-----\nAQID\n-----END X-----\n";

    fn labels(input: &str) -> Vec<String> {
        blocks(input.as_bytes()).map(|block| block.label).collect()
    }

    #[test]
    fn what_is_encoded_reads_back() {
        for length in [0, 1, 47, 48, 49, 500] {
            let der: Vec<u8> = (0..=u8::MAX).cycle().take(length).collect();
            let text = encode("TEST", &der);
            assert_eq!(*encode_secret("TEST", &der), text);
            let block = first(text.as_bytes()).unwrap();
            assert_eq!((block.label.as_str(), &*block.contents), ("TEST", &der));
            assert_eq!(block.span, 0..text.len());
        }
    }

    #[test]
    fn text_around_blocks_and_carriage_returns_are_skipped() {
        let input = format!("hello\n{BODY}between\r\n{}tail", BODY.replace('\n', "\r\n"));
        assert_eq!(labels(&input), ["X", "X"]);
        assert_eq!(first(input.as_bytes()).unwrap().span, 6..6 + BODY.len());
    }

    #[test]
    fn broken_blocks_are_passed_over() {
        for broken in [
            "-----BEGIN X-----\nAQID\n-----END Y-----\n",
            "-----BEGIN X-----\nAQI!\n-----END X-----\n",
            "-----BEGIN X-----\nAQID\n-----END X----- z\n",
            "-----BEGIN X\nAQID\n-----END X-----\n",
            " -----BEGIN X-----\nAQID\n-----END X-----\n",
            "-----BEGIN X-----\n",
        ] {
            assert_eq!(labels(broken), [""; 0], "{broken:?}");
            assert_eq!(labels(&format!("{broken}{BODY}")), ["X"], "{broken:?}");
        }
    }

    #[test]
    fn the_last_begin_before_an_end_counts() {
        let input = "-----BEGIN A-----\n-----BEGIN B-----\nAQID\n-----END B-----\n";
        assert_eq!(labels(input), ["B"]);
    }

    #[test]
    fn headers_are_read_and_blanks_in_the_base64_are_skipped() {
        let input = "-----BEGIN X-----\nProc-Type: 4,ENCRYPTED\n\nAQ \tID\n-----END X-----";
        let block = first(input.as_bytes()).unwrap();
        assert_eq!(*block.contents, [1, 2, 3]);
        assert_eq!(
            block.headers,
            [("Proc-Type".to_owned(), "4,ENCRYPTED".to_owned())]
        );
    }

    #[test]
    fn an_empty_block_is_a_block() {
        for empty in [
            "-----BEGIN X-----\n-----END X-----",
            "-----BEGIN X-----\na: b\n\n-----END X-----",
        ] {
            assert!(first(empty.as_bytes()).unwrap().contents.is_empty());
        }
    }

    #[test]
    fn headers_need_a_line_behind_them() {
        let touching = "-----BEGIN X-----\na: b\n-----END X-----\n";
        assert_eq!(labels(touching), [""; 0]);
        assert_eq!(labels(&format!("{touching}{BODY}")), ["X"]);
    }

    #[test]
    fn headers_that_run_past_the_end_line_end_the_search() {
        let past = "-----BEGIN X-----\na: b\n-----END X-----: c\n\n";
        assert_eq!(labels(&format!("{past}{BODY}")), [""; 0]);
        let to_the_end = "-----BEGIN X-----\na: b\n-----END X-----: c\n";
        assert_eq!(labels(to_the_end), [""; 0]);
    }

    #[test]
    fn base64_skips_line_breaks_and_nothing_else() {
        assert_eq!(decode_base64(b"AQ\r\nID").as_deref(), Ok(&vec![1, 2, 3]));
        assert_eq!(decode_base64(b"AR==").as_deref(), Ok(&vec![1]));
        assert_eq!(decode_base64(b"").as_deref(), Ok(&vec![]));
        for (bad, offset) in [("AQ\n ID", 3), ("AQI", 3), ("AQ_-", 2), ("AQ==\nAQ==", 2)] {
            assert_eq!(
                decode_base64(bad.as_bytes()).map(|_| ()),
                Err(offset),
                "{bad}"
            );
        }
    }
}
