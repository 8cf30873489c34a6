//! One report over any number of files: read and judged on all cores, shown in their order, and
//! forgotten once it was shown.

// These comments are the help texts, where backticks would be shown.
#![allow(clippy::doc_markdown)]

use anstream::adapter::strip_str;
use kube_enroll::inspect::{Context, KeysSeen, Object, Style, find_shared_factors, inspect};
use kube_enroll::parallel;
use kube_enroll::policy::Level;
use kube_enroll::text;
use kube_enroll::text::{Label, Show as _, Text};

use super::Verdict;
use super::args::size;
use super::console::{Console, report_failure};
use super::failure::Failure;
use super::from::file::{self, DEFAULT_LIMIT, Stream};
use super::os::privacy;
use super::to::files;

/// Files that are read and judged before their part of the report is written.
const BATCH: usize = 256;
/// RSA keys that are compared with each other unless all are asked for: a quarter of a second.
const COMPARED: usize = 256;
/// What the files that are held to be compared may have in all, in bytes.
const HELD: usize = 1 << 21;
/// Names of files that are listed again in the end.
const LISTED: usize = 20;

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
    /// For programs, as YAML
    Yaml,
}

/// What inspect and verify share.
#[derive(Debug, clap::Args)]
pub struct ReportArgs {
    /// The format of the report
    #[arg(short, long, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: Format,
    /// Read files up to this many bytes
    #[arg(long, value_name = "BYTES", default_value_t = DEFAULT_LIMIT, value_parser = size)]
    pub max_size: u64,
    /// Look for prime factors that RSA keys share among any number of keys; takes about a
    /// millisecond a key, and more than 256 are not compared otherwise
    #[arg(long)]
    pub compare_keys: bool,
    /// Write the report to this file instead of standard output
    #[arg(long, value_name = "FILE", default_value = "-")]
    pub out: Stream,
}

/// A report while it is being written.
pub struct Report<'a> {
    args: &'a ReportArgs,
    console: &'a Console,
    style: Style,
    /// Whether each object is called good or not.
    verdicts: bool,
    keys: KeysSeen,
    /// Objects that wait for others to be compared with, until they are too many.
    held: Option<Held>,
    tally: Tally,
    /// What goes to a file, which appears whole.
    text: String,
}

#[derive(Default)]
struct Held {
    objects: Vec<Object>,
    /// What their files measure, in bytes.
    size: usize,
    rsa_keys: usize,
}

/// How the files were.
#[derive(Default)]
pub struct Tally {
    shown: usize,
    /// Whether anything of the report was written.
    is_begun: bool,
    not_compared: usize,
    unread: usize,
    unreadable: usize,
    bad: Vec<Text>,
    bad_count: usize,
}

/// The objects of a file, and what it measures.
type Part = Result<(Vec<Object>, usize), Failure>;

impl<'a> Report<'a> {
    /// A report that has yet to begin.
    pub fn new(args: &'a ReportArgs, console: &'a Console, verdicts: bool) -> Self {
        let style = match args.output {
            Format::Text => Style::Text(console.look()),
            Format::Json => Style::Json,
            Format::Yaml => Style::Yaml,
        };
        Self {
            args,
            console,
            style,
            verdicts: verdicts && args.output == Format::Text,
            keys: KeysSeen::default(),
            held: Some(Held::default()),
            tally: Tally::default(),
            text: String::new(),
        }
    }

    /// Reports on all files, after `judge` had its say on each object. Files that cannot be read
    /// are reported at once, so that one of a thousand does not hide the rest.
    pub fn run(
        mut self,
        files: &[Stream],
        context: &Context<'_>,
        judge: impl Fn(&mut Object) + Sync,
    ) -> Result<Tally, Failure> {
        let read = |input: &Stream| -> Part {
            let contents = file::read(input, self.args.max_size)?;
            let mut objects = inspect(&input.source(), &contents, context);
            if objects.iter().any(Object::is_private_key) {
                let warn = |path| privacy::warn_exposed(path, self.console);
                input.path().inspect(|path| warn(path));
            }
            objects.iter_mut().for_each(&judge);
            Ok((objects, contents.len()))
        };
        for batch in files.chunks(BATCH) {
            self.collect(parallel::map(batch, read))?;
        }
        self.finish()
    }

    fn collect(&mut self, parts: Vec<Part>) -> Result<(), Failure> {
        let mut objects = Vec::new();
        let mut size = 0;
        for part in parts {
            match part {
                Ok((more, measure)) => {
                    objects.extend(more);
                    size += measure;
                }
                Err(failure) => {
                    report_failure(&failure);
                    self.tally.unread += 1;
                }
            }
        }
        for object in &mut objects {
            self.keys.look_at(object);
        }
        let Some(held) = &mut self.held else {
            return self.emit_uncompared(&objects);
        };
        held.add(objects, size);
        if self.args.compare_keys || held.rsa_keys <= COMPARED && held.size <= HELD {
            return Ok(());
        }
        let held = self.held.take().unwrap_or_default();
        self.emit_uncompared(&held.objects)
    }

