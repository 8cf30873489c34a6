//! `kube-enroll qr`: a file that is no secret as QR codes, in the terminal or as SVG.

// These comments are the help texts, where backticks would be shown.
#![allow(clippy::doc_markdown)]

use std::path::Path;

use kube_enroll::inspect::demand_public;
use kube_enroll::qr::{CAPACITIES, Picture, parts};
use kube_enroll::shell::{Command, quoted};
use kube_enroll::text;
use kube_enroll::text::Text;

use super::console::Console;
use super::failure::Failure;
use super::from::file::{self, DEFAULT_LIMIT, Filename, Stream};
use super::os::sandbox::Reach;
use super::to::Destination;
use super::to::files::{self, Access, NewFiles};
use super::{Action, Verdict};

/// Codes are no smaller than of this version, however small the window is.
const SMALLEST: usize = 5;
/// Lines of a window that are left to words and to the cursor.
const LINES_OF_WORDS: usize = 2;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kube-enroll qr alice.csr.yaml
  kube-enroll qr alice.reply.yaml -o svg --out alice.svg
  kube-enroll verify scanned.txt --user alice -g developers

What is read from the codes, in any order and one behind the other, is taken in place of the file by \
every command that reads one. A phone copies it; a scanner that types can type it into a file.")]
#[command(mut_arg("output_dir", |arg| arg.help(
    "Write each code to a file of its own in this folder"
)))]
pub struct Args {
    /// What to show: a request, a manifest, a certificate, a reply or the address of a cluster; - is
    /// standard input
    #[arg(
        value_name = "FILE",
        required_unless_present = "filename",
        conflicts_with = "filename"
    )]
    pub file: Option<Stream>,
    #[command(flatten)]
    pub filename: Filename,
    /// The format of the codes
    #[arg(short, long, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: Format,
    #[command(flatten)]
    pub to: Destination,
    /// So many codes or more, up to 99: smaller ones are read more easily
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=99), hide_default_value = true)]
    pub parts: u8,
    /// For what writes dark on light and has no colours
    #[arg(long)]
    pub invert: bool,
}

/// How codes are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// Halves of blocks, for terminals
    #[default]
    Text,
    /// A picture, for paper and web pages
    Svg,
}

/// A code, and which of how many it is where there are several.
type Numbered = (Picture, Option<[usize; 2]>);

impl Action for Args {
    fn reach(&self) -> Reach {
        Reach::default()
            .read([self.input()])
            .write_to(&self.to)
            .with_work(1, DEFAULT_LIMIT)
    }

    /// Shows the file, if anybody may see it.
    fn run(&self, console: &Console) -> Result<Verdict, Failure> {
        let input = self.input();
        let contents = file::read(input, DEFAULT_LIMIT)?;
        demand_public(&contents).map_err(|why| {
            Failure::could_not_run(text!("{} is not shown: {}", input, why)).say(
                "a QR code is for everybody who sees it: show a request, a manifest, a certificate, \
                 a public key, a reply or the address of a cluster",
            )
        })?;
        let pictures = self.pictures(&contents, console)?;
        match &self.to.output_dir {
            Some(folder) => self.write_each(&pictures, folder, console)?,
            None if self.output == Format::Svg => {
                files::put(&self.to.out, &Picture::svg(&pictures), console)?;
            }
            None if self.to.out == Stream::Stdio => self.show(&pictures, console)?,
            None => {
                let texts = pictures.iter().map(|(picture, _)| self.text(picture));
                let text = texts.collect::<Vec<_>>().join("\n");
                files::put(&self.to.out, &text, console)?;
            }
        }
        let (these, them) = match pictures.len() {
            1 => ("this code".into(), "it"),
            number => (text!("these {} codes", number), "them, in any order,"),
        };
        console.note(text!(
            "{} is in {}; every command takes what is read from {} in place of the file",
            input,
            these,
            them
        ));
        Ok(Verdict::Good)
    }
}

impl Args {
    fn input(&self) -> &Stream {
        self.file.as_ref().unwrap_or(&Stream::Stdio)
    }

