//! One report over any number of files: read and judged on all cores, shown in their order, and
//! forgotten once it was shown.

// These comments are the help texts, where backticks would be shown.
#![allow(clippy::doc_markdown)]

use std::collections::{BTreeMap, HashMap, HashSet};

use anstream::adapter::strip_str;
use kube_enroll::inspect::{
    Claims, Context, KeysSeen, Object, Style, find_shared_factors, inspect, is_empty_list,
    leave_out_doubles, refuse_same_names,
};
use kube_enroll::parallel;
use kube_enroll::policy::{Finding, Level};
use kube_enroll::roster::Roster;
use kube_enroll::text;
use kube_enroll::text::{Label, Show as _, Text, count};
use kube_enroll::verdict::Checked;
use serde_json::{Map, Value};

use super::Verdict;
use super::args::size;
use super::console::{Console, report_failure};
use super::failure::Failure;
use super::from::credentials;
use super::from::file::{self, DEFAULT_LIMIT, Limit, Stream};
use super::os::privacy;
use super::to::files;

mod people;

use people::{NotCompared, People};

/// Files that are read and judged before their part of the report is written.
const BATCH: usize = 256;
/// RSA keys that are compared with each other unless all are asked for: a quarter of a second.
const COMPARED: usize = 256;
/// What the files that are held to be compared may have in all, in bytes.
const HELD: usize = 1 << 21;
/// How kubectl calls the resource.
const REQUESTS: &str = "certificatesigningrequest.certificates.k8s.io";
/// A list with nothing in it has no more bytes.
const SMALL: usize = 1 << 12;
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

/// What is written of requests that were judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum JudgedFormat {
    /// For people: everything about each
    Text,
    /// For people: a line for each, problems first
    Table,
    /// The names of the good ones, for kubectl certificate approve; the report goes to standard error
    Name,
    /// The manifests of the good ones, written anew from what was checked, for kubectl create -f -;
    /// the report goes to standard error
    Manifest,
    /// For programs
    Json,
    /// For programs, as YAML
    Yaml,
}

/// What inspect and verify share.
#[derive(Debug, clap::Args)]
pub struct ReportArgs {
    /// Read files up to this many bytes (64 MiB with --roster)
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
    judged: Judged,
    only_errors: bool,
    /// What is written in the end of those that are good.
    made: Vec<String>,
    rows: Vec<Row>,
    keys: KeysSeen,
    claims: Claims,
    not_compared: NotCompared,
    people: Option<People<'a>>,
    /// Objects that wait for others to be compared with, until they are too many.
    held: Option<Held>,
    tally: Tally,
    /// What goes to a file, which appears whole.
    text: String,
    passed_over: PassedOver,
}

/// What lies in folders and is not looked at.
#[derive(Debug, Clone, Copy, Default)]
pub struct PassedOver {
    pub keys: usize,
    /// Of other files, which are judged by themselves.
    pub signatures: usize,
    pub folders: usize,
    pub hidden: usize,
    /// What editors, downloads and file managers leave, and the roster itself.
    pub leftovers: usize,
    /// Pipes, sockets and devices, and links that lead nowhere.
    pub others: usize,
}

impl PassedOver {
    fn counts(self) -> [(&'static str, usize); 6] {
        [
            ("privateKeys", self.keys),
            ("signatures", self.signatures),
            ("folders", self.folders),
            ("hiddenFiles", self.hidden),
            ("leftovers", self.leftovers),
            ("others", self.others),
        ]
    }

    /// Nothing, where there is nothing.
    fn words(self) -> Option<Text> {
        let all = [
            (self.keys, "private key", "private keys"),
            (self.signatures, "signature", "signatures"),
            (self.folders, "folder", "folders"),
            (self.hidden, "hidden file", "hidden files"),
            (
                self.leftovers,
                "file of an editor, a download, a file manager or the roster",
                "files of editors, downloads, file managers or the roster",
            ),
            (
                self.others,
                "other thing that is no file",
                "other things that are no files",
            ),
        ];
        let all = all.into_iter().filter(|(number, _, _)| *number > 0);
        let all: Vec<Text> = all
            .map(|(number, one, many)| count(number, one, many))
            .collect();
        (!all.is_empty()).then(|| text!("passed over {}", Text::join(all, ", ")))
    }
}

/// Whether objects are judged, and what is written of them then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Judged {
    No,
    /// How many there are decides.
    Open,
    As(JudgedFormat),
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
    unread: Vec<String>,
    bad: Vec<Text>,
    bad_count: usize,
}

