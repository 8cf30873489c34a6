//! `kube-enroll inspect`: what any of these files is and says.

// These comments are the help texts, where backticks would be shown.
#![allow(clippy::doc_markdown)]

use std::sync::LazyLock;

use kube_enroll::inspect::{Context, Object};
use kube_enroll::policy::Agreed;
use kube_enroll::text;
use time::OffsetDateTime;

use super::console::Console;
use super::failure::Failure;
use super::from::file::{Filenames, Stream};
use super::from::passphrase::KeyPassphraseArgs;
use super::from::{preferences, program};
use super::os::sandbox::Reach;
use super::report::{Format, Report, ReportArgs};
use super::{Action, Verdict};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kube-enroll inspect alice.csr.yaml
  kubectl get csr -o yaml | kube-enroll inspect
  kube-enroll inspect -o json alice.csr alice.key alice.kubeconfig")]
pub struct Args {
    /// Files to look at; - is standard input
    #[arg(value_name = "FILE")]
    pub files: Vec<Stream>,
    #[command(flatten)]
    pub filenames: Filenames,
    /// The format of the report
    #[arg(short, long, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: Format,
    #[command(flatten)]
    pub report: ReportArgs,
    #[command(flatten)]
    pub passphrase: KeyPassphraseArgs,
}

impl Action for Args {
    fn reach(&self) -> Reach {
        let passphrase = self.passphrase.passphrase_file.as_ref();
        Reach::default()
            .read(&self.files)
            .read(&preferences::reach())
            .read(passphrase)
            .write([&self.report.out])
            .credentials_of(self.files.iter().filter_map(Stream::path))
            .with_work(self.files.len(), self.report.max_size)
    }

    /// Shows a report. Exit 1 says that something could not be read at all, or is in error.
    fn run(&self, console: &Console) -> Result<Verdict, Failure> {
        let passphrase = self.passphrase.read()?;
        let context = Context {
            now: OffsetDateTime::now_utc(),
            agreed: Agreed::default(),
            passphrase: passphrase.as_ref(),
        };
        let report = Report::new(&self.report, self.output, console);
        // Few files are kubeconfigs or preferences.
        let commands = LazyLock::new(preferences::commands);
        let in_use = LazyLock::new(preferences::in_use);
        let ask = |object: &mut Object| {
            if object.kuberc.is_some() {
                object.ask_kuberc(&commands, &program::look_path);
            }
            object.look_for_commands(&program::look_path);
            if object.runs_commands()
                && let Some((file, kuberc)) = &*in_use
            {
                object.ask_preferences(kuberc, file, &program::look_path);
            }
        };
        let limit = self.report.max_size;
        let files: Vec<_> = self
            .files
            .iter()
            .map(|file| (file.clone(), limit))
            .collect();
        let (tally, only) = report.run(&files, &context, ask)?;
        if let Some(command) = only.and_then(|object| object.allowing()) {
            console.note(text!(
                "with kubectl 1.36 and later, this lets it run:\n{}",
                command.folded(2)
            ));
        }
        Ok(tally.of_judging())
    }
}
