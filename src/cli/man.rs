//! `kube-enroll man`: manual pages, made from the same definitions as `--help`.

use std::path::PathBuf;

use clap_mangen::Man;

use super::args;
use super::console::Console;
use super::failure::Failure;
use super::from::file::Stream;
use super::os::sandbox::Reach;
use super::to::files::{self, Access, NewFiles};
use super::{Action, Verdict};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Write the page of the whole to this file instead of standard output
    #[arg(
        long,
        value_name = "FILE",
        default_value = "-",
        conflicts_with = "output_dir"
    )]
    pub out: Stream,
    /// Write one page for each command into this folder
    #[arg(long, value_name = "DIR")]
    pub output_dir: Option<PathBuf>,
}

impl Action for Args {
    fn reach(&self) -> Reach {
        Reach::default()
            .write([&self.out])
            .write_in(self.output_dir.as_deref())
    }

    fn run(&self, console: &Console) -> Result<Verdict, Failure> {
        let command = args::command();
        let Some(folder) = &self.output_dir else {
            files::put(
                &self.out,
                &String::from_utf8_lossy(&page(command)?),
                console,
            )?;
            return Ok(Verdict::Good);
        };
        let mut files = NewFiles::new(console);
        files.create_folder(folder)?;
        let whole = folder.join("kube-enroll.1");
        files.create(&whole, &page(command.clone())?, Access::Everyone)?;
        for sub in command.get_subcommands() {
            let name = format!("kube-enroll-{}", sub.get_name());
            let path = folder.join(format!("{name}.1"));
            files.create(&path, &page(sub.clone().name(name))?, Access::Everyone)?;
        }
        files.keep()?;
        Ok(Verdict::Good)
    }
}

fn page(command: clap::Command) -> Result<Vec<u8>, Failure> {
    let mut page = Vec::new();
    Man::new(command)
        .render(&mut page)
        .map_err(|error| Failure::io("make", "a manual page", &error))?;
    Ok(page)
}
