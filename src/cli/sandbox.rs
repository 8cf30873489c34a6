//! What the process forbids itself before it reads any input. Each part is best effort: where the
//! kernel or a container refuses one, the command goes on, and `kube-enroll --version -v` shows it.
//! Only Linux offers these; on other systems this is a no-op that says so.

#[cfg(target_os = "linux")]
mod landlock;
#[cfg(target_os = "linux")]
mod process;
#[cfg(target_os = "linux")]
mod reach;
#[cfg(target_os = "linux")]
mod seccomp;
#[cfg(all(test, target_os = "linux"))]
mod tests;

use kube_enroll::parallel;

use super::args::Command;

/// One thing that the process forbids itself, and whether that is in force.
pub struct Restriction {
    pub name: &'static str,
    pub state: String,
}

/// Forbids what `command` does not need, for all threads that will be, and tells what is in force.
///
/// The order matters: secrets cannot leak into a core image from here on, then the kernel's
/// attack surface shrinks, and only then are paths looked at.
#[cfg(target_os = "linux")]
pub fn enter(command: Option<&Command>) -> Vec<Restriction> {
    let locked = process::harden();
    // Asked later, the answer would lie in files out of reach.
    let cores = parallel::cores();
    if let Some((files, bytes)) = command.and_then(reads_of_strangers) {
        process::limit(process::Limits::for_input(files, bytes, cores));
    }
    seccomp::install(needs(command));
    let landlock = reach::confine(command);
    let mut restrictions = process::in_force(&locked);
    restrictions.push(seccomp::in_force());
    restrictions.push(landlock::in_force(&landlock));
    restrictions
}

/// How many files `command` reads that a stranger may have written, and how many bytes of each.
#[cfg(target_os = "linux")]
fn reads_of_strangers(command: &Command) -> Option<(usize, u64)> {
    match command {
        Command::Inspect(args) => Some((args.files.len().max(1), args.report.max_size)),
        Command::Verify(args) => Some((args.files.len().max(1), args.report.max_size)),
        Command::Reply(_) => Some((1, super::reply::LIMIT)),
        Command::Rbac(_) => Some((1, super::file::DEFAULT_LIMIT)),
        _ => None,
    }
}

/// What the filter of system calls has to leave for `command`.
#[cfg(target_os = "linux")]
fn needs(command: Option<&Command>) -> seccomp::Needs {
    let Some(command) = command else {
        return seccomp::Needs::default();
    };
    seccomp::Needs {
        new_files: matches!(
            command,
            Command::Request(_)
                | Command::Reply(_)
                | Command::Kubeconfig(_)
                | Command::Passphrase(_)
                | Command::Rehearse(_)
                | Command::Man { .. }
        ),
        keyring: matches!(command, Command::Credential(_) | Command::Lock),
    }
}

/// Nothing can be forbidden here.
#[cfg(not(target_os = "linux"))]
pub fn enter(_command: Option<&Command>) -> Vec<Restriction> {
    vec![Restriction {
        name: "sandbox",
        state: "not available on this system".to_owned(),
    }]
}
