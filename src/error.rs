//! Facts that can fail: what was found and what was expected, in our own words, without file names
//! and without advice.

use std::fmt;

use crate::text;
use crate::text::{Label, Show, Text};

/// A result whose error is a fact about the bytes or values given.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a value could not be read, built or accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The bytes do not follow the encoding they were expected in.
    Malformed {
        /// The structure expected, in its standard's words ("PKCS#8 private key").
        what: &'static str,
        /// Where and how the bytes depart from it, or nothing.
        detail: Text,
    },
    /// The structure is well-formed but names something this library does not implement.
    Unsupported {
        /// The kind of thing that is not supported ("elliptic curve").
        what: &'static str,
        /// What was found, by name or object identifier.
        found: Label,
    },
    /// The operating system's random number generator failed.
    Randomness,
    /// No two primes came up for an RSA key: next to impossible, unless the machine is faulty.
    NoPrimes {
        /// How many numbers were drawn.
        draws: u64,
    },
    /// A key did not verify what it had just signed: a fault of the machine, or of this program.
    Inconsistent,
    /// There is no private key in the bytes.
    NoPrivateKey,
    /// The private key is encrypted and no passphrase was given.
    PassphraseRequired,
    /// The passphrase does not open the private key.
    PassphraseWrong,
    /// An RSA modulus is too small to be safe or too large to be used.
    RsaSize {
        /// Length of the modulus found.
        bits: usize,
    },
    /// There is no certificate in the bytes.
    NoCertificate,
    /// The certificate is not valid any more.
    Expired {
        /// The last second of validity.
        not_after: String,
        /// The time given.
        now: String,
    },
    /// The certificate is not valid yet.
    NotYetValid {
        /// The first second of validity.
        not_before: String,
        /// The time given.
        now: String,
    },
}

impl Show for Error {
    fn show(&self) -> Text {
        let time = |shown: &str| Label::from(shown);
        match self {
            Self::Malformed { what, detail } if detail.is_empty() => text!("not a valid {}", what),
            Self::Malformed { what, detail } => text!("not a valid {}: {}", what, detail),
            Self::Unsupported { what, found } => text!("unsupported {}: {}", what, found),
            Self::Randomness => text!("the random number generator of the system failed"),
            Self::NoPrimes { draws } => text!("no two primes among {} random numbers", draws),
            Self::Inconsistent => text!("the key does not verify its own signature"),
            Self::NoPrivateKey => text!("no private key found"),
            Self::PassphraseRequired => text!("the private key is encrypted"),
            Self::PassphraseWrong => text!("the passphrase does not open the private key"),
            Self::RsaSize { bits } => {
                text!("RSA modulus of {} bits, expected 2048 to 8192", bits)
            }
            Self::NoCertificate => text!("no certificate found"),
            Self::Expired { not_after, now } => text!(
                "the certificate was valid until {}, and the clock says {}",
                time(not_after),
                time(now)
            ),
            Self::NotYetValid { not_before, now } => text!(
                "the certificate is valid from {}, and the clock says {}",
                time(not_before),
                time(now)
            ),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.show().fmt(f)
    }
}

impl std::error::Error for Error {}