    fn emit_uncompared(&mut self, objects: &[Object]) -> Result<(), Failure> {
        self.tally.not_compared += count_rsa_keys(objects);
        self.emit(objects)
    }

    fn emit(&mut self, objects: &[Object]) -> Result<(), Failure> {
        let (style, verdicts) = (self.style, self.verdicts);
        let quiet = verdicts && self.console.is_quiet();
        let wanted: Vec<&Object> = objects
            .iter()
            .filter(|object| !quiet || is_remarkable(object))
            .collect();
        let texts = parallel::map(&wanted, |object| {
            let mut text = style.object(object);
            if verdicts {
                text.push_str(verdict(object).as_str());
            }
            text
        });
        for object in objects {
            self.tally.add(object);
        }
        if texts.is_empty() {
            return Ok(());
        }
        let before = if self.tally.is_begun {
            style.between().to_owned()
        } else {
            style.head(false)
        };
        self.tally.is_begun = true;
        self.write(&(before + &texts.join(style.between())))
    }

    fn write(&mut self, text: &str) -> Result<(), Failure> {
        if self.args.out == Stream::Stdio {
            return self.console.data(text);
        }
        self.text.push_str(&strip_str(text).to_string());
        Ok(())
    }

    fn finish(mut self) -> Result<Tally, Failure> {
        if let Some(mut held) = self.held.take() {
            find_shared_factors(&mut held.objects);
            self.emit(&held.objects)?;
        }
        let empty = !self.tally.is_begun;
        if empty {
            self.write(&self.style.head(true))?;
        }
        self.write(self.style.tail(empty))?;
        if self.args.out != Stream::Stdio {
            files::put(&self.args.out, &self.text, self.console)?;
        }
        if self.tally.not_compared > 0 {
            self.console.warn(text!(
                "whether {} RSA keys share factors was not looked at; --compare-keys does",
                self.tally.not_compared
            ));
        }
        if self.verdicts && self.tally.shown > 1 {
            let summary = self.tally.summary();
            if self.tally.bad_count > 0 {
                self.console.data(summary.as_str())?;
            } else {
                self.console.say(summary)?;
            }
        }
        Ok(self.tally)
    }
}

impl Held {
    fn add(&mut self, mut objects: Vec<Object>, size: usize) {
        self.rsa_keys += count_rsa_keys(&objects);
        self.size += size;
        self.objects.append(&mut objects);
    }
}

fn count_rsa_keys(objects: &[Object]) -> usize {
    objects.iter().filter(|object| object.has_rsa_key()).count()
}

/// Whether there is anything to say about it besides that it is good.
fn is_remarkable(object: &Object) -> bool {
    let mut findings = object.findings.iter();
    findings.any(|finding| finding.level != Level::Note)
}

fn verdict(object: &Object) -> Text {
    let verdict = if object.has_errors() {
        "NOT GOOD"
    } else {
        "good"
    };
    text!("\n{}: {}\n", title(object), verdict)
}

/// The name in an object is escaped already.
fn title(object: &Object) -> Text {
    let source = Label::from(object.source.as_str());
    match &object.name {
        Some(name) => text!("{}: {}", source, Label::from(name.as_str())),
        None => source.show(),
    }
}

impl Tally {
    fn add(&mut self, object: &Object) {
        self.shown += 1;
        self.unreadable += usize::from(object.kind.is_none());
        if object.has_errors() {
            self.bad_count += 1;
            if self.bad.len() < LISTED {
                self.bad.push(title(object));
            }
        }
    }

    /// Whether each file could be opened, and everything in it understood.
    pub fn of_reading(&self) -> Verdict {
        match (self.unread, self.unreadable) {
            (0, 0) => Verdict::Good,
            (0, _) => Verdict::NotGood,
            _ => Verdict::CouldNotRun,
        }
    }

    /// Whether each file could be opened and nothing was wrong with it.
    pub fn of_judging(&self) -> Verdict {
        match (self.unread, self.bad_count) {
            (0, 0) => Verdict::Good,
            (0, _) => Verdict::NotGood,
            _ => Verdict::CouldNotRun,
        }
    }

    fn summary(&self) -> Text {
        let good = self.shown - self.bad_count;
        let bad = self.bad.iter().map(|title| text!("  {}\n", title));
        let more = if self.bad_count > self.bad.len() {
            "  ...\n"
        } else {
            ""
        };
        text!(
            "\n{} good, {} NOT GOOD\n{}{}",
            good,
            self.bad_count,
            Text::join(bad, ""),
            more
        )
    }
}
