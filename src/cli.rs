//! The commands: each has one file with its options, what it reaches, and what it does.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use kube_enroll::shell;
use kube_enroll::stack;

mod args;
mod complete;
mod completions;
mod console;
mod credential;
mod failure;
mod from;
mod hint;
mod inspect;
mod kubeconfig;
mod list;
mod lock;
mod man;
mod os;
mod outcome;
mod passphrase;
mod qr;
mod rbac;
mod rehearse;
mod renew;
mod reply;
mod report;
mod request;
mod to;
mod unlock;
mod usage;
mod verify;
mod version;

use console::Console;
use failure::Failure;
use os::sandbox::{self, Reach};

/// How a command that ran has ended.
/// The worst of several is the last in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Good,
    NotGood,
    /// Some of several files could not be read, which was said already.
    CouldNotRun,
}

/// A command with its options as typed.
trait Action {
    /// Every file and folder that [`Action::run`] reads, lists or writes.
    fn reach(&self) -> Reach;

    /// Does it, within that reach.
    fn run(&self, console: &Console) -> Result<Verdict, Failure>;
}

/// Runs the command typed and tells the exit status: 0 good, 1 not good, 2 could not run.
pub fn run(typed: &[OsString]) -> ExitCode {
    let called = typed.first().map(Path::new).and_then(Path::file_name);
    if called.is_some_and(|name| name == "kubectl-enroll") {
        shell::call_us_plugin(args::names());
    }
    #[cfg(debug_assertions)]
    shell::check_commands_with(usage::check_own);
    let cli = match usage::parse(typed) {
        Ok(cli) => cli,
        Err(status) => return status,
    };
    let console = Console::new(cli.quiet);
    let command = match (cli.version, cli.command) {
        (true, _) => args::Command::Version(version::Args {
            verbose: cli.verbose,
        }),
        (false, Some(command)) => command,
        (false, None) => return conclude(Err(usage::no_command())),
    };
    let action = command.action();
    os::signals::look();
    let mut stdin = 0;
    let mut ready = Ok(());
    let restrictions = sandbox::enter(|| {
        let reach = action.reach();
        stdin = reach.stdin();
        ready = match stdin {
            0 | 1 => reach.make_folders(),
            _ => Err(usage::stdin_twice()),
        };
        reach
    });
    if ready.is_err() {
        return conclude(ready.map(|()| Verdict::Good));
    }
    if stdin == 1 {
        console.note_waiting();
    }
    if let args::Command::Version(args) = &command {
        return conclude(args.show(&restrictions, &console));
    }
    // kubectl has to get a credential whoever reads its warnings.
    let has_to_say_all = !matches!(command, args::Command::Credential(_));
    let ended = || match action.run(&console) {
        Ok(Verdict::Good) if has_to_say_all && console::has_something_unsaid() => {
            Err(Failure::could_not_run(
                "all is done, and not all is said: cannot write to standard error",
            ))
        }
        verdict => verdict,
    };
    stack::own_thread(|| conclude(ended()))
        .unwrap_or_else(|error| conclude(Err(Failure::io("start", "a thread", &error))))
}

/// Says why it failed, if it did.
fn conclude(verdict: Result<Verdict, Failure>) -> ExitCode {
    match verdict.unwrap_or_else(|failure| report(&failure)) {
        Verdict::Good => ExitCode::SUCCESS,
        Verdict::NotGood => ExitCode::from(1),
        Verdict::CouldNotRun => ExitCode::from(2),
    }
}

/// Says what went wrong with one of several, so that the others can go on.
fn report(failure: &Failure) -> Verdict {
    console::report_failure(failure);
    failure.status()
}
