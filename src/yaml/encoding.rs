//! The encoding of a document, by its byte order mark, as go.yaml.in/yaml/v2
//! `yaml_parser_determine_encoding` tells it.

use std::borrow::Cow;

use super::YamlError;

/// The text without its byte order mark.
///
/// # Errors
/// [`YamlError`] where it is not valid in its encoding.
pub(super) fn decode(document: &[u8]) -> Result<Cow<'_, str>, YamlError> {
    match document {
        [0xFF, 0xFE, units @ ..] => utf16(units, u16::from_le_bytes).map(Cow::Owned),
        [0xFE, 0xFF, units @ ..] => utf16(units, u16::from_be_bytes).map(Cow::Owned),
        [0xEF, 0xBB, 0xBF, bytes @ ..] | bytes => utf8(bytes).map(Cow::Borrowed),
    }
}

fn utf8(bytes: &[u8]) -> Result<&str, YamlError> {
    std::str::from_utf8(bytes).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        YamlError::new(
            1 + memchr::memchr_iter(b'\n', before).count(),
            "invalid UTF-8",
        )
    })
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, YamlError> {
    let (units, rest) = bytes.as_chunks::<2>();
    let text = char::decode_utf16(units.iter().map(|bytes| unit(*bytes)));
    match text.collect() {
        Ok(text) if rest.is_empty() => Ok(text),
        _ => Err(YamlError::new(1, "invalid UTF-16")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_order_mark_tells_the_encoding_and_is_dropped() {
        for document in [
            &b"a\xC3\xA9"[..],
            b"\xEF\xBB\xBFa\xC3\xA9",
            b"\xFF\xFEa\0\xE9\0",
            b"\xFE\xFF\0a\0\xE9",
        ] {
            assert_eq!(decode(document).unwrap(), "a\u{e9}");
        }
        assert_eq!(decode(b"\xEF\xAC\x80").unwrap(), "\u{fb00}");
    }

    #[test]
    fn what_is_not_valid_is_refused_with_its_line() {
        for (document, line) in [
            (&b"a\nb\xFF"[..], 2),
            (b"\xFF\xFEa", 1),
            (b"\xFF\xFE\0\xD8", 1),
            (b"\xFE\xFF\xDC\0", 1),
        ] {
            assert_eq!(decode(document).unwrap_err().line, Some(line));
        }
    }
}
