//! `kube-enroll completions`: a script that completes commands and options in a shell.

// These comments are the help texts, where backticks would be shown.
#![allow(clippy::doc_markdown)]

use clap::ValueEnum;
use clap_complete::Shell as Static;
use kube_enroll::shell;

use super::args;
use super::console::Console;
use super::failure::Failure;
use super::from::file::Stream;
use super::os::sandbox::Reach;
use super::to::files;
use super::{Action, Verdict};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kube-enroll completions bash --out ~/.local/share/bash-completion/completions/kube-enroll
  kube-enroll completions fish --out ~/.config/fish/completions/kube-enroll.fish
  kube-enroll completions kubectl --out ~/.local/bin/kubectl_complete-enroll

For zsh it is the file _kube-enroll in a folder of $fpath. In bash, zsh and fish it can also be read for \
this session alone, in bash and zsh by: source <(kube-enroll completions bash). The scripts ask \
kube-enroll, on the PATH, for what may stand next: contexts come from the kubeconfig that is named, else \
from the one in use. Those of elvish and PowerShell know commands and options alone. The script for \
kubectl has to be made executable (chmod +x), and completes kubectl enroll.")]
pub struct Args {
    /// The shell to complete for, or kubectl for the plugin
    pub shell: Shell,
    /// Write to this file instead of standard output
    #[arg(long, value_name = "FILE", default_value = "-")]
    pub out: Stream,
}

/// What asks for completion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    Bash,
    Elvish,
    Fish,
    Kubectl,
    Powershell,
    Zsh,
}

impl Shell {
    fn script(self) -> String {
        match self {
            Self::Bash => named(include_str!("completions/kube-enroll.bash")),
            Self::Zsh => named(include_str!("completions/kube-enroll.zsh")),
            Self::Fish => named(include_str!("completions/kube-enroll.fish")),
            Self::Kubectl => include_str!("completions/kubectl_complete-enroll").to_owned(),
            Self::Elvish => generated(Static::Elvish),
            Self::Powershell => generated(Static::PowerShell),
        }
    }
}

/// The script for the name by which this program was called.
fn named(script: &str) -> String {
    if shell::is_plugin() {
        let script = script.replace("kube-enroll", "kubectl-enroll");
        script.replace("kube_enroll", "kubectl_enroll")
    } else {
        script.to_owned()
    }
}

/// A script that knows commands and options, and asks nobody.
fn generated(shell: Static) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut args::command(), "kube-enroll", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

impl Action for Args {
    fn reach(&self) -> Reach {
        Reach::default().write([&self.out])
    }

    fn run(&self, console: &Console) -> Result<Verdict, Failure> {
        files::put(&self.out, &self.shell.script(), console)?;
        Ok(Verdict::Good)
    }
}
