//! What the process forbids itself before it reads any input. Each part is best effort: where the
//! kernel or a container refuses one, the command goes on, and `kube-enroll --version -v` shows it.
//! Only Linux offers these; on other systems this is a no-op that says so.

#[cfg(target_os = "linux")]
mod landlock;
#[cfg(target_os = "linux")]
mod process;
mod reach;
#[cfg(target_os = "linux")]
mod seccomp;
#[cfg(all(test, target_os = "linux"))]
mod tests;

use kube_enroll::text::Text;

pub use reach::Reach;

/// One thing that the process forbids itself, and whether that is in force.
pub struct Restriction {
    pub name: &'static str,
    pub state: Text,
}

/// Forbids what a command does not need, for all threads that will be, and tells what is in force.
///
/// The order matters: secrets cannot leak into a core image from here on, then the kernel's
/// attack surface shrinks, and only then are paths looked at.
#[cfg(target_os = "linux")]
pub fn enter(reach: impl FnOnce() -> Reach) -> Vec<Restriction> {
    let locked = process::harden();
    // Asked later, the answer would lie in files out of reach.
    let threads = kube_enroll::parallel::most_threads();
    let reach = reach();
    let (files, bytes) = reach.work();
    process::limit(process::Limits::for_input(files, bytes, threads));
    seccomp::install(seccomp::Needs {
        new_files: !reach.create.is_empty(),
        keyring: reach.keyring,
        second_filter: reach.looks_first(),
    });
    let landlock = landlock::confine(reach);
    let mut restrictions = process::in_force(&locked);
    restrictions.push(seccomp::in_force());
    restrictions.push(landlock::in_force(&landlock));
    restrictions
}

/// Nothing can be forbidden here.
#[cfg(not(target_os = "linux"))]
pub fn enter(_reach: impl FnOnce() -> Reach) -> Vec<Restriction> {
    vec![Restriction {
        name: "sandbox",
        state: "not available on this system".into(),
    }]
}
