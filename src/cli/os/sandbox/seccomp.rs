//! The system calls that are left (seccomp(2)).
//!
//! Whatever is not needed fails with `ENOSYS`, which is what the C library expects of an old kernel:
//! it goes on without `clone3`, or without asking nscd through a socket. So do calls that a future
//! kernel will add, those of the x32 ABI, and whatever an attacker would call.

use rustix::thread::{SecureComputingMode, secure_computing_mode};

use super::Restriction;

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod calls;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod filter;

/// What a command does that most do not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Needs {
    /// Files and folders that it makes, replaces or removes.
    pub new_files: bool,
    /// The kernel's keyring, where keys are kept unlocked.
    pub keyring: bool,
    /// A second filter, for one thread.
    pub second_filter: bool,
}

/// Installs the filter where there is one for this architecture.
pub fn install(needs: Needs) {
    // A container may refuse it; `in_force` asks the kernel what came of it.
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    let _ = filter::install(needs);
}

/// Takes from this thread, and those that it starts, what reaches into others: signals, and what happens at
/// one. Memory is shared all the same.
pub fn keep_to_thread() {
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    let _ = filter::keep_to_thread();
}

/// What the kernel says.
pub fn in_force() -> Restriction {
    let filtered = secure_computing_mode() == Ok(SecureComputingMode::Filter);
    let state = if filtered { "filtered" } else { "NOT FILTERED" };
    Restriction {
        name: "system calls (seccomp)",
        state: state.into(),
    }
}
