//! `kube-enroll version`, and with `-v` what the process forbids itself on this machine.

use kube_enroll::shell;
use kube_enroll::text;

use super::console::Console;
use super::failure::Failure;
use super::os::sandbox::{Reach, Restriction};
use super::{Action, Verdict};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kube-enroll version -v")]
pub struct Args {
    /// Print what this process forbids itself here
    #[arg(short, long)]
    pub verbose: bool,
}

impl Args {
    /// One line, and when verbose one for each restriction.
    pub fn show(
        &self,
        restrictions: &[Restriction],
        console: &Console,
    ) -> Result<Verdict, Failure> {
        self.run(console)?;
        let shown = if self.verbose { restrictions } else { &[] };
        for Restriction { name, state } in shown {
            console.data(text!("  {}: {}\n", *name, state).as_str())?;
        }
        Ok(Verdict::Good)
    }
}

impl Action for Args {
    fn reach(&self) -> Reach {
        Reach::default()
    }

    fn run(&self, console: &Console) -> Result<Verdict, Failure> {
        let name = shell::our_name();
        console.data(text!("{} {}\n", name, env!("CARGO_PKG_VERSION")).as_str())?;
        Ok(Verdict::Good)
    }
}
