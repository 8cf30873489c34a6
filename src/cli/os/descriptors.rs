//! Which of the standard streams were closed when the program began. Before `main` the runtime of Rust
//! opens /dev/null in their place, and what is written there seems to have arrived; whoever throws it
//! away on purpose opens it in the same way. So they are looked at before that.

#![allow(
    unsafe_code,
    reason = "a function that the loader calls has to be in a section of its own"
)]

use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::io::{Errno, fcntl_getfd};
use rustix::stdio;

static STDOUT_CLOSED: AtomicBool = AtomicBool::new(false);
static STDERR_CLOSED: AtomicBool = AtomicBool::new(false);

// SAFETY: the section holds functions without arguments, which the loader calls one after the other.
#[used]
#[cfg_attr(not(target_vendor = "apple"), unsafe(link_section = ".init_array"))]
#[cfg_attr(
    target_vendor = "apple",
    unsafe(link_section = "__DATA,__mod_init_func")
)]
static BEFORE_MAIN: extern "C" fn() = look;

/// Nothing of the runtime is there yet: it makes two system calls and remembers what they answer.
extern "C" fn look() {
    let is_closed = |stream: BorrowedFd<'_>| fcntl_getfd(stream) == Err(Errno::BADF);
    STDOUT_CLOSED.store(is_closed(stdio::stdout()), Ordering::Relaxed);
    STDERR_CLOSED.store(is_closed(stdio::stderr()), Ordering::Relaxed);
}

/// Whether nobody can read what is written to standard output.
pub fn is_stdout_closed() -> bool {
    STDOUT_CLOSED.load(Ordering::Relaxed)
}

/// Whether nobody can read what is written to standard error.
pub fn is_stderr_closed() -> bool {
    STDERR_CLOSED.load(Ordering::Relaxed)
}
