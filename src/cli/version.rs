//! `kube-enroll --version`, and with `-v` what the process forbids itself on this machine.

use super::Verdict;
use super::console::Console;
use super::message::Failure;
use super::sandbox::Restriction;

/// One line, and when `verbose` one for each restriction.
pub fn run(
    verbose: bool,
    restrictions: &[Restriction],
    console: &Console,
) -> Result<Verdict, Failure> {
    console.data(&format!("kube-enroll {}\n", env!("CARGO_PKG_VERSION")))?;
    let shown = if verbose { restrictions } else { &[] };
    for Restriction { name, state } in shown {
        console.data(&format!("  {name}: {state}\n"))?;
    }
    Ok(Verdict::Good)
}
