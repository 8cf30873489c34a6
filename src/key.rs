//! Asymmetric keys: which algorithms there are, and how keys are made, read, written and used.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};

mod fingerprint;
mod private;
mod public;
pub mod rsa;
mod signature;

pub use fingerprint::{AgreedFingerprint, Fingerprint};
pub use private::{EncodedKey, Encoding, PrivateKey};
pub use public::PublicKey;
pub(crate) use signature::Signed;
pub use signature::{Hash, SignatureAlgorithm, SignatureError};

/// The kinds of key that a request can be made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Algorithm {
    /// RSA with a modulus of 2048 bits.
    Rsa2048,
    /// RSA with a modulus of 3072 bits.
    Rsa3072,
    /// RSA with a modulus of 4096 bits: what the hand-made instructions ask for.
    #[default]
    Rsa4096,
    /// ECDSA on NIST P-256.
    EcdsaP256,
    /// ECDSA on NIST P-384.
    EcdsaP384,
    /// Ed25519 (RFC 8032).
    Ed25519,
}

impl Algorithm {
    /// Every algorithm, in the order in which help texts list them.
    pub const ALL: [Self; 6] = [
        Self::Rsa4096,
        Self::Rsa3072,
        Self::Rsa2048,
        Self::EcdsaP256,
        Self::EcdsaP384,
        Self::Ed25519,
    ];

    /// The name used on the command line and in configuration files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Rsa2048 => "rsa-2048",
            Self::Rsa3072 => "rsa-3072",
            Self::Rsa4096 => "rsa-4096",
            Self::EcdsaP256 => "ecdsa-p256",
            Self::EcdsaP384 => "ecdsa-p384",
            Self::Ed25519 => "ed25519",
        }
    }

    /// The algorithm of a key, if it is one that a request can be made for.
    #[must_use]
    pub fn of(key: &PublicKey) -> Option<Self> {
        match (key.algorithm().as_str(), key.bits()) {
            ("RSA", Some(bits)) => Self::rsa(bits),
            ("ECDSA", Some(256)) => Some(Self::EcdsaP256),
            ("ECDSA", Some(384)) => Some(Self::EcdsaP384),
            ("Ed25519", _) => Some(Self::Ed25519),
            _ => None,
        }
    }

    /// The RSA algorithm with a modulus of `bits`, if it is one that a request can be made for.
    #[must_use]
    pub fn rsa(bits: usize) -> Option<Self> {
        match bits {
            2048 => Some(Self::Rsa2048),
            3072 => Some(Self::Rsa3072),
            4096 => Some(Self::Rsa4096),
            _ => None,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Algorithm {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.name() == name)
            .ok_or_else(|| Error::Unsupported {
                what: "key algorithm",
                found: name.into(),
            })
    }
}

crate::text::show_escaped!(Algorithm);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_algorithm_is_shown_by_the_name_that_it_is_read_by() {
        for algorithm in Algorithm::ALL {
            assert_eq!(algorithm.to_string().parse(), Ok(algorithm));
        }
        assert!("rsa-1024".parse::<Algorithm>().is_err());
    }

    #[test]
    fn the_algorithm_of_a_key_is_the_one_it_was_made_with() {
        for algorithm in [
            Algorithm::EcdsaP256,
            Algorithm::EcdsaP384,
            Algorithm::Ed25519,
        ] {
            let key = PrivateKey::generate(algorithm, &mut getrandom::SysRng).unwrap();
            assert_eq!(Algorithm::of(key.public_key()), Some(algorithm));
        }
    }

    #[test]
    fn an_rsa_algorithm_has_a_length_that_requests_are_made_for() {
        let names = [2048, 3072, 4096].map(|bits| Algorithm::rsa(bits).map(Algorithm::name));
        assert_eq!(names, ["rsa-2048", "rsa-3072", "rsa-4096"].map(Some));
        assert_eq!(Algorithm::rsa(1024), None);
    }
}
