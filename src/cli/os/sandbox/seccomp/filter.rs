//! The two filters, and what they ask of the arguments.

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, Error, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition,
    SeccompFilter, SeccompRule, TargetArch, apply_filter_all_threads,
};

use super::calls::{HOSTILE, NAMESPACES, NEEDED, PRCTL, TERMINAL_INPUT};

/// System calls, and the arguments they are meant with; an empty list is any arguments.
type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// Puts both filters on all threads.
pub fn install() -> Result<(), Error> {
    let refuse = SeccompAction::Errno(libc::ENOSYS.cast_unsigned());
    let hostile = program(hostile()?, SeccompAction::Allow, SeccompAction::KillProcess)?;
    let needed = program(needed()?, refuse, SeccompAction::Allow)?;
    apply_filter_all_threads(&hostile)?;
    apply_filter_all_threads(&needed)
}

fn program(
    rules: Rules,
    otherwise: SeccompAction,
    matched: SeccompAction,
) -> Result<BpfProgram, Error> {
    let arch = TargetArch::try_from(std::env::consts::ARCH)?;
    Ok(SeccompFilter::new(rules, otherwise, matched, arch)?.try_into()?)
}

/// What kills.
fn hostile() -> Result<Rules, Error> {
    let mut rules = any_arguments(HOSTILE);
    let namespaces = NAMESPACES.iter().map(|flag| has(0, *flag));
    rules.insert(libc::SYS_clone, namespaces.collect::<Result<_, _>>()?);
    let terminal_input = TERMINAL_INPUT.iter().map(|request| is(1, *request));
    rules.insert(libc::SYS_ioctl, terminal_input.collect::<Result<_, _>>()?);
    Ok(rules)
}

/// What is allowed.
fn needed() -> Result<Rules, Error> {
    let mut rules = any_arguments(NEEDED);
    // Threads, not processes.
    rules.insert(libc::SYS_clone, vec![has(0, libc::CLONE_THREAD)?]);
    // Nothing that was written becomes code.
    for call in [libc::SYS_mmap, libc::SYS_mprotect] {
        rules.insert(call, vec![has_not(2, libc::PROT_EXEC)?]);
    }
    // Signals to itself, as abort(3) and raise(3) send them.
    for call in [libc::SYS_kill, libc::SYS_tgkill] {
        rules.insert(call, vec![is(0, std::process::id())?]);
    }
    let options = PRCTL.iter().map(|option| is(0, option.cast_unsigned()));
    rules.insert(libc::SYS_prctl, options.collect::<Result<_, _>>()?);
    Ok(rules)
}

fn any_arguments(calls: &[i64]) -> Rules {
    calls.iter().map(|call| (*call, Vec::new())).collect()
}

/// The argument is this number.
fn is(argument: u8, value: u32) -> Result<SeccompRule, Error> {
    condition(argument, SeccompCmpOp::Eq, value)
}

/// The argument has this flag.
fn has(argument: u8, flag: i32) -> Result<SeccompRule, Error> {
    let flag = flag.cast_unsigned();
    condition(argument, SeccompCmpOp::MaskedEq(flag.into()), flag)
}

/// The argument does not have this flag.
fn has_not(argument: u8, flag: i32) -> Result<SeccompRule, Error> {
    condition(
        argument,
        SeccompCmpOp::MaskedEq(flag.cast_unsigned().into()),
        0,
    )
}

/// The kernel looks at 32 bits of all these arguments, and so does the filter: what is in the
/// upper half cannot make one number pass for another.
fn condition(argument: u8, operator: SeccompCmpOp, value: u32) -> Result<SeccompRule, Error> {
    let condition =
        SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value.into())?;
    Ok(SeccompRule::new(vec![condition])?)
}
