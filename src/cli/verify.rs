//! `kube-enroll verify`: a request against what was agreed on and against the cluster's rules.

use kube_enroll::inspect::{Context, Expected, Object};
use kube_enroll::policy::{Agreed, Finding};
use time::OffsetDateTime;

use super::Verdict;
use super::args::VerifyArgs;
use super::console::Console;
use super::message::Failure;
use super::report::Report;

/// Checks every file; the exit status is the answer.
pub fn run(args: &VerifyArgs, console: &Console) -> Result<Verdict, Failure> {
    let expected = expected(args);
    let context = Context {
        now: OffsetDateTime::now_utc(),
        agreed: Agreed {
            user: args.user.as_deref(),
            groups: &args.groups,
        },
        passphrase: None,
    };
    let report = Report::new(&args.report, console, true);
    let tally = report.run(&args.files, &context, |object| check(object, &expected))?;
    Ok(tally.of_judging())
}

fn expected(args: &VerifyArgs) -> Expected {
    let groups = (args.no_groups || !args.groups.is_empty()).then(|| args.groups.clone());
    Expected {
        user: args.user.clone(),
        groups,
        fingerprint: args.fingerprint,
        max_lifetime: args.max_lifetime,
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
