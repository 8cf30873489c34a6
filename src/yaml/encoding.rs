//! Bytes to text, as the two readers do it: kubectl, which replaces what is not text
//! (golang.org/x/text/encoding/unicode `BOMOverride`), and client-go, which leaves it to
//! go.yaml.in/yaml/v2 (`yaml_parser_determine_encoding`).

use std::borrow::Cow;

use super::{Doubt, Oddity, OddityKind, Problem, YamlError};

const UTF8_MARK: &[u8] = b"\xEF\xBB\xBF";

/// The text of a file as kubectl sees it.
pub(super) struct Decoded<'a> {
    pub(super) text: Cow<'a, str>,
    /// Where the text starts in the file; `None` where its offsets are not those of the file.
    pub(super) start: Option<usize>,
}

/// The text without its byte order mark, with U+FFFD for what is none.
///
/// # Errors
/// [`Doubt::InvalidUtf8`].
pub(super) fn for_kubectl<'a>(
    input: &'a [u8],
    oddities: &mut Vec<Oddity>,
) -> Result<Decoded<'a>, YamlError> {
    let mut odd = |kind, line| oddities.push(Oddity { kind, line });
    let units = match input {
        [0xFF, 0xFE, units @ ..] => Some((units, u16::from_le_bytes as fn([u8; 2]) -> u16)),
        [0xFE, 0xFF, units @ ..] => Some((units, u16::from_be_bytes as fn([u8; 2]) -> u16)),
        _ => None,
    };
    if let Some((units, unit)) = units {
        odd(OddityKind::Utf16, 1);
        return Ok(Decoded {
            text: Cow::Owned(utf16(units, unit)),
            start: None,
        });
    }
    let bytes = input.strip_prefix(UTF8_MARK).unwrap_or(input);
    let start = input.len() - bytes.len();
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(Decoded {
            text: Cow::Borrowed(text),
            start: Some(start),
        }),
        Err(error) => {
            let line = line_at(bytes, error.valid_up_to());
            odd(OddityKind::InvalidUtf8, line);
            if start > 0 {
                return Err(YamlError::new(line, Doubt::InvalidUtf8));
            }
            Ok(Decoded {
                text: String::from_utf8_lossy(bytes),
                start: None,
            })
        }
    }
}

/// The text of a kubeconfig.
///
/// # Errors
/// [`Problem::Encoding`].
pub(super) fn for_client_go(input: &[u8]) -> Result<Cow<'_, str>, YamlError> {
    match input {
        [0xFF, 0xFE, units @ ..] => strict_utf16(units, u16::from_le_bytes),
        [0xFE, 0xFF, units @ ..] => strict_utf16(units, u16::from_be_bytes),
        _ => {
            let bytes = input.strip_prefix(UTF8_MARK).unwrap_or(input);
            let text = std::str::from_utf8(bytes).map_err(|error| {
                YamlError::new(line_at(bytes, error.valid_up_to()), Problem::Encoding)
            })?;
            Ok(Cow::Borrowed(text))
        }
    }
}

fn strict_utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<Cow<'_, str>, YamlError> {
    let (units, rest) = bytes.as_chunks::<2>();
    let text = char::decode_utf16(units.iter().map(|bytes| unit(*bytes)));
    match text.collect() {
        Ok(text) if rest.is_empty() => Ok(Cow::Owned(text)),
        _ => Err(YamlError::new(1, Problem::Encoding)),
    }
}

/// `utf16Decoder`: a surrogate takes a low one behind it along, whether they are a pair or not.
fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let (units, rest) = bytes.as_chunks::<2>();
    let mut units = units.iter().map(|bytes| unit(*bytes)).peekable();
    let mut text = String::new();
    while let Some(first) = units.next() {
        let is_surrogate = (0xD800..0xE000).contains(&first);
        let second = units.next_if(|unit| is_surrogate && (0xDC00..0xE000).contains(unit));
        let pair = char::decode_utf16(std::iter::once(first).chain(second)).next();
        text.push(pair.and_then(Result::ok).unwrap_or('\u{fffd}'));
    }
    if !rest.is_empty() {
        text.push('\u{fffd}');
    }
    text
}

fn line_at(bytes: &[u8], offset: usize) -> usize {
    let before = bytes.get(..offset).unwrap_or_default();
    1 + memchr::memchr_iter(b'\n', before).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kubectl(input: &[u8]) -> (String, Vec<OddityKind>) {
        let mut oddities = Vec::new();
        let text = for_kubectl(input, &mut oddities).unwrap().text.into_owned();
        (text, oddities.iter().map(|oddity| oddity.kind).collect())
    }

    #[test]
    fn a_byte_order_mark_tells_the_encoding_and_is_dropped() {
        for (document, odd) in [
            (&b"a\xC3\xA9"[..], &[][..]),
            (b"\xEF\xBB\xBFa\xC3\xA9", &[]),
            (b"\xFF\xFEa\0\xE9\0", &[OddityKind::Utf16]),
            (b"\xFE\xFF\0a\0\xE9", &[OddityKind::Utf16]),
        ] {
            assert_eq!(for_client_go(document).unwrap(), "a\u{e9}");
            assert_eq!(kubectl(document), ("a\u{e9}".to_owned(), odd.to_vec()));
        }
        assert_eq!(for_client_go(b"\xEF\xAC\x80").unwrap(), "\u{fb00}");
    }

    #[test]
    fn client_go_refuses_what_is_not_valid_with_its_line() {
        for (document, line) in [
            (&b"a\nb\xFF"[..], 2),
            (b"\xFF\xFEa", 1),
            (b"\xFF\xFE\0\xD8", 1),
            (b"\xFE\xFF\xDC\0", 1),
        ] {
            assert_eq!(for_client_go(document).unwrap_err().line, Some(line));
        }
    }

    #[test]
    fn kubectl_replaces_what_is_not_valid() {
        let invalid = vec![OddityKind::InvalidUtf8];
        for (document, text) in [
            (&b"a\nb\xFF"[..], "a\nb\u{fffd}"),
            (b"\xE2\x82b", "\u{fffd}b"),
            (b"\xED\xA0\x80", "\u{fffd}\u{fffd}\u{fffd}"),
        ] {
            assert_eq!(kubectl(document), (text.to_owned(), invalid.clone()));
        }
        for (document, text) in [
            (&b"\xFF\xFEa\0b"[..], "a\u{fffd}"),
            (b"\xFF\xFE\x3D\xD8\0\xDE", "\u{1f600}"),
            (b"\xFF\xFE\0\xD8a\0", "\u{fffd}a"),
            (b"\xFF\xFE\0\xDC\0\xDC", "\u{fffd}"),
            (b"\xFF\xFE\0\xD8\0\xD8", "\u{fffd}\u{fffd}"),
        ] {
            assert_eq!(kubectl(document).0, text, "{document:?}");
        }
        let doubtful = for_kubectl(b"\xEF\xBB\xBFa\n\xFF", &mut Vec::new());
        let error = doubtful.map(|decoded| decoded.text).unwrap_err();
        assert_eq!(error, YamlError::new(2, Doubt::InvalidUtf8));
    }
}
