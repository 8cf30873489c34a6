//! The filter, and what it asks of the arguments.

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, Error, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition,
    SeccompFilter, SeccompRule, TargetArch, apply_filter, apply_filter_all_threads,
};

use super::Needs;
use super::calls::{
    ACROSS_THREADS, CHANGES, FCNTL, IOCTL, KEY_RIGHTS, KEYCTL, NEEDED, NEW_THREAD, PRCTL, SET_ID,
    SPECIAL, WRITING,
};

/// System calls, and the arguments they are meant with; an empty list is any arguments.
type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// Puts the filter on all threads.
pub fn install(needs: Needs) -> Result<(), Error> {
    let refuse = SeccompAction::Errno(libc::ENOSYS.cast_unsigned());
    let arch = TargetArch::try_from(std::env::consts::ARCH)?;
    let filter = SeccompFilter::new(rules(needs)?, refuse, SeccompAction::Allow, arch)?;
    let program: BpfProgram = filter.try_into()?;
    apply_filter_all_threads(&program)
}

/// Puts another filter on this thread.
pub fn keep_to_thread() -> Result<(), Error> {
    let refuse = SeccompAction::Errno(libc::ENOSYS.cast_unsigned());
    let arch = TargetArch::try_from(std::env::consts::ARCH)?;
    let calls = any_arguments(ACROSS_THREADS);
    let filter = SeccompFilter::new(calls, SeccompAction::Allow, refuse, arch)?;
    let program: BpfProgram = filter.try_into()?;
    apply_filter(&program)
}

fn rules(needs: Needs) -> Result<Rules, Error> {
    let mut rules = any_arguments(NEEDED);
    rules.insert(libc::SYS_clone, any_of(0, numbers(&NEW_THREAD))?);
    // Nothing that was written becomes code.
    for call in [libc::SYS_mmap, libc::SYS_mprotect] {
        rules.insert(call, vec![lacks(2, libc::PROT_EXEC)?]);
    }
    // Signals to itself, as abort(3) and raise(3) send them.
    for call in [libc::SYS_kill, libc::SYS_tgkill] {
        rules.insert(call, any_of(0, [std::process::id()])?);
    }
    // Questions about its own limits, as the C library asks for each new thread's stack.
    let no_new_limit = condition(2, SeccompCmpArgLen::Qword, SeccompCmpOp::Eq, 0)?;
    let itself = is(0, 0)?;
    let question = SeccompRule::new(vec![itself, no_new_limit])?;
    rules.insert(libc::SYS_prlimit64, vec![question]);
    rules.insert(libc::SYS_prctl, any_of(0, numbers(PRCTL))?);
    rules.insert(libc::SYS_ioctl, any_of(1, IOCTL.iter().copied())?);
    rules.insert(libc::SYS_fcntl, any_of(1, numbers(FCNTL))?);
    open(&mut rules, needs)?;
    if needs.new_files {
        rules.extend(any_arguments(WRITING));
        rules.insert(libc::SYS_mkdirat, vec![lacks(2, SPECIAL.cast_signed())?]);
        #[cfg(target_arch = "x86_64")]
        rules.insert(libc::SYS_mkdir, vec![lacks(1, SPECIAL.cast_signed())?]);
        rules.insert(libc::SYS_fchmod, vec![lacks(1, SET_ID.cast_signed())?]);
    }
    if needs.second_filter {
        let adds = is(0, libc::SECCOMP_SET_MODE_FILTER)?;
        let to_this_thread = is(1, 0)?;
        let rule = SeccompRule::new(vec![adds, to_this_thread])?;
        rules.insert(libc::SYS_seccomp, vec![rule]);
    }
    if needs.keyring {
        rules.insert(libc::SYS_add_key, Vec::new());
        let mut operations = any_of(0, KEYCTL.iter().copied())?;
        let set_rights = is(0, libc::KEYCTL_SETPERM)?;
        let to_the_owner_alone = is(2, KEY_RIGHTS)?;
        operations.push(SeccompRule::new(vec![set_rights, to_the_owner_alone])?);
        rules.insert(libc::SYS_keyctl, operations);
    }
    Ok(rules)
}

/// Files are opened within what Landlock leaves; none is made or emptied where none is to be written, and
/// none is made that runs as somebody else.
fn open(rules: &mut Rules, needs: Needs) -> Result<(), Error> {
    let by_name: &[(i64, u8)] = &[
        (libc::SYS_openat, 2),
        #[cfg(target_arch = "x86_64")]
        (libc::SYS_open, 1),
    ];
    for (call, flags) in by_name {
        let mut arguments = vec![lacks(*flags, CHANGES)?];
        if needs.new_files {
            // The mode stands behind the flags.
            arguments.push(lacks(*flags + 1, SPECIAL.cast_signed())?);
        }
        rules.insert(*call, arguments);
    }
    Ok(())
}

fn any_arguments(calls: &[i64]) -> Rules {
    calls.iter().map(|call| (*call, Vec::new())).collect()
}

/// Numbers that the kernel looks at as if they had no sign.
fn numbers(values: &[i32]) -> impl Iterator<Item = u32> {
    values.iter().map(|value| value.cast_unsigned())
}

/// The argument is one of these numbers.
fn any_of(argument: u8, values: impl IntoIterator<Item = u32>) -> Result<Vec<SeccompRule>, Error> {
    let rule = |value| Ok(SeccompRule::new(vec![is(argument, value)?])?);
    values.into_iter().map(rule).collect()
}

/// The argument is this number.
fn is(argument: u8, value: u32) -> Result<SeccompCondition, Error> {
    condition(
        argument,
        SeccompCmpArgLen::Dword,
        SeccompCmpOp::Eq,
        value.into(),
    )
}

/// The argument has none of these flags.
fn lacks(argument: u8, flags: i32) -> Result<SeccompRule, Error> {
    let masked = SeccompCmpOp::MaskedEq(flags.cast_unsigned().into());
    let condition = condition(argument, SeccompCmpArgLen::Dword, masked, 0)?;
    Ok(SeccompRule::new(vec![condition])?)
}

/// The kernel looks at 32 bits of all numbers and flags here, and so does the filter: what is in
/// the upper half cannot make one number pass for another. A pointer has 64.
fn condition(
    argument: u8,
    length: SeccompCmpArgLen,
    operator: SeccompCmpOp,
    value: u64,
) -> Result<SeccompCondition, Error> {
    Ok(SeccompCondition::new(argument, length, operator, value)?)
}
