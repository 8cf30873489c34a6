//! The fingerprint by which people compare a public key.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::error::Error;
use crate::text::hex;

/// SHA-256 of a `SubjectPublicKeyInfo` in DER. Shown as `SHA256:` and base64: what
/// `openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | base64` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    pub(crate) fn new(hash: [u8; 32]) -> Self {
        Self(hash)
    }

    /// The first `digits` hexadecimal digits, for names.
    #[must_use]
    pub fn short_hex(&self, digits: usize) -> String {
        let mut hex = hex(&self.0);
        hex.truncate(digits);
        hex
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
        let padded = format!("{}=", base64.trim_end_matches('='));
        BASE64_STANDARD
            .decode(padded)
            .ok()
            .and_then(|bytes| bytes.try_into().ok())
            .map(Self)
            .ok_or_else(|| Error::Malformed {
                what: "fingerprint",
                detail: "expected SHA256: and 44 characters of base64".into(),
            })
    }
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
        assert_eq!(fingerprint.short_hex(8), "a7a7a7a7");
    }
}
