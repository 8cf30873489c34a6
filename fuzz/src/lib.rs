//! What must be true of any input: one function for each fuzz target, which panics where it is not.
//!
//! The fuzzers call them with what they make up, and `tests/corpora.rs` with every seed, so that
//! both demand the same.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used,
    reason = "these functions are there to panic"
)]

pub mod certificate;
pub mod csr;
pub mod kubeconfig;
pub mod manifest;
pub mod name;
pub mod openssl_config;
pub mod pem;
pub mod policy;
pub mod prime_filter;
pub mod private_key;
pub mod qr;
pub mod reply;
pub mod report;
pub mod request;
pub mod verdict;
pub mod yaml;

mod keys;
mod plain;
mod signed;

/// Demands what must be true of these bytes.
pub type Target = fn(&[u8]);

/// Every target by its name, which is also that of its program and of the folder of its seeds.
pub const TARGETS: [(&str, Target); 16] = [
    ("certificate", certificate::check),
    ("csr", csr::check),
    ("kubeconfig", kubeconfig::check),
    ("manifest", manifest::check),
    ("name", name::check),
    ("openssl_config", openssl_config::check),
    ("pem", pem::check),
    ("policy", policy::check),
    ("prime_filter", prime_filter::check),
    ("private_key", private_key::check),
    ("qr", qr::check),
    ("reply", reply::check),
    ("report", report::check),
    ("request", request::check),
    ("verdict", verdict::check),
    ("yaml", yaml::check),
];
