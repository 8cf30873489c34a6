//! Base32 without padding (RFC 4648 section 6).

use zeroize::Zeroizing;

const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Five bits a character; the bits that are left over in the last one are zero.
pub(super) fn encode(bytes: &[u8]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(bytes.len().div_ceil(5) * 8));
    for group in bytes.chunks(5) {
        let mut padded = [0; 8];
        for (byte, place) in group.iter().zip(padded.iter_mut().skip(3)) {
            *place = *byte;
        }
        let bits = u64::from_be_bytes(padded);
        for position in 0..(group.len() * 8).div_ceil(5) {
            let digit = (bits >> (35 - 5 * position)) & 31;
            let digit = usize::try_from(digit).unwrap_or_default();
            text.extend(ALPHABET.get(digit).copied().map(char::from));
        }
    }
    text
}

/// What [`encode`] wrote, and nothing else.
pub(super) fn decode(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len() * 5 / 8));
    for group in text.chunks(8) {
        let mut bits: u64 = 0;
        for character in group {
            bits = bits << 5 | u64::from(value(*character)?);
        }
        let spare = group.len() * 5 % 8;
        let is_whole = spare < 5 && bits & ((1 << spare) - 1) == 0;
        if !is_whole {
            return None;
        }
        let whole = (bits >> spare).to_be_bytes();
        bytes.extend_from_slice(whole.get(8 - group.len() * 5 / 8..)?);
    }
    Some(bytes)
}

/// Whether a character is one of the alphabet, in upper case.
pub(super) fn is_digit(character: u8) -> bool {
    value(character).is_some()
}

fn value(character: u8) -> Option<u8> {
    match character {
        b'A'..=b'Z' => Some(character - b'A'),
        b'2'..=b'7' => Some(character - b'2' + 26),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_of_rfc_4648_without_their_padding() {
        for (bytes, text) in [
            ("", ""),
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            assert_eq!(*encode(bytes.as_bytes()), text);
            assert_eq!(**decode(text.as_bytes()).unwrap(), *bytes.as_bytes());
        }
    }

    #[test]
    fn what_no_bytes_are_written_as_is_refused() {
        // A bit that is left over, a length that no bytes have, other characters.
        for text in [
            "MZ", "M", "MZX", "MZXW6Y", "mzxw6ytb", "MZXW6YT1", "MY======",
        ] {
            assert!(decode(text.as_bytes()).is_none(), "{text}");
        }
    }
}
