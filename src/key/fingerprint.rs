//! The fingerprint by which people compare a public key.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Serialize, Serializer};

use crate::error::Error;
use crate::text;
use crate::text::{Show, Text};

/// SHA-256 of a `SubjectPublicKeyInfo` in DER. To people it is shown as digits, which can be read out
/// ([`Self::spoken`]); programs get `SHA256:` and base64: what
/// `openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | base64` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    pub(crate) fn new(hash: [u8; 32]) -> Self {
        Self(hash)
    }

    /// Eight groups of five digits, to be read out: each the next four bytes, big-endian, modulo
    /// 100000. That is 132 of the 256 bits.
    #[must_use]
    pub fn digits(&self) -> [u32; 8] {
        let (words, _) = self.0.as_chunks::<4>();
        let mut groups = [0; 8];
        for (group, word) in groups.iter_mut().zip(words) {
            *group = u32::from_be_bytes(*word) % 100_000;
        }
        groups
    }

    /// [`Self::digits`] as they are written down.
    #[must_use]
    pub fn spoken(&self) -> String {
        let groups = self.digits().map(|group| format!("{group:05}"));
        groups.join(" ")
    }
}

/// A fingerprint as somebody wrote it down or read it out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AgreedFingerprint {
    /// All of it.
    Hash(Fingerprint),
    /// [`Fingerprint::digits`].
    Digits([u32; 8]),
}

impl AgreedFingerprint {
    /// Whether it is that of a key.
    #[must_use]
    pub fn matches(&self, found: &Fingerprint) -> bool {
        match self {
            Self::Hash(hash) => hash == found,
            Self::Digits(digits) => *digits == found.digits(),
        }
    }

    /// That of `found` in the form that was agreed on, so that the two can be compared by eye.
    #[must_use]
    pub fn same_form(&self, found: &Fingerprint) -> String {
        match self {
            Self::Hash(_) => found.to_string(),
            Self::Digits(_) => found.spoken(),
        }
    }

    /// As one word of a command line.
    #[must_use]
    pub fn typed(&self) -> String {
        self.to_string().replace(' ', "-")
    }
}

impl fmt::Display for AgreedFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hash(hash) => hash.fmt(f),
            Self::Digits(digits) => {
                f.write_str(&digits.map(|group| format!("{group:05}")).join(" "))
            }
        }
    }
}

impl From<Fingerprint> for AgreedFingerprint {
    fn from(fingerprint: Fingerprint) -> Self {
        Self::Hash(fingerprint)
    }
}

impl FromStr for AgreedFingerprint {
    type Err = Error;

    /// Takes base64, hexadecimal digits with or without colons, each with or without `SHA256:`, and
    /// forty digits with blanks, dashes, dots or commas between them.
    fn from_str(typed: &str) -> Result<Self, Error> {
        let bare = typed.trim();
        let is_between = |c: &char| c.is_whitespace() || "-\u{2010}\u{2011}\u{2013}.,".contains(*c);
        let digits: String = bare.chars().filter(|c| !is_between(c)).collect();
        // Sixty-four of them are hexadecimal.
        let are_digits = digits.bytes().all(|digit| digit.is_ascii_digit());
        if !are_digits || digits.is_empty() || digits.len() == 64 {
            return bare.parse().map(Self::Hash);
        }
        if digits.len() != 40 {
            return Err(Error::Malformed {
                what: "fingerprint",
                detail: text!(
                    "{} digits, expected 40: eight groups of five, in quotes",
                    digits.len()
                ),
            });
        }
        let mut groups = [0; 8];
        for (group, text) in groups.iter_mut().zip(digits.as_bytes().chunks(5)) {
            *group = text
                .iter()
                .fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'));
        }
        Ok(Self::Digits(groups))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SHA256:{}", BASE64_STANDARD.encode(self.0))
    }
}

/// As digits.
impl Show for Fingerprint {
    fn show(&self) -> Text {
        Text::from_own(self.spoken())
    }
}

