//! `kube-enroll completions`: a script that completes commands and options in a shell.

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::args::Cli;
use super::console::Console;
use super::failure::Failure;
use super::from::file::Stream;
use super::os::sandbox::Reach;
use super::to::files;
use super::{Action, Verdict};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The shell to complete for
    pub shell: Shell,
    /// Write to this file instead of standard output
    #[arg(long, value_name = "FILE", default_value = "-")]
    pub out: Stream,
}

impl Action for Args {
    fn reach(&self) -> Reach {
        Reach::default().write([&self.out])
    }

    fn run(&self, console: &Console) -> Result<Verdict, Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "kube-enroll", &mut script);
        files::put(&self.out, &String::from_utf8_lossy(&script), console)?;
        Ok(Verdict::Good)
    }
}
