//! The command line of kube-enroll: parse, dispatch, exit.

use std::alloc::System;
use std::process::ExitCode;

use zeroizing_alloc::ZeroAlloc;

mod cli;

/// Wipes all memory that is freed: libraries free copies of secrets that they do not wipe.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<System> = ZeroAlloc(System);

fn main() -> ExitCode {
    cli::run(&std::env::args_os().collect::<Vec<_>>())
}
