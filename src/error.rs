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
}
