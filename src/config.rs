//! Defaults for requests: a team's own, in YAML, or an OpenSSL request configuration.

use std::fmt;

use crate::csr::RequestedExtension;
use crate::key::Algorithm;
use crate::lifetime::Lifetime;

mod extensions;
mod openssl;
mod team;

/// What a configuration asks for; the command line wins over all of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestConfig {
    /// The user.
    pub user: Option<String>,
    /// The groups, in order.
    pub groups: Vec<String>,
    /// The kind of key.
    pub algorithm: Option<Algorithm>,
    /// The lifetime to ask for.
    pub expires_in: Option<Lifetime>,
    /// The signer to ask.
    pub signer: Option<String>,
    /// `metadata.name`.
    pub name: Option<String>,
    /// The extensions that it would put into a request.
    pub extensions: Vec<RequestedExtension>,
    /// What is worth knowing about it: what is not used, and why.
    pub notes: Vec<String>,
}

/// Why a configuration cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// The line, counted from 1.
    pub line: Option<usize>,
    /// What is wrong there.
    pub problem: String,
}

impl ConfigError {
    fn new(line: usize, problem: impl Into<String>) -> Self {
        Self {
            line: Some(line),
            problem: problem.into(),
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let problem = crate::text::visible(&self.problem);
        match self.line {
            Some(line) => write!(f, "line {line}: {problem}"),
            None => write!(f, "{problem}"),
        }
    }
}

impl std::error::Error for ConfigError {}

/// Reads a configuration of either kind, told apart by the sections that only OpenSSL has.
///
/// # Errors
/// [`ConfigError`], with the line.
pub fn read(input: &[u8]) -> Result<RequestConfig, ConfigError> {
    let text = std::str::from_utf8(input).map_err(|error| {
        let before = input.get(..error.valid_up_to()).unwrap_or_default();
        let line = memchr::memchr_iter(b'\n', before).count() + 1;
        ConfigError::new(line, "not UTF-8 text")
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if openssl::is_openssl(text) {
        openssl::read(text)
    } else {
        team::read(text)
    }
}
