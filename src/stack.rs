//! What computations leave behind on the stack.
//!
//! A frame stays as it was until another one covers it, and libraries wipe only what they keep in
//! values of their own. So work with secrets is followed by a frame that covers all of its.

use std::hint::black_box;

/// What is covered, in bytes. Making and using keys takes a tenth of it.
const COVERED: usize = 1 << 20;

/// Does `work`, and overwrites the part of this thread's stack that it ran on, even if it panics.
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
