//! What computations leave behind on the stack.

use std::hint::black_box;

/// More than any of the work takes: the filters spill about 20 KB, `rsa` and `crypto-bigint` keep
/// their numbers on the heap.
const DEPTH: usize = 256 * 1024;

/// Runs `work`, and overwrites the part of the stack that it ran on.
pub(super) fn wiped(work: impl FnOnce()) {
    /// Wipes on return and on panic alike.
    struct Wipe;
    impl Drop for Wipe {
        fn drop(&mut self) {
            overwrite();
        }
    }
    let _wipe = Wipe;
    run(work);
}

/// Keeps the frame of `work` below the frame that calls [`overwrite`].
#[inline(never)]
fn run(work: impl FnOnce()) {
    work();
}

#[inline(never)]
#[expect(clippy::large_stack_arrays, reason = "that is what it is for")]
fn overwrite() {
    let mut below = [0_u8; DEPTH];
    black_box(&mut below);
}