/// As `SHA256:` and base64.
impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl FromStr for Fingerprint {
    type Err = Error;

    /// Takes the shown form, with or without `SHA256:` and the padding.
    fn from_str(typed: &str) -> Result<Self, Error> {
        let named = typed.split_at_checked("SHA256:".len());
        let named = named.filter(|(name, _)| name.eq_ignore_ascii_case("SHA256:"));
        let base64 = named.map_or(typed, |(_, rest)| rest.trim_start());
        if let Some(bytes) = from_hex(base64) {
            return Ok(Self(bytes));
        }
        let padded = format!("{}=", base64.trim_end_matches('='));
        BASE64_STANDARD
            .decode(padded)
            .ok()
            .and_then(|bytes| bytes.try_into().ok())
            .map(Self)
            .ok_or_else(|| Error::Malformed {
                what: "fingerprint",
                detail: "expected SHA256: and 44 characters of base64, 64 hexadecimal digits, or 40 digits".into(),
            })
    }
}

fn from_hex(typed: &str) -> Option<[u8; 32]> {
    let is_between = |c: char| c == ':' || c.is_whitespace();
    let digits: String = typed.chars().filter(|c| !is_between(*c)).collect();
    if digits.len() != 64 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_reads_back_with_or_without_prefix_and_padding() {
        let fingerprint = Fingerprint::new([0xA7; 32]);
        let shown = fingerprint.to_string();
        assert_eq!(shown.parse(), Ok(fingerprint));
        assert_eq!(shown.trim_end_matches('=').parse(), Ok(fingerprint));
        assert_eq!(shown.replace("SHA256:", "").parse(), Ok(fingerprint));
        assert!("SHA256:abc".parse::<Fingerprint>().is_err());
    }

    #[test]
    fn a_fingerprint_is_agreed_on_in_any_form() {
        let fingerprint = Fingerprint::new([0xA7; 32]);
        let hex = "a7".repeat(32);
        let colons = ["A7"; 32].join(":");
        // 0xA7A7A7A7 is 2812782503.
        let spoken = ["82503"; 8].join(" ");
        assert_eq!(fingerprint.spoken(), spoken);
        let other = Fingerprint::new([0xA8; 32]);
        for typed in [
            fingerprint.to_string(),
            hex.clone(),
            format!("SHA256:{hex}"),
            colons,
            spoken.clone(),
            spoken.replace(' ', "-"),
            spoken.replace(' ', ""),
            spoken.replace(' ', "\n"),
            spoken.replace(' ', ", "),
            format!(" sha256:{} ", hex.to_uppercase()),
        ] {
            let agreed: AgreedFingerprint = typed.parse().unwrap();
            assert!(
                agreed.matches(&fingerprint) && !agreed.matches(&other),
                "{typed}"
            );
        }
        for (typed, said) in [
            (
                &spoken[1..],
                "39 digits, expected 40: eight groups of five, in quotes",
            ),
            (
                "12345",
                "5 digits, expected 40: eight groups of five, in quotes",
            ),
            ("", "expected SHA256:"),
            ("+1".repeat(32).as_str(), "expected SHA256:"),
        ] {
            let error = typed.parse::<AgreedFingerprint>().unwrap_err();
            assert!(error.show().as_str().contains(said), "{}", error.show());
        }
    }

    #[test]
    fn people_see_digits_and_programs_all_of_it() {
        let fingerprint = Fingerprint::new([0xA7; 32]);
        assert_eq!(text!("{}", fingerprint).as_str(), fingerprint.spoken());
        let json = serde_json::to_value(fingerprint).unwrap();
        assert_eq!(json, fingerprint.to_string());
        for typed in [fingerprint.to_string(), fingerprint.spoken()] {
            let agreed: AgreedFingerprint = typed.parse().unwrap();
            assert_eq!(agreed.typed().parse(), Ok(agreed));
            assert!(!agreed.typed().contains(' '));
            assert_eq!(agreed.same_form(&fingerprint), agreed.to_string());
        }
    }
}
