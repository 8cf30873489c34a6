//! A few keys, worthless and read once, and randomness that is always the same.

use std::sync::LazyLock;

use chacha20::ChaCha20Rng;
use kube_enroll::key::{EncodedKey, PrivateKey};
use rand_core::SeedableRng as _;

/// One for each algorithm.
pub(super) static KEYS: LazyLock<[PrivateKey; 4]> = LazyLock::new(|| {
    [
        &include_bytes!("../seeds/private_key/ed25519.key")[..],
        include_bytes!("../seeds/private_key/p256.key"),
        include_bytes!("../seeds/private_key/p384.key"),
        include_bytes!("../seeds/private_key/rsa2048.key"),
    ]
    .map(|key| EncodedKey::find(key).unwrap().open(None).unwrap())
});

/// Randomness that is not random, so that an input does the same each time.
pub(super) fn rng() -> ChaCha20Rng {
    ChaCha20Rng::from_seed([7; 32])
}
