//! What the operating system is asked for besides files.

pub mod descriptors;
pub mod kernel_keyring;
pub mod privacy;
pub mod sandbox;
pub mod signals;
pub mod terminal;
