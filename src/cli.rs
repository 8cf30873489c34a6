//! The commands: each resolves what was typed, calls the library, and writes.

use std::process::ExitCode;

use clap::CommandFactory as _;
use clap::error::ErrorKind;
use kube_enroll::stack;

mod args;
mod change_passphrase;
mod console;
mod credential;
mod file;
mod input;
mod inspect;
mod keyring;
mod kubeconfig;
mod man;
mod message;
mod outcome;
mod passphrase;
mod rbac;
mod rehearse;
mod reply;
mod report;
mod request;
mod sandbox;
mod unlocked;
mod verify;
mod version;

pub use args::Cli;
use args::Command;
use console::Console;
use message::Failure;

/// How a command that ran has ended.
/// The worst of several is the last in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Good,
    NotGood,
    /// Some of several files could not be read, which was said already.
    CouldNotRun,
}

/// Runs a command and tells the exit status: 0 good, 1 not good, 2 could not run.
pub fn run(cli: Cli) -> ExitCode {
    let console = Console::new(cli.quiet);
    match cli.command {
        _ if cli.version => {
            let restrictions = sandbox::enter(None);
            conclude(version::run(cli.verbose, &restrictions, &console))
        }
        Some(command) => {
            sandbox::enter(Some(&command));
            stack::own_thread(|| conclude(dispatch(command, &console)))
                .unwrap_or_else(|error| conclude(Err(Failure::io("start", "a thread", &error))))
        }
        None => Cli::command()
            .error(ErrorKind::MissingSubcommand, "there is no command")
            .exit(),
    }
}

/// Says why it failed, if it did.
fn conclude(verdict: Result<Verdict, Failure>) -> ExitCode {
    match verdict {
        Ok(Verdict::Good) => ExitCode::SUCCESS,
        Ok(Verdict::NotGood) => ExitCode::from(1),
        Ok(Verdict::CouldNotRun) => ExitCode::from(2),
        Err(failure) => {
            if !failure.is_silent() {
                console::report_failure(&failure);
            }
            ExitCode::from(failure.exit_status())
        }
    }
}

/// Says what went wrong with one of several, so that the others can go on.
fn report(failure: &Failure) -> Verdict {
    console::report_failure(failure);
    match failure.exit_status() {
        1 => Verdict::NotGood,
        _ => Verdict::CouldNotRun,
    }
}

fn dispatch(command: Command, console: &Console) -> Result<Verdict, Failure> {
    match command {
        Command::Request(args) => request::run(&args, console),
        Command::Inspect(args) => inspect::run(args, console),
        Command::Verify(args) => verify::run(&args, console),
        Command::Reply(args) => reply::run(&args, console),
        Command::Kubeconfig(args) => kubeconfig::run(&args, console),
        Command::Rbac(args) => rbac::run(&args, console),
        Command::Credential(args) => credential::run(&args, console),
        Command::Lock => {
            let forgotten = unlocked::forget()?;
            console.say(&format!("{forgotten} unlocked key(s) forgotten\n"))?;
            Ok(Verdict::Good)
        }
        Command::Passphrase(args) => change_passphrase::run(&args, console),
        Command::Rehearse(args) => rehearse::run(&args, console),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "kube-enroll", &mut script);
            console.data(&String::from_utf8_lossy(&script))?;
            Ok(Verdict::Good)
        }
        Command::Man { output_dir } => man::run(output_dir.as_deref(), console),
    }
}
