//! YAML as the Kubernetes tools read and write it: go-yaml's YAML 1.1, turned into JSON.
//!
//! Reading follows k8s.io/apimachinery `util/yaml` (documents), sigs.k8s.io/yaml (JSON) and
//! go.yaml.in/yaml/v2 (scalars), so that `no` is false here as it is in kubectl. Writing puts
//! every string in double quotes, so that each reader takes it as it was meant.

mod documents;
mod encoding;
mod json;
mod parser;
mod problem;
mod scalar;
mod scanner;
mod tree;
mod write;

pub use documents::{Document, Stream, documents, first_document, read};
pub use problem::{Doubt, Oddity, OddityKind, Problem, YamlError};
pub use write::{quote, to_string, write};

crate::text::show_raw!(YamlError, OddityKind);
