//! A value that wipes itself, shows nothing in `Debug` and cannot be cloned by accident.

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

/// A secret held in memory until it is dropped, and wiped then.
///
/// Not `Clone`, not `Display`; `Debug` shows only that there is one. Reading it is spelled out
/// with [`Secret::expose`], so that a review finds every place that does.
///
/// ```compile_fail,E0599
/// let passphrase = kube_enroll::secret::Passphrase::new(Vec::new());
/// let copy = passphrase.clone();
/// ```
/// ```compile_fail,E0277
/// let passphrase = kube_enroll::secret::Passphrase::new(Vec::new());
/// let shown = format!("{passphrase}");
/// ```
pub struct Secret<T: Zeroize>(Zeroizing<T>);

/// What a person types, or a file holds, to open an encrypted private key: bytes, not text, as
/// PKCS#5 takes them.
pub type Passphrase = Secret<Vec<u8>>;

impl<T: Zeroize> Secret<T> {
    /// Takes `value` into keeping.
    pub fn new(value: T) -> Self {
        Self(Zeroizing::new(value))
    }

    /// The secret itself.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> From<Zeroizing<T>> for Secret<T> {
    fn from(value: Zeroizing<T>) -> Self {
        Self(value)
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl<T: Zeroize + AsRef<[u8]>> PartialEq for Secret<T> {
    /// Compares in time that depends on the lengths alone.
    fn eq(&self, other: &Self) -> bool {
        self.0.as_ref().ct_eq(other.0.as_ref()).into()
    }
}

impl<T: Zeroize + AsRef<[u8]>> Eq for Secret<T> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing_of_the_secret() {
        let passphrase = Passphrase::new(b"correct horse".to_vec());
        assert_eq!(format!("{passphrase:?}"), "Secret(..)");
    }

    #[test]
    fn equal_secrets_are_equal_and_others_are_not() {
        let secret = |text: &str| Passphrase::new(text.as_bytes().to_vec());
        assert_eq!(secret("a"), secret("a"));
        assert_ne!(secret("a"), secret("b"));
        assert_ne!(secret("a"), secret("aa"));
    }
}
