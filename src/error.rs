//! Facts that can fail: what was found and what was expected, without file names and without advice.

/// A result whose error is a fact about the bytes or values given.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a value could not be read, built or accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes do not follow the encoding they were expected in.
    #[error("not a valid {what}: {detail}")]
    Malformed {
        /// The structure expected, in its standard's words ("PKCS#8 private key").
        what: &'static str,
        /// Where and how the bytes depart from it.
        detail: String,
    },
    /// The structure is well-formed but names something this library does not implement.
    #[error("unsupported {what}: {found}")]
    Unsupported {
        /// The kind of thing that is not supported ("elliptic curve").
        what: &'static str,
        /// What was found, by name or object identifier.
        found: String,
    },
    /// The operating system's random number generator failed.
    #[error("the random number generator failed: {0}")]
    Randomness(String),
    /// No two primes came up for an RSA key: next to impossible, unless the machine is faulty.
    #[error("no two primes among {draws} random numbers")]
    NoPrimes {
        /// How many numbers were drawn.
        draws: u64,
    },
    /// A key did not verify what it had just signed: a fault of the machine, or of this program.
    #[error("the key does not verify its own signature")]
    Inconsistent,
    /// There is no private key in the bytes.
    #[error("no private key found")]
    NoPrivateKey,
    /// The private key is encrypted and no passphrase was given.
    #[error("the private key is encrypted")]
    PassphraseRequired,
    /// The passphrase does not open the private key.
    #[error("the passphrase does not open the private key")]
    PassphraseWrong,
    /// An RSA modulus is too small to be safe or too large to be used.
    #[error("RSA modulus of {bits} bits, expected 2048 to 8192")]
    RsaSize {
        /// Length of the modulus found.
        bits: usize,
    },
    /// There is no certificate in the bytes.
    #[error("no certificate found")]
    NoCertificate,
    /// The certificate is not valid any more.
    #[error("the certificate was valid until {not_after}, and the clock says {now}")]
    Expired {
        /// The last second of validity.
        not_after: String,
        /// The time given.
        now: String,
    },
    /// The certificate is not valid yet.
    #[error("the certificate is valid from {not_before}, and the clock says {now}")]
    NotYetValid {
        /// The first second of validity.
        not_before: String,
        /// The time given.
        now: String,
    },
    /// Two things that belong together do not.
    #[error("{what}: found {found}, expected {expected}")]
    Mismatch {
        /// What does not match.
        what: &'static str,
        /// What is there.
        found: String,
        /// What should be there.
        expected: String,
    },
}
