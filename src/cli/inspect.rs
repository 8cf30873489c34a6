//! `kube-enroll inspect`: what any of these files is and says.

use kube_enroll::inspect::{Context, Object, Report, inspect, render};
use kube_enroll::policy::Agreed;
use kube_enroll::yaml;
use time::OffsetDateTime;

use super::args::{Format, InspectArgs};
use super::console::{Console, report_failure};
use super::input::Input;
use super::message::Failure;
use super::{Verdict, file, passphrase};

/// Shows a report. Exit 1 says that something could not be read at all.
pub fn run(args: InspectArgs, console: &Console) -> Result<Verdict, Failure> {
    let files = if args.files.is_empty() {
        vec![Input::Stdio]
    } else {
        args.files
    };
    let passphrase = args
        .passphrase_file
        .map(|path| passphrase::from_file(&path))
        .transpose()?;
    let context = Context {
        now: OffsetDateTime::now_utc(),
        agreed: Agreed::default(),
        passphrase: passphrase.as_ref(),
    };
    let (objects, all_read) = inspect_all(&files, args.report.max_size, &context, console);
    let readable = objects.iter().all(|object| object.kind.is_some());
    show(&Report::new(objects), args.report.output, console)?;
    Ok(match (all_read, readable) {
        (false, _) => Verdict::CouldNotRun,
        (true, false) => Verdict::NotGood,
        (true, true) => Verdict::Good,
    })
}

/// Everything in all files that can be read, and whether that is all of them. The others are told
/// of at once, so that one of a thousand does not hide the rest.
pub fn inspect_all(
    files: &[Input],
    limit: u64,
    context: &Context<'_>,
    console: &Console,
) -> (Vec<Object>, bool) {
    let mut objects = Vec::new();
    let mut all_read = true;
    for input in files {
        match file::read(input, limit) {
            Ok(contents) => {
                let found = inspect(&input.to_string(), &contents, context);
                if found.iter().any(is_key) {
                    input
                        .path()
                        .inspect(|path| file::warn_exposed(path, console));
                }
                objects.extend(found);
            }
            Err(failure) => {
                report_failure(&failure);
                all_read = false;
            }
        }
    }
    (objects, all_read)
}

fn is_key(object: &Object) -> bool {
    object.kind.as_deref() == Some("PrivateKey")
}

/// Writes a report in the format asked for.
pub fn show(report: &Report, format: Format, console: &Console) -> Result<(), Failure> {
    match format {
        Format::Text => console.data(&render(report, console.look())),
        Format::Json => console.data(&report.to_json()),
        Format::Yaml => console.data(&yaml::to_string(&report.to_value())),
    }
}