/// What was read of a file.
struct Part {
    objects: Vec<Object>,
    /// In bytes.
    size: usize,
    is_stdin: bool,
}

impl<'a> Report<'a> {
    /// A report that has yet to begin.
    pub fn new(args: &'a ReportArgs, format: Format, console: &'a Console) -> Self {
        let style = match format {
            Format::Text => Style::Text(console.look()),
            Format::Json => Style::Json,
            Format::Yaml => Style::Yaml,
        };
        Self {
            args,
            console,
            style,
            judged: Judged::No,
            only_errors: false,
            made: Vec::new(),
            rows: Vec::new(),
            people: None,
            keys: KeysSeen::default(),
            claims: Claims::default(),
            not_compared: NotCompared::default(),
            held: Some(Held::default()),
            tally: Tally::default(),
            text: String::new(),
            passed_over: PassedOver::default(),
        }
    }

    /// Besides the files that it is about.
    pub fn besides(mut self, passed_over: PassedOver) -> Self {
        self.passed_over = passed_over;
        self
    }

    /// A report with verdicts.
    pub fn of_verdicts(
        args: &'a ReportArgs,
        format: Option<JudgedFormat>,
        console: &'a Console,
    ) -> Self {
        let style = match format {
            Some(JudgedFormat::Json) => Format::Json,
            Some(JudgedFormat::Yaml) => Format::Yaml,
            _ => Format::Text,
        };
        Self {
            judged: format.map_or(Judged::Open, Judged::As),
            ..Self::new(args, style, console)
        }
    }

    /// The requests are those of these people.
    pub fn of_people(mut self, roster: &'a Roster) -> Self {
        self.people = Some(People::new(roster));
        if self.judged == Judged::Open {
            self.judged = Judged::As(JudgedFormat::Table);
        }
        self
    }

    /// What is in error alone is shown.
    pub fn aside(mut self) -> Self {
        self.only_errors = true;
        self
    }

    /// Reports on all files, each of at most so many bytes, after `judge` had its say on each object.
    /// Files that cannot be read are reported at once, so that one of a thousand does not hide the rest.
    pub fn run(
        mut self,
        files: &[(Stream, u64)],
        context: &Context<'_>,
        judge: impl Fn(&mut Object) + Sync,
    ) -> Result<(Tally, Option<Object>), Failure> {
        let is_judged = self.judged != Judged::No;
        let is_of_people = self.people.is_some();
        let read = |(input, limit): &(Stream, u64)| -> Result<Part, Failure> {
            let mut contents = file::read(input, Limit::of_option(*limit))?;
            let is_stdin = *input == Stream::Stdio;
            let size = contents.len();
            // In a cluster where nobody asked for anything there is nothing wrong.
            let may_be_empty = is_stdin && is_of_people && size < SMALL;
            let is_empty = may_be_empty && is_empty_list(&contents);
            let mut objects = inspect(&input.source(), std::mem::take(&mut *contents), context);
            if is_empty {
                self.console
                    .note("standard input: there are no requests in the cluster");
                objects.clear();
            }
            if objects.iter().any(Object::is_private_key) {
                let warn = |path| privacy::warn_exposed(path, self.console);
                input.path().inspect(|path| warn(path));
            }
            if !is_judged {
                credentials::look_up(&mut objects, input, context.now);
            }
            parallel::change(&mut objects, &judge);
            Ok(Part {
                objects,
                size,
                is_stdin,
            })
        };
        for batch in files.chunks(BATCH) {
            let names = batch.iter().map(|(input, _)| input.source());
            self.collect(names.zip(parallel::map(batch, read)))?;
        }
        self.finish()
    }

