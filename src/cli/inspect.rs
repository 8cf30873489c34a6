//! `kube-enroll inspect`: what any of these files is and says.

use kube_enroll::inspect::Context;
use kube_enroll::policy::Agreed;
use time::OffsetDateTime;

use super::args::InspectArgs;
use super::console::Console;
use super::input::Input;
use super::message::Failure;
use super::report::Report;
use super::{Verdict, passphrase};

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
    let report = Report::new(&args.report, console, false);
    let tally = report.run(&files, &context, |_| {})?;
    Ok(tally.of_reading())
}
