//! What computations leave behind on the stack, and in registers.
//!
//! A frame stays as it was until another one covers it, and libraries wipe only what they keep in
//! values of their own. So work with secrets is followed by a frame that covers all of its.

use std::hint::black_box;
use std::panic::resume_unwind;
use std::{io, thread};

/// What is covered, in bytes. Making and using keys takes a tenth of it.
const COVERED: usize = 1 << 20;

/// What a thread may use, in bytes: as much as the first one gets.
const SIZE: usize = 8 << 20;

/// Does `work` on a thread of its own: vector registers keep what they held until they are used
/// again, or their thread ends. Its stack is overwritten.
///
/// # Errors
/// The system gives no thread.
///
/// # Panics
/// Only where `work` does.
pub fn own_thread<T: Send>(work: impl FnOnce() -> T + Send) -> io::Result<T> {
    thread::scope(|scope| {
        let builder = thread::Builder::new().stack_size(SIZE);
        let worker = builder.spawn_scoped(scope, || wiped(work))?;
        Ok(worker.join().unwrap_or_else(|panic| resume_unwind(panic)))
    })
}

/// Does `work`, and overwrites the part of this thread's stack that it ran on, up to 1 MiB, even if
/// it panics.
pub fn wiped<T>(work: impl FnOnce() -> T) -> T {
    let _cover = Cover;
    below(work)
}

/// Keeps the frame of `work` below the frame that covers it.
#[inline(never)]
fn below<T>(work: impl FnOnce() -> T) -> T {
    work()
}

struct Cover;

impl Drop for Cover {
    #[inline(never)]
    #[expect(clippy::large_stack_arrays, reason = "that is what it is for")]
    fn drop(&mut self) {
        black_box(&mut [0_u8; COVERED]);
    }
}
