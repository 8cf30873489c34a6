//! Keys, requests and signatures that others made and published. What must come of each stands
//! beside its bytes; README.md says where they are from.

#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod files;
mod nist;
mod records;
mod rfc;
