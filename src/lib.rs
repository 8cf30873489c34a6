//! Offline enrollment of Kubernetes users by client certificate.
//!
//! One file goes out (a `CertificateSigningRequest` manifest), one comes back (the issued
//! certificate with the cluster's address), and the private key never leaves the person's machine.

mod asn1;
pub mod certificate;
pub mod config;
pub mod credential;
pub mod csr;
pub mod error;
pub mod inspect;
pub mod key;
pub mod kubeconfig;
pub mod lifetime;
pub mod manifest;
pub mod name;
pub mod parallel;
pub mod pem;
pub mod policy;
pub mod rbac;
pub mod rehearsal;
pub mod reply;
pub mod secret;
pub mod shell;
pub mod stack;
pub mod text;
pub mod yaml;
