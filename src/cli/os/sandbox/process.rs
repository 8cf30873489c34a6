//! No core dumps, no debugger of the same user, no privileges gained (core(5), `PR_SET_DUMPABLE(2const)`,
//! `PR_SET_NO_NEW_PRIVS(2const)`).

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
