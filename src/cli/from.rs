//! Where things come from: files, passphrases, keys and clusters, each found in one way.

pub mod agreement;
pub mod cluster;
pub mod company;
pub mod credentials;
pub mod file;
pub mod keys;
pub mod passphrase;
pub mod preferences;
pub mod program;
pub mod requests;
pub mod roster;