    fn collect(
        &mut self,
        parts: impl Iterator<Item = (String, Result<Part, Failure>)>,
    ) -> Result<(), Failure> {
        let mut objects = Vec::new();
        let mut size = 0;
        for (name, part) in parts {
            match part {
                Ok(mut part) => {
                    if self.judged != Judged::No {
                        let objects = part.objects.iter();
                        objects.for_each(|object| self.claims.add(object, part.is_stdin));
                    }
                    match &mut self.people {
                        Some(people) => {
                            let admit = |object: &mut _| people.admit(object, part.is_stdin);
                            part.objects.retain_mut(admit);
                        }
                        None => {
                            let objects = part.objects.iter_mut();
                            objects.for_each(|object| self.keys.look_at(object));
                        }
                    }
                    append(&mut objects, part.objects);
                    size += part.size;
                }
                Err(failure) => {
                    report_failure(&failure);
                    self.tally.unread.push(name);
                }
            }
        }
        let Some(held) = &mut self.held else {
            return self.emit_uncompared(&mut objects);
        };
        held.add(objects, size);
        let is_little = held.rsa_keys <= COMPARED && held.size <= HELD;
        // Who asks twice, and for which name, is known when all were read.
        if is_little || self.args.compare_keys || self.judged != Judged::No {
            return Ok(());
        }
        let mut held = self.held.take().unwrap_or_default();
        self.emit_uncompared(&mut held.objects)
    }

    fn emit_uncompared(&mut self, objects: &mut [Object]) -> Result<(), Failure> {
        self.tally.not_compared += count_rsa_keys(objects);
        self.emit(objects)
    }

