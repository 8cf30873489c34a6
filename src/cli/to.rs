//! Where things go: files that appear whole or not at all, and what they are named after.

pub mod files;
pub mod names;
