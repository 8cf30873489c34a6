//! Offline enrollment of Kubernetes users by client certificate.
//!
//! One file goes out (a `CertificateSigningRequest` manifest), one comes back (the issued
//! certificate with the cluster's address), and the private key never leaves the person's machine.
//!
//! The rooms of the house, from the ground up; each one uses only those before it:
//!
//! | module | what it keeps |
//! |---|---|
//! | [`error`] | facts that can fail |

pub mod error;
