//! Manual pages, made from the same definitions as `--help`.

use std::path::Path;

use clap::CommandFactory as _;
use clap_mangen::Man;

use super::console::Console;
use super::file::{Access, NewFiles};
use super::message::Failure;
use super::{Cli, Verdict};

/// Prints the page of the whole, or writes one for each command.
pub fn run(folder: Option<&Path>, console: &Console) -> Result<Verdict, Failure> {
    let command = Cli::command();
    let Some(folder) = folder else {
        console.data(&String::from_utf8_lossy(&page(command)?))?;
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

fn page(command: clap::Command) -> Result<Vec<u8>, Failure> {
    let mut page = Vec::new();
    Man::new(command).render(&mut page)?;
    Ok(page)
}
