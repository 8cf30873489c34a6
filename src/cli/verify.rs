//! `kube-enroll verify`: a request against what was agreed on and against the cluster's rules.

// These comments are the help texts, where backticks would be shown.
#![allow(clippy::doc_markdown)]

use kube_enroll::inspect::{Context, Expected, Object};
use kube_enroll::key::Fingerprint;
use kube_enroll::lifetime::Lifetime;
use kube_enroll::policy::{Agreed, CODES, Finding};
use time::OffsetDateTime;

use super::console::Console;
use super::failure::Failure;
use super::from::file::Stream;
use super::os::sandbox::Reach;
use super::report::{Report, ReportArgs};
use super::{Action, Verdict};

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, after_long_help = long_help())]
pub struct Args {
    /// Requests to check; - is standard input
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<Stream>,
    /// The user name agreed on
    #[arg(long)]
    pub user: Option<String>,
    /// A group agreed on; all of them together must be exactly those of the request
    #[arg(short, long = "group", value_name = "GROUP")]
    pub groups: Vec<String>,
    /// No group at all was agreed on
    #[arg(long, conflicts_with = "groups")]
    pub no_groups: bool,
    /// The fingerprint of the public key, as the user read it out
    #[arg(long, value_name = "SHA256:...")]
    pub fingerprint: Option<Fingerprint>,
    /// The longest lifetime that may be asked for
    #[arg(long, value_name = "LIFETIME")]
    pub max_lifetime: Option<Lifetime>,
    #[command(flatten)]
    pub report: ReportArgs,
}

const EXAMPLES: &str = "\
Examples:
  kube-enroll verify alice.csr.yaml --user alice --group developers
  kube-enroll verify alice.csr.yaml --fingerprint SHA256:... --max-lifetime 90d
  kube-enroll verify requests/*.yaml -o json";

/// The examples, and every code that a finding can have.
fn long_help() -> String {
    let codes = CODES
        .iter()
        .map(|(code, about)| format!("\n  {code:22} {}", about.replace('`', "")));
    format!(
        "{EXAMPLES}\n\nFindings:{}",
        codes.collect::<Vec<_>>().concat()
    )
}

impl Action for Args {
    fn reach(&self) -> Reach {
        Reach::default().read(&self.files).write([&self.report.out])
    }

    /// Checks every file; the exit status is the answer.
    fn run(&self, console: &Console) -> Result<Verdict, Failure> {
        let expected = self.expected();
        let context = Context {
            now: OffsetDateTime::now_utc(),
            agreed: Agreed {
                user: self.user.as_deref(),
                groups: &self.groups,
            },
            passphrase: None,
        };
        let report = Report::new(&self.report, console, true);
        let tally = report.run(&self.files, &context, |object| check(object, &expected))?;
        Ok(tally.of_judging())
    }
}

impl Args {
    fn expected(&self) -> Expected {
        let groups = (self.no_groups || !self.groups.is_empty()).then(|| self.groups.clone());
        Expected {
            user: self.user.clone(),
            groups,
            fingerprint: self.fingerprint,
            max_lifetime: self.max_lifetime,
        }
    }
}

/// Only requests can be verified; anything else is no good here.
fn check(object: &mut Object, expected: &Expected) {
    if object.csr.is_none() && !object.has_errors() {
        let kind = object.kind.as_deref().unwrap_or("nothing");
        object.findings.push(Finding::not_a_request(kind));
    }
    let mut findings = expected.check(object);
    findings.append(&mut object.findings);
    object.findings = findings;
}
