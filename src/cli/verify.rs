//! `kube-enroll verify`: a request against what was agreed on and against the cluster's rules.

use std::fmt::Write as _;

use kube_enroll::inspect::{Context, Expected, Object, Report};
use kube_enroll::policy::{Agreed, Finding};
use kube_enroll::text::visible;
use time::OffsetDateTime;

use super::Verdict;
use super::args::{Format, VerifyArgs};
use super::console::Console;
use super::inspect::{inspect_all, show};
use super::message::Failure;

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
    let (mut objects, all_read) = inspect_all(&args.files, args.report.max_size, &context, console);
    for object in &mut objects {
        check(object, &expected);
    }
    let good = !objects.iter().any(Object::has_errors);
    let report = Report::new(objects);
    show(&report, args.report.output, console)?;
    if args.report.output == Format::Text {
        console.say(&verdicts(&report))?;
    }
    Ok(match (all_read, good) {
        (false, _) => Verdict::CouldNotRun,
        (true, false) => Verdict::NotGood,
        (true, true) => Verdict::Good,
    })
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

/// A line for each object.
fn verdicts(report: &Report) -> String {
    let mut text = String::from("\n");
    for object in &report.objects {
        let verdict = if object.has_errors() {
            "NOT GOOD"
        } else {
            "good"
        };
        let name = object.name.as_deref().unwrap_or_default();
        let _ = writeln!(text, "{}: {name}: {verdict}", visible(&object.source));
    }
    text.replace(": : ", ": ")
}