    fn emit(&mut self, objects: &mut [Object]) -> Result<(), Failure> {
        if self.judged != Judged::No {
            objects.iter_mut().for_each(Object::seal);
            let judged = objects.iter();
            judged.for_each(|object| self.not_compared.count(object));
            if let Some(people) = &mut self.people {
                for object in &*objects {
                    people.count(object);
                }
            }
            // What was left open is decided by the first of them.
            let many = objects.len() > 1 || self.tally.shown > 0;
            let format = match self.judged {
                Judged::As(format) => format,
                _ if many => JudgedFormat::Table,
                _ => JudgedFormat::Text,
            };
            self.judged = Judged::As(format);
            let good = objects.iter().filter_map(Object::checked);
            match format {
                JudgedFormat::Manifest => self.made.extend(good.map(Checked::manifest)),
                JudgedFormat::Name => self
                    .made
                    .extend(good.map(|checked| format!("{REQUESTS}/{}\n", checked.name()))),
                _ => {}
            }
            // Of many people nobody reads everything about each.
            if format == JudgedFormat::Table || self.people.is_some() && self.is_aside() {
                for object in &*objects {
                    self.tally.add(object);
                    let people = self.people.as_ref();
                    let unproven = people.is_some_and(|people| people.misses_fingerprint(object));
                    self.rows.push(Row::new(object, unproven));
                }
                return Ok(());
            }
        }
        let style = self.style;
        let verdicts = self.judged != Judged::No && matches!(style, Style::Text(_));
        let quiet = verdicts && self.console.is_quiet();
        let wanted: Vec<&Object> = objects
            .iter()
            .filter(|object| !quiet || is_remarkable(object))
            .filter(|object| !self.only_errors || object.has_errors())
            .collect();
        let texts = parallel::map(&wanted, |object| {
            let mut text = style.object(object);
            if verdicts {
                text.push_str(verdict(object).as_str());
            }
            text
        });
        for object in &*objects {
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

    /// Whether standard output is for what is made of good requests.
    fn is_aside(&self) -> bool {
        matches!(
            self.judged,
            Judged::As(JudgedFormat::Manifest | JudgedFormat::Name)
        )
    }

    fn write(&mut self, text: &str) -> Result<(), Failure> {
        if self.is_aside() {
            return self.console.aside(text);
        }
        if self.args.out == Stream::Stdio {
            return self.console.data(text);
        }
        self.text.push_str(&strip_str(text).to_string());
        Ok(())
    }

    /// The tally, and the object if there is but one.
    fn finish(mut self) -> Result<(Tally, Option<Object>), Failure> {
        let mut only = None;
        if let Some(mut held) = self.held.take() {
            let doubles = if self.judged == Judged::No {
                0
            } else {
                leave_out_doubles(&mut held.objects)
            };
            match &mut self.people {
                Some(people) => {
                    people.add_doubles(doubles);
                    people.compare(&mut held.objects);
                }
                None => {
                    if doubles > 0 {
                        self.console
                            .note(text!("left out: {} there twice", doubles));
                    }
                }
            }
            self.claims.refuse_second_requests(&mut held.objects);
            if self.args.compare_keys || held.rsa_keys <= COMPARED {
                find_shared_factors(&mut held.objects, self.judged != Judged::No);
            } else {
                self.tally.not_compared += held.rsa_keys;
            }
            if self.judged != Judged::No {
                refuse_same_names(&mut held.objects);
            }
            for batch in held.objects.chunks_mut(BATCH) {
                self.emit(batch)?;
            }
            if self.tally.shown == 1 && self.tally.unread.is_empty() {
                only = held.objects.pop();
            }
        }
        let is_table = self.people.is_some() && self.is_aside();
        if is_table || self.judged == Judged::As(JudgedFormat::Table) {
            if self.console.is_quiet() {
                self.rows.retain(|row| row.rank < 2);
            }
            if !self.rows.is_empty() {
                let table = table(&mut self.rows);
                self.write(table.as_str())?;
            }
            self.tally.is_begun = true;
        }
        let empty = !self.tally.is_begun;
        if empty {
            self.write(&self.style.head(true))?;
        }
        let tail = self.style.tail_with(empty, &self.besides_objects());
        self.write(&tail)?;
        if self.args.out != Stream::Stdio && !self.is_aside() {
            files::put(&self.args.out, &self.text, self.console)?;
        }
        if self.tally.not_compared > 0 {
            self.console.warn(text!(
                "whether {} RSA keys share factors was not looked at; --compare-keys does",
                self.tally.not_compared
            ));
        }
        let verdicts = self.judged != Judged::No && matches!(self.style, Style::Text(_));
        let is_summed_up =
            is_table || self.judged == Judged::As(JudgedFormat::Table) || self.tally.shown > 1;
        if let Some(words) = self.passed_over.words()
            && !(verdicts && is_summed_up)
        {
            self.console.note(words);
        }
        if verdicts && is_summed_up {
            let (good, bad) = (self.tally.good(), self.tally.bad_count);
            let people = self.people.as_ref();
            let others = self.about_files();
            let not_compared = &self.not_compared;
            let summary = people.map(|people| people.summary(good, bad, &others, not_compared));
            let summary = summary.unwrap_or_else(|| self.tally.summary(&others, not_compared));
            if self.is_aside() {
                self.console.aside(summary.as_str())?;
            } else if self.tally.bad_count > 0 || !self.tally.unread.is_empty() {
                self.console.data(summary.as_str())?;
            } else {
                self.console.say(summary)?;
            }
        }
        if self.is_aside() {
            // All at once, and last: what was judged bad is known by now, and nobody gets it who could
            // not be told.
            let made = self.made.concat();
            if !made.is_empty() {
                self.console.require_told()?;
            }
            match &self.args.out {
                Stream::Stdio if made.is_empty() => {}
                Stream::Stdio => self.console.deliver(&made)?,
                out @ Stream::File(_) => files::put(out, &made, self.console)?,
            }
        }
        Ok((self.tally, only))
    }

    /// What there is to say besides the objects, for programs.
    fn besides_objects(&self) -> Map<String, Value> {
        let mut more = Map::new();
        if let Some(people) = &self.people {
            more.insert("missing".to_owned(), people.missing().into());
            let left_out = people.left_out();
            if !left_out.is_empty() {
                more.insert("leftOut".to_owned(), left_out.into());
            }
        }
        if !self.tally.unread.is_empty() {
            more.insert("unread".to_owned(), self.tally.unread.clone().into());
        }
        let counts = self.passed_over.counts().into_iter();
        let counts = counts.filter(|(_, number)| *number > 0);
        let counts: Map<_, _> = counts
            .map(|(name, number)| (name.to_owned(), number.into()))
            .collect();
        if !counts.is_empty() {
            more.insert("passedOver".to_owned(), counts.into());
        }
        more
    }

    /// Files that have no verdict, for the summary.
    fn about_files(&self) -> Text {
        const NAMED: usize = 8;
        let unread = &self.tally.unread;
        let names = unread.iter().take(NAMED);
        let names = Text::join(names.map(|name| Label::from(name.as_str()).show()), ", ");
        let more = if unread.len() > NAMED { ", ..." } else { "" };
        let unread = match unread.len() {
            0 => Text::default(),
            number => text!(
                "  {} could not be read: {}{}\n",
                count(number, "file", "files"),
                names,
                more
            ),
        };
        let passed_over = self.passed_over.words();
        let passed_over = passed_over.map_or(Text::default(), |words| text!("  {}\n", words));
        text!("{}{}", unread, passed_over)
    }
}

impl Held {
    fn add(&mut self, objects: Vec<Object>, size: usize) {
        self.rsa_keys += count_rsa_keys(&objects);
        self.size += size;
        append(&mut self.objects, objects);
    }
}

/// Thousands that come from one file are not copied.
fn append(objects: &mut Vec<Object>, more: Vec<Object>) {
    if objects.is_empty() {
        *objects = more;
    } else {
        objects.extend(more);
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

/// The verdict comes first, where no name can push it away or look like it.
fn verdict(object: &Object) -> Text {
    let verdict = if object.checked().is_some() {
        "good"
    } else {
        "NOT GOOD"
    };
    text!("\n{}: {}\n", verdict, title(object))
}

/// A request in one line.
struct Row {
    rank: u8,
    /// What is told about it.
    code: &'static str,
    user: Option<String>,
    cells: [Text; 4],
}

impl Row {
    /// `unproven` where the roster has fingerprints, and none for this one.
    fn new(object: &Object, unproven: bool) -> Self {
        let worst = object.findings.first();
        let level = worst.map(|finding| finding.level);
        let is_good = object.checked().is_some();
        let (rank, word) = match level {
            _ if !is_good => (0, "NOT GOOD"),
            Some(Level::Warning) => (1, "good, warning"),
            _ if unproven => (1, "good, no fingerprint"),
            _ => (2, "good"),
        };
        let user = object.asked_user();
        let shown = user
            .as_deref()
            .map_or("(nobody)".into(), |user| Label::from(user).show());
        let told = worst.filter(|finding| !is_good || finding.level != Level::Note);
        let about = told.map_or(Text::default(), |finding| {
            text!(
                "{}: {}{}",
                finding.code,
                finding,
                others_than(finding, object)
            )
        });
        Self {
            rank,
            code: told.map_or(word, |finding| finding.code),
            user,
            cells: [word.into(), shown, title(object), about],
        }
    }
}

/// What else is the matter with a request: how many findings, and their codes.
fn others_than(told: &Finding, object: &Object) -> Text {
    let others = object.findings.iter();
    let others = others.filter(|it| it.level != Level::Note && !std::ptr::eq(*it, told));
    let codes: Vec<&str> = others.map(|finding| finding.code).collect();
    if codes.is_empty() {
        return Text::default();
    }
    let count = codes.len();
    // Each once, in the order of how much they matter.
    let mut seen = HashSet::new();
    let codes = codes.into_iter().filter(|code| seen.insert(*code));
    let codes = Text::join(codes.map(|code| Label::from(code).show()), ", ");
    text!(" ({} more: {})", count, codes)
}

/// Problems first. What is the same about one person is one line, and of what is the same about many people
/// there are so many lines, and then only how many there are.
fn table(rows: &mut [Row]) -> Text {
    const SHOWN: usize = 40;
    const WIDEST: usize = 72;
    rows.sort_by_key(|row| row.rank);
    let head = ["VERDICT", "USER", "REQUEST", "WORST"].map(Text::from);
    // By person, and in all: how many lines there are.
    let mut of_person: HashMap<(u8, &str, &str), usize> = HashMap::new();
    let mut of_code: BTreeMap<(u8, &str), (usize, usize)> = BTreeMap::new();
    let mut firsts = Vec::new();
    for row in &*rows {
        if let Some(user) = row.user.as_deref().filter(|_| row.rank < 2) {
            let count = of_person.entry((row.rank, row.code, user)).or_default();
            *count += 1;
            if *count > 1 {
                continue;
            }
        }
        let (shown, folded) = of_code.entry((row.rank, row.code)).or_default();
        if *shown == SHOWN {
            *folded += 1;
            continue;
        }
        *shown += 1;
        firsts.push(row);
    }
    let lines = firsts.iter().map(|row| {
        let key = (row.rank, row.code, row.user.as_deref().unwrap_or_default());
        let [verdict, user, request, about] = row.cells.clone();
        let about = match of_person.get(&key) {
            Some(count @ 2..) => text!("{} (and {} more of theirs)", about, count - 1),
            _ => about,
        };
        [verdict, user, request, about]
    });
    let lines: Vec<[Text; 4]> = std::iter::once(head).chain(lines).collect();
    let width = |column: usize| {
        let cells = lines.iter().filter_map(|cells| cells.get(column));
        cells.map(Text::width).max().unwrap_or_default().min(WIDEST)
    };
    let widths = [0, 1, 2].map(width);
    let mut all: Vec<Text> = Vec::new();
    for [verdict, user, request, about] in lines {
        let [first, second, third] = widths;
        let (verdict, user) = (verdict.padded(first), user.padded(second));
        all.push(if about.is_empty() {
            text!("{}  {}  {}\n", verdict, user, request)
        } else {
            text!(
                "{}  {}  {}  {}\n",
                verdict,
                user,
                request.padded(third),
                about
            )
        });
    }
    for ((rank, code), (_, folded)) in of_code {
        let kind = match rank {
            0 => "NOT GOOD",
            1 => "good with a warning",
            _ => "good",
        };
        all.push(match (folded, rank) {
            (0, _) => Text::default(),
            (_, 2) => text!("... and {} more that are good\n", folded),
            _ => text!(
                "... and {} more, {}, {} (-o json has all)\n",
                folded,
                kind,
                Label::from(code)
            ),
        });
    }
    Text::join(all, "")
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
        if object.has_errors() || object.verdict == Some("not-good") {
            self.bad_count += 1;
            if self.bad.len() < LISTED {
                self.bad.push(title(object));
            }
        }
    }

    /// Whether each file could be opened and nothing was wrong with it.
    pub fn of_judging(&self) -> Verdict {
        match (self.unread.len(), self.bad_count) {
            (0, 0) => Verdict::Good,
            (0, _) => Verdict::NotGood,
            _ => Verdict::CouldNotRun,
        }
    }

    /// How many have nothing wrong about them.
    pub fn good(&self) -> usize {
        self.shown - self.bad_count
    }

    fn summary(&self, others: &Text, not_compared: &NotCompared) -> Text {
        let good = self.good();
        let bad = self.bad.iter().map(|title| text!("  {}\n", title));
        let more = if self.bad_count > self.bad.len() {
            "  ...\n"
        } else {
            ""
        };
        text!(
            "\n{} good, {} NOT GOOD\n{}{}{}{}",
            good,
            self.bad_count,
            others,
            Text::join(bad, ""),
            more,
            not_compared.show()
        )
    }
}
