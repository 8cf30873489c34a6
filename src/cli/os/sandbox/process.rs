//! No core dumps, no debugger of the same user, no privileges gained (core(5), `PR_SET_DUMPABLE(2const)`,
//! `PR_SET_NO_NEW_PRIVS(2const)`); no more memory and time than reading what strangers wrote takes
//! (setrlimit(2)).

use rustix::mm::{MlockAllFlags, mlockall};
use rustix::process::{
    DumpableBehavior, Resource, Rlimit, dumpable_behavior, getrlimit, set_dumpable_behavior,
    setrlimit,
};
use rustix::thread::{no_new_privs, set_no_new_privs};

use super::Restriction;

/// Not one of these can be refused by a kernel that knows it, and [`in_force`] asks it.
///
/// The limit alone is not enough: a `core_pattern` that is a pipe ignores it. A process that is
/// not dumpable can neither be dumped nor traced by its own user.
pub fn harden() -> Locked {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    let _ = setrlimit(Resource::Core, none);
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    let _ = set_no_new_privs(true);
    lock_memory()
}

/// The most that a command may take: any file that it reads may be a stranger's. Reading is bounded by design;
/// where that were to fail, this process ends and the machine does not suffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Addresses, in bytes, whether there is memory behind them or not.
    pub address_space: u64,
    /// Time of all cores together, in seconds.
    pub cpu: u64,
}

impl Limits {
    /// For so many files of at most so many bytes each, read by so many threads.
    ///
    /// Three times what was measured and more: 11 bytes of addresses a byte of a large file, 2 seconds
    /// a MiB where every key is compared with every other; for each thread, 64 MiB that glibc's
    /// allocator sets aside and aligns (`HEAP_MAX_SIZE`), besides its stack.
    pub fn for_input(files: usize, bytes: u64, threads: usize) -> Self {
        let files = u64::try_from(files).unwrap_or(u64::MAX);
        let threads = u64::try_from(threads).unwrap_or(u64::MAX).saturating_add(4);
        let shares = threads.saturating_mul(192 << 20);
        Self {
            address_space: bytes
                .saturating_mul(32)
                .saturating_add(shares)
                .saturating_add(2 << 30),
            cpu: files
                .saturating_mul(1 + (bytes >> 20))
                .saturating_mul(20)
                .saturating_add(300),
        }
    }
}

/// Puts limits on this process; they only ever go down.
pub fn limit(limits: Limits) {
    for (resource, most) in [
        (Resource::As, limits.address_space),
        (Resource::Cpu, limits.cpu),
    ] {
        let present = getrlimit(resource);
        let least = |limit: Option<u64>| Some(limit.map_or(most, |limit| limit.min(most)));
        let lower = Rlimit {
            current: least(present.current),
            maximum: least(present.maximum),
        };
        let _ = setrlimit(resource, lower);
    }
}

/// Keeps all memory out of swap, where the limit has room for all that may ever be used: an
/// allocation that goes over it would fail (mlockall(2)).
fn lock_memory() -> Locked {
    let flags = MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT;
    let unlimited = getrlimit(Resource::Memlock).current.is_none();
    Locked(unlimited && mlockall(flags).is_ok())
}

/// Whether memory stays out of swap, which the kernel tells only once.
pub struct Locked(bool);

/// What the kernel says.
pub fn in_force(locked: &Locked) -> Vec<Restriction> {
    let no_core = getrlimit(Resource::Core).maximum == Some(0);
    let not_dumpable = dumpable_behavior() == Ok(DumpableBehavior::NotDumpable);
    let no_privileges = no_new_privs() == Ok(true);
    vec![
        restriction("core dumps", no_core, "off", "ON"),
        restriction("traceable by its user", not_dumpable, "no", "YES"),
        restriction("swapping to disk", locked.0, "prevented", "POSSIBLE"),
        restriction("new privileges", no_privileges, "none", "POSSIBLE"),
    ]
}

fn restriction(
    name: &'static str,
    holds: bool,
    good: &'static str,
    bad: &'static str,
) -> Restriction {
    let state = if holds { good } else { bad };
    Restriction {
        name,
        state: state.into(),
    }
}
