//! The system calls that are left (seccomp(2)).
//!
//! Two filters, of which the kernel heeds the stricter answer. What only an attacker would do
//! kills the process. Everything else that is not needed fails with `ENOSYS`, which is what the C
//! library expects of an old kernel: it goes on without `clone3`, or without asking nscd through a
//! socket. Calls that a future kernel will add, and those of the x32 ABI, are refused likewise.

use rustix::thread::{SecureComputingMode, secure_computing_mode};

use super::Restriction;

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod calls;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod filter;

/// Installs the filters where there are any for this architecture.
pub fn install() {
    // A container may refuse them; `in_force` asks the kernel what came of it.
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    let _ = filter::install();
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
