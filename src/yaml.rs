//! YAML as the Kubernetes tools read and write it: go-yaml's YAML 1.1, turned into JSON.
//!
//! Reading follows k8s.io/apimachinery `util/yaml` (documents), sigs.k8s.io/yaml (JSON) and
//! go.yaml.in/yaml/v2 (scalars), so that `no` is false here as it is in kubectl. Writing puts
//! every string in double quotes, so that each reader takes it as it was meant.

mod documents;
mod encoding;
mod read;
mod scalar;
mod tags;
mod write;

pub use documents::{Document, documents, first_document};
pub use write::{quote, to_string, write};

/// Why a document cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct YamlError {
    /// The line, counted from 1, where the reader stopped.
    pub line: Option<usize>,
    /// What it stopped at.
    pub problem: String,
}

impl YamlError {
    fn new(line: usize, problem: impl Into<String>) -> Self {
        Self {
            line: Some(line),
            problem: problem.into(),
        }
    }

    fn of(error: &libyaml_safer::Error) -> Self {
        Self {
            line: error.problem_mark().map(|mark| line_of(mark.line)),
            problem: error.problem().to_owned(),
        }
    }
}

/// The line, counted from 1, of a mark, which counts from 0.
fn line_of(mark: u64) -> usize {
    usize::try_from(mark).unwrap_or(usize::MAX - 1) + 1
}

impl std::fmt::Display for YamlError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.problem),
            None => f.write_str(&self.problem),
        }
    }
}

impl std::error::Error for YamlError {}

crate::text::show_raw!(YamlError);
