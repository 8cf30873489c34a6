//! `kube-enroll lock`: forgets the keys that were kept unlocked.

// These comments are the help texts, where backticks would be shown.
#![allow(clippy::doc_markdown)]

use kube_enroll::text;
use kube_enroll::text::count;

use super::console::Console;
use super::failure::Failure;
use super::os::kernel_keyring;
use super::os::sandbox::Reach;
use super::{Action, Verdict};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kube-enroll lock

In every login session of yours that the system shows: containers hide /proc/keys, and then in this \
session alone.")]
pub struct Args {}

impl Action for Args {
    fn reach(&self) -> Reach {
        Reach::default().all_keyrings()
    }

    fn run(&self, console: &Console) -> Result<Verdict, Failure> {
        let forgotten = kernel_keyring::forget()?;
        let keys = count(forgotten, "unlocked key", "unlocked keys");
        console.say(text!("{} forgotten\n", keys))?;
        Ok(Verdict::Good)
    }
}
