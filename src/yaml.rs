//! YAML as the Kubernetes tools read and write it: go-yaml's YAML 1.1, turned into JSON.
//!
//! Reading follows k8s.io/apimachinery `util/yaml` (documents), sigs.k8s.io/yaml (JSON) and
//! go.yaml.in/yaml/v2 (everything else), so that `no` is false here as it is in kubectl, and what
//! go-yaml refuses is refused. Other YAML parsers follow YAML 1.2 or a later libyaml: `"\/"`,
//! `!<a,b>` and tabs are something else for them. What is read within [`Limits`] takes time and
//! memory in proportion to the file. Writing puts every string in double quotes, so that each
//! reader takes it as it was meant.

mod encoding;
mod json;
mod parser;
mod problem;
mod scalar;
mod scanner;
mod stream;
mod tree;
mod write;

#[cfg(test)]
mod tests;

pub use problem::{Doubt, Oddity, OddityKind, Problem, YamlError};
pub use stream::{Document, Items, Stream, first_document, items, read};
pub use write::{quote, to_string, write};

use crate::budget::Limits;

/// The documents of [`read()`], with limits that fit the input. All of it is read, so the caller
/// sets the bound.
#[must_use]
pub fn documents(input: &[u8]) -> Vec<Document> {
    read(input, &Limits::for_input(input)).documents
}
