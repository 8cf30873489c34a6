//! The fingerprint by which people compare a public key.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::error::Error;

/// SHA-256 of a `SubjectPublicKeyInfo` in DER. Shown as `SHA256:` and base64: what
/// `openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | base64` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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
    /// forty digits with spaces or dashes between them.
    fn from_str(typed: &str) -> Result<Self, Error> {
        let bare = typed.trim();
        let digits: String = bare.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
        if digits.len() == 40 && digits.bytes().all(|digit| digit.is_ascii_digit()) {
            let mut groups = [0; 8];
            for (group, text) in groups.iter_mut().zip(digits.as_bytes().chunks(5)) {
                *group = text
                    .iter()
                    .fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'));
            }
            return Ok(Self::Digits(groups));
        }
        bare.parse().map(Self::Hash)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SHA256:{}", BASE64_STANDARD.encode(self.0))
    }
}

crate::text::show_escaped!(Fingerprint);

impl FromStr for Fingerprint {
    type Err = Error;

    /// Takes the shown form, with or without `SHA256:` and the padding.
    fn from_str(typed: &str) -> Result<Self, Error> {
        let base64 = typed.strip_prefix("SHA256:").unwrap_or(typed);
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
    let digits: String = typed.chars().filter(|c| *c != ':').collect();
    if digits.len() != 64 {
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
        ] {
            let agreed: AgreedFingerprint = typed.parse().unwrap();
            assert!(
                agreed.matches(&fingerprint) && !agreed.matches(&other),
                "{typed}"
            );
        }
        assert!("12345".parse::<AgreedFingerprint>().is_err());
    }
}
