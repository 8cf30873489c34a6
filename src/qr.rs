//! A file as QR codes: numbered [`parts`] in text that scanners type and phones copy, and the
//! [`Picture`] of each.

mod base32;
pub mod parts;
mod picture;

pub use picture::{CAPACITIES, Picture};