    /// The codes, each no larger than what it is for has room for.
    fn pictures(&self, contents: &[u8], console: &Console) -> Result<Vec<Numbered>, Failure> {
        let window = match (&self.to.out, &self.to.output_dir, self.output) {
            (Stream::Stdio, None, Format::Text) => console.window(),
            _ => None,
        };
        let fits = |version: &usize| {
            window.is_none_or(|(columns, lines)| {
                let (width, height) = Picture::size_in_terminal(*version);
                width <= columns && height + LINES_OF_WORDS <= lines
            })
        };
        let version = (SMALLEST..=CAPACITIES.len()).rev().find(fits);
        let version = version.unwrap_or(SMALLEST);
        let longest = CAPACITIES.get(version - 1).copied().unwrap_or_default();
        let Some(number) = parts::count(contents.len(), longest) else {
            return Err(self.too_large(contents.len(), version));
        };
        let parts = parts::split(contents, number.max(self.parts.into()));
        let total = parts.len();
        let picture = |(part, number): (&zeroize::Zeroizing<String>, usize)| {
            let number = (total > 1).then_some([number, total]);
            Some((Picture::new(part)?, number))
        };
        let pictures: Option<Vec<Numbered>> = parts.iter().zip(1..).map(picture).collect();
        pictures.ok_or_else(|| self.too_large(contents.len(), version))
    }

    fn too_large(&self, size: usize, version: usize) -> Failure {
        let failure = Failure::could_not_run(text!(
            "{} has {} bytes, too many for {} codes{}",
            self.input(),
            size,
            parts::MOST,
            if version < CAPACITIES.len() {
                " of the size of this window"
            } else {
                ""
            }
        ));
        if version < CAPACITIES.len() {
            let svg = Command::ours("qr").operand(self.input().typed());
            return failure
                .say("make the window larger or its letters smaller, or write a picture:")
                .run(svg.option("-o", "svg").option("--out", "codes.svg"));
        }
        failure.say("carry it as a file")
    }

    fn text(&self, picture: &Picture) -> String {
        picture.half_blocks(
            self.to.out == Stream::Stdio && self.to.output_dir.is_none(),
            self.invert,
        )
    }

    /// One code after the other; on a terminal, where only one is seen at once, when the person has
    /// read it.
    fn show(&self, pictures: &[Numbered], console: &Console) -> Result<(), Failure> {
        let waits = console.window().is_some()
            && console.can_ask()
            && !console.is_quiet()
            && self.input() != &Stream::Stdio;
        for (picture, number) in pictures {
            console.data(&self.text(picture))?;
            let Some([number, total]) = number else {
                continue;
            };
            let name = text!("part {} of {}", *number, *total);
            if number == total {
                console.note(name);
                if console.window().is_some() {
                    console.note("a larger window, or smaller letters, takes fewer codes");
                }
            } else if waits {
                console.wait(name)?;
            } else {
                console.note(name);
                console.data("\n")?;
            }
        }
        Ok(())
    }

    fn write_each(
        &self,
        pictures: &[Numbered],
        folder: &Path,
        console: &Console,
    ) -> Result<(), Failure> {
        let name = self.input().path().and_then(Path::file_name);
        let name = name.map_or("qr".into(), |name| name.to_string_lossy());
        let mut files = NewFiles::new(console);
        let mut written: Vec<Text> = Vec::new();
        for (picture, number) in pictures {
            let number = number.map_or(String::new(), |[number, total]| {
                format!("-{number}-of-{total}")
            });
            let (text, extension) = match self.output {
                Format::Svg => (Picture::svg(&[(picture.clone(), None)]), "svg"),
                Format::Text => (self.text(picture), "txt"),
            };
            let path = folder.join(format!("{name}{number}.{extension}"));
            // The same command twice.
            if !files::holds(&path, &text) {
                files.create(&path, text.as_bytes(), Access::Everyone)?;
            }
            written.push(text!("  {}\n", quoted(&path)));
        }
        files.keep()?;
        console.say(Text::join(written, ""))
    }
}
