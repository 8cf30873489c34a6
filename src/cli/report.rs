//! One report over any number of files: read and judged on all cores, told in their order, and
//! forgotten once it was told.

use kube_enroll::inspect::{Context, KeysSeen, Object, Style, find_shared_factors, inspect};
use kube_enroll::parallel;
use kube_enroll::text::visible;

use super::args::{Format, ReportArgs};
use super::console::{Console, report_failure};
use super::input::Input;
use super::message::Failure;
use super::{Verdict, file};

/// Files that are read and judged before their part of the report is written.
const BATCH: usize = 256;
/// RSA keys that are compared with each other unless all are asked for: a quarter of a second.
const COMPARED: usize = 256;
/// What the files that are held to be compared may have in all, in bytes.
const HELD: usize = 1 << 21;
/// Names of files that are listed again in the end.
const LISTED: usize = 20;

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
    not_compared: usize,
    unread: usize,
    unreadable: usize,
    bad: Vec<String>,
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
        }
    }

    /// Reports on all files, after `judge` had its say on each object. Files that cannot be read
    /// are told of at once, so that one of a thousand does not hide the rest.
    pub fn run(
        mut self,
        files: &[Input],
        context: &Context<'_>,
        judge: impl Fn(&mut Object) + Sync,
    ) -> Result<Tally, Failure> {
        let read = |input: &Input| -> Part {
            let contents = file::read(input, self.args.max_size)?;
            let mut objects = inspect(&input.to_string(), &contents, context);
            if objects.iter().any(Object::is_private_key) {
                let warn = |path| file::warn_exposed(path, self.console);
                input.path().inspect(|path| warn(path));
            }
            objects.iter_mut().for_each(&judge);
            Ok((objects, contents.len()))
        };
        for batch in files.chunks(BATCH) {
            self.take(parallel::map(batch, read))?;
        }
        self.finish()
    }

    fn take(&mut self, parts: Vec<Part>) -> Result<(), Failure> {
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
            return self.tell_uncompared(&objects);
        };
        held.add(objects, size);
        if self.args.compare_keys || held.rsa_keys <= COMPARED && held.size <= HELD {
            return Ok(());
        }
        let held = self.held.take().unwrap_or_default();
        self.tell_uncompared(&held.objects)
    }

    fn tell_uncompared(&mut self, objects: &[Object]) -> Result<(), Failure> {
        self.tally.not_compared += count_rsa_keys(objects);
        self.tell(objects)
    }

    fn tell(&mut self, objects: &[Object]) -> Result<(), Failure> {
        let (style, verdicts) = (self.style, self.verdicts && !self.console.is_quiet());
        let texts = parallel::map(objects, |object| {
            let mut text = style.object(object);
            if verdicts {
                text.push_str(&verdict(object));
            }
            text
        });
        if texts.is_empty() {
            return Ok(());
        }
        let before = match self.tally.shown {
            0 => style.head(false),
            _ => style.between().to_owned(),
        };
        self.console
            .data(&(before + &texts.join(style.between())))?;
        for object in objects {
            self.tally.add(object);
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Tally, Failure> {
        if let Some(mut held) = self.held.take() {
            find_shared_factors(&mut held.objects);
            self.tell(&held.objects)?;
        }
        let empty = self.tally.shown == 0;
        if empty {
            self.console.data(&self.style.head(true))?;
        }
        self.console.data(self.style.tail(empty))?;
        if self.tally.not_compared > 0 {
            self.console.warn(format_args!(
                "whether {} RSA keys share factors was not looked at; --compare-keys does",
                self.tally.not_compared
            ));
        }
        if self.verdicts && self.tally.shown > 1 {
            self.console.say(&self.tally.summary())?;
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

fn verdict(object: &Object) -> String {
    let verdict = if object.has_errors() {
        "NOT GOOD"
    } else {
        "good"
    };
    format!("\n{}: {verdict}\n", title(object))
}

fn title(object: &Object) -> String {
    let source = visible(&object.source);
    match &object.name {
        Some(name) => format!("{source}: {name}"),
        None => source.to_string(),
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

    fn summary(&self) -> String {
        let mut text = format!(
            "\n{} good, {} NOT GOOD\n",
            self.shown - self.bad_count,
            self.bad_count
        );
        for title in &self.bad {
            text.extend(["  ", title, "\n"]);
        }
        if self.bad_count > self.bad.len() {
            text.push_str("  ...\n");
        }
        text
    }
}
