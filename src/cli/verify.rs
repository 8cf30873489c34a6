//! `kube-enroll verify`: requests against what was agreed on and against the cluster's rules. The file
//! that came is never for kubectl: what may be created is written anew.

// These comments are the help texts, where backticks would be shown.
#![allow(clippy::doc_markdown)]

use std::path::Path;

use kube_enroll::inspect::{Context, Object, State};
use kube_enroll::looks::{Look, Want, look};
use kube_enroll::pem;
use kube_enroll::policy::{Agreed, CODES, explain};
use kube_enroll::roster::Roster;
use kube_enroll::shell::Command;
use kube_enroll::text;
use kube_enroll::text::Text;
use kube_enroll::verdict::{judge, judge_by_roster};
use time::OffsetDateTime;

use super::console::Console;
use super::failure::{self, Failure};
use super::from::agreement::AgreementArgs;
use super::from::file::{self, Filenames, Stream};
use super::hint;
use super::os::sandbox::Reach;
use super::report::{Format, JudgedFormat, PassedOver, Report, ReportArgs};
use super::{Action, Verdict};

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, after_long_help = long_help())]
pub struct Args {
    /// Requests to check, or folders of them; - is standard input
    #[arg(value_name = "FILE", required_unless_present_any = ["explain", "filename"])]
    pub files: Vec<Stream>,
    #[command(flatten)]
    pub filenames: Filenames,
    #[command(flatten)]
    pub agreement: AgreementArgs,
    /// What to write [default: text, and table for several requests]
    #[arg(short, long, value_enum, value_name = "FORMAT")]
    pub output: Option<JudgedFormat>,
    #[command(flatten)]
    pub report: ReportArgs,
    /// Tell what a code of a finding is about, and nothing else
    #[arg(long, value_name = "CODE", exclusive = true)]
    pub explain: Option<String>,
}

/// Some ten thousand requests in one file, in bytes.
const MANY: u64 = 64 << 20;

const EXAMPLES: &str = "\
Examples:
  kube-enroll verify alice.csr.yaml --user alice -g developers --fingerprint \"39947 71802 ...\"
  kube-enroll verify alice.csr.yaml --user alice -g developers -o manifest | kubectl create -f -
  kubectl get csr alice-3f9a1c2e -o yaml | kube-enroll verify - --user alice -g developers
  kube-enroll verify requests/ --roster team.csv -o manifest | kubectl create -f - -o name |
    xargs -r kubectl certificate approve
  kubectl get csr -o yaml | kube-enroll verify - --roster team.csv -o name";

/// The examples, and every code that a finding can have.
fn long_help() -> String {
    let codes = CODES
        .iter()
        .map(|(code, about)| format!("\n  {code:22} {}", about.replace('`', "")));
    format!(
        "{EXAMPLES}\n\nFindings:{}",
        codes.collect::<Vec<_>>().concat()
    )
}

impl Action for Args {
    fn reach(&self) -> Reach {
        let is_folder = |file: &Stream| file.path().is_some_and(Path::is_dir);
        // Folders are counted as what they may hold.
        let count = |file| if is_folder(file) { 1 << 20 } else { 1 };
        let files = self.files.iter().map(count).sum();
        Reach::default()
            .read(&self.files)
            .read_in(
                self.files
                    .iter()
                    .filter(|file| is_folder(file))
                    .filter_map(Stream::path),
            )
            .read(&self.agreement.roster)
            .write([&self.report.out])
            .with_work(files, self.max_size())
    }

    /// Checks every file; the exit status is the answer.
    fn run(&self, console: &Console) -> Result<Verdict, Failure> {
        if let Some(code) = &self.explain {
            return tell(code, console);
        }
        let (files, passed_over) = self.in_folders()?;
        if let Some(roster) = self.agreement.roster(console)? {
            return self.by_roster(&roster, &files, passed_over, console);
        }
        let agreement = self.agreement.agreement();
        let context = Context {
            now: OffsetDateTime::now_utc(),
            agreed: self.agreement.names(),
            passphrase: None,
        };
        if !agreement.is_complete() {
            return self.without_agreement(&files, passed_over, &context, console);
        }
        let report = Report::of_verdicts(&self.report, self.output, console).besides(passed_over);
        let (tally, only) = report.run(&files, &context, |object| {
            judge(object, &agreement);
        })?;
        let wants_steps = self.output.is_none() || self.output == Some(JudgedFormat::Text);
        if let (Some(object), [(file, _)], true) = (only, &files[..], wants_steps) {
            console.say(self.next_steps(&object, file))?;
        }
        Ok(tally.of_judging())
    }
}

impl Args {
    /// The requests of many people may be one file, where it is named; what lies in a folder was sent by
    /// one of them.
    fn max_size(&self) -> u64 {
        match self.agreement.roster {
            Some(_) => self.report.max_size.max(MANY),
            None => self.report.max_size,
        }
    }

    /// The files with the bytes that each may have. Folders stand for the files in them that may be sent,
    /// not deeper, in the order of their names.
    fn in_folders(&self) -> Result<(Vec<(Stream, u64)>, PassedOver), Failure> {
        let mut all_files = Vec::new();
        let mut passed_over = PassedOver::default();
        for file in &self.files {
            let Some(folder) = file.path().filter(|path| path.is_dir()) else {
                all_files.push((file.clone(), self.max_size()));
                continue;
            };
            let roster = self.agreement.roster.as_ref().and_then(Stream::path);
            let roster = roster.and_then(|roster| roster.canonicalize().ok());
            let is_roster = |path: &Path| roster.is_some() && path.canonicalize().ok() == roster;
            let mut paths = file::in_folder(folder)?;
            paths.retain(|path| {
                let name = path.file_name().unwrap_or_default().as_encoded_bytes();
                let passed = if path.is_dir() {
                    &mut passed_over.folders
                } else if !path.is_file() {
                    &mut passed_over.others
                } else if name.starts_with(b".") {
                    &mut passed_over.hidden
                } else if is_signature(path) {
                    &mut passed_over.signatures
                } else if file::is_leftover(path) || is_roster(path) {
                    &mut passed_over.leftovers
                } else if is_key(path) {
                    &mut passed_over.keys
                } else {
                    return true;
                };
                *passed += 1;
                false
            });
            if paths.is_empty() {
                return Err(Failure::could_not_run(text!(
                    "{}: there is no file in the folder",
                    folder
                )));
            }
            let limit = self.report.max_size;
            all_files.extend(paths.into_iter().map(|path| (path.into(), limit)));
        }
        Ok((all_files, passed_over))
    }

    /// Judges each request by the row of its person. Where several are good for one person, none of
    /// them is.
    fn by_roster(
        &self,
        roster: &Roster,
        files: &[(Stream, u64)],
        passed_over: PassedOver,
        console: &Console,
    ) -> Result<Verdict, Failure> {
        let context = Context {
            now: OffsetDateTime::now_utc(),
            agreed: Agreed::default(),
            passphrase: None,
        };
        let report = Report::of_verdicts(&self.report, self.output, console)
            .of_people(roster)
            .besides(passed_over);
        let (tally, _) = report.run(files, &context, |object| {
            judge_by_roster(object, roster);
        })?;
        let wants_steps = matches!(
            self.output,
            None | Some(JudgedFormat::Text | JudgedFormat::Table)
        );
        if wants_steps && tally.good() > 0 {
            console.say(self.steps_for_many())?;
        }
        Ok(tally.of_judging())
    }

    /// What creates and approves all that are good: of files what was just created, and what stands in the
    /// cluster, where others create as well, only where that is what was judged.
    fn steps_for_many(&self) -> Text {
        let pending = || {
            let get = Command::new("kubectl").word("get").word("csr");
            get.option("-o", "yaml")
        };
        let reply = Command::ours("reply").option("--output-dir", "replies");
        let reply = pending().pipe(self.agreement.repeat(reply));
        let is_cluster = self.files.contains(&Stream::Stdio);
        let (words, approve) = if is_cluster {
            let verify = Command::ours("verify").operand("-");
            let verify = self.agreement.repeat(verify).option("-o", "name");
            (
                "To approve those that are good, and to send back what is issued",
                pending().pipe(verify).pipe(hint::approve()),
            )
        } else {
            (
                "To create exactly those that are good, to approve them, and to send back what is issued",
                self.create_and_approve(&self.files),
            )
        };
        text!(
            "\n{}:\n\n{}\n{}{}\n",
            words,
            approve.folded(2),
            reply.folded(2),
            self.agreement.note()
        )
    }

    /// What is approved is what was created of these files.
    fn create_and_approve<'a>(&self, files: impl IntoIterator<Item = &'a Stream>) -> Command {
        let verify = files
            .into_iter()
            .fold(Command::ours("verify"), |command, file| {
                command.operand(file.typed())
            });
        let verify = self.agreement.repeat(verify).option("-o", "manifest");
        verify.pipe(hint::create_and_approve())
    }

    /// There is no verdict; what is wrong whatever was agreed on is told all the same.
    fn without_agreement(
        &self,
        files: &[(Stream, u64)],
        passed_over: PassedOver,
        context: &Context<'_>,
        console: &Console,
    ) -> Result<Verdict, Failure> {
        let agreement = self.agreement.agreement();
        let format = match self.output {
            Some(JudgedFormat::Json) => Format::Json,
            Some(JudgedFormat::Yaml) => Format::Yaml,
            _ => Format::Text,
        };
        let report = Report::new(&self.report, format, console)
            .aside()
            .besides(passed_over);
        let (tally, _) = report.run(files, context, |object| {
            judge(object, &agreement);
        })?;
        match tally.of_judging() {
            Verdict::Good => self.agreement.require().map(|()| Verdict::CouldNotRun),
            verdict => Ok(verdict),
        }
    }

    /// The commands that follow from the verdict on one request.
    fn next_steps(&self, object: &Object, file: &Stream) -> Text {
        let Some(checked) = object.checked() else {
            let steps = what_instead(object, file);
            if !steps.is_empty() {
                let steps = steps.iter().map(|step| text!("  {}\n", step));
                return text!("\nDo not create or approve it.\n{}", Text::join(steps, ""));
            }
            return text!(
                "\nDo not create or approve it. Ask for a new request, and tell the person what is\n\
                 wrong with this one.\n"
            );
        };
        let kubectl = || Command::new("kubectl");
        let get = || {
            let get = kubectl().word("get").word("csr");
            get.operand(checked.name()).option("-o", "yaml")
        };
        let user = object.identity.as_ref().map(|it| it.username.as_str());
        let reply = format!(
            "{}.reply.yaml",
            super::to::names::stem(user.unwrap_or_default(), checked.name())
        );
        let reply = get().pipe(
            self.agreement
                .repeat(Command::ours("reply").option("--out", reply)),
        );
        let state = object.status.as_ref().map(|status| status.state);
        if object.is_in_cluster() && state == Some(State::Issued) {
            return text!(
                "\nIt says that it is approved and issued. To send back what the cluster has of that name:\n\n{}\n",
                reply.folded(2)
            );
        }
        if object.is_in_cluster() {
            // Anybody can write what a cluster does: what it has itself is what is approved.
            let judge = Command::ours("verify").operand("-");
            let judge = self.agreement.repeat(judge).option("-o", "name");
            let approve = get().pipe(judge).pipe(hint::approve());
            return text!(
                "\nIt says that it is in the cluster. To approve what the cluster has of that name, if that is good\n\
                 too, and to send back what is issued:\n\n{}\n{}\n",
                approve.folded(2),
                reply.folded(2)
            );
        }
        if *file == Stream::Stdio {
            return text!(
                "\nTo create exactly what was checked and to approve it, give -o manifest and pipe it into the first\n\
                 of these; the second sends back what is issued:\n\n{}\n{}\n",
                hint::create_and_approve().folded(2),
                reply.folded(2)
            );
        }
        text!(
            "\nTo create exactly what was checked, to approve it, and to send back what is issued:\n\n{}\n{}\n",
            self.create_and_approve([file]).folded(2),
            reply.folded(2)
        )
    }
}

/// What to do with a file in which there is no request.
fn what_instead(object: &Object, file: &Stream) -> Vec<Text> {
    let head = file.path().and_then(file::whole_head);
    let look = head.as_ref().map(|head| look(head));
    let look = look.filter(|look| object.kind.is_none() && look.is_telling());
    look.map_or(Vec::new(), |look| {
        look.steps(Want::Request, file.typed(), &failure::is_free)
    })
}

/// A file that is called a key, as `request --roster` leaves them beside the requests, and is nothing
/// else.
fn is_key(path: &Path) -> bool {
    let is_named_so = path.extension().is_some_and(|extension| extension == "key");
    let is_one = |head: &[u8]| {
        let mut labels = pem::blocks(head).map(|block| block.label);
        look(head) == Look::PrivateKey
            && labels.all(|label| label.ends_with("PRIVATE KEY") || label == "EC PARAMETERS")
    };
    is_named_so && file::whole_head(path).is_some_and(|head| is_one(&head))
}

/// Whether a file is the signature of another, which is what is judged.
fn is_signature(path: &Path) -> bool {
    const ENDINGS: [&str; 6] = ["sig", "asc", "gpg", "pgp", "sign", "minisig"];
    let ending = path.extension().unwrap_or_default().to_ascii_lowercase();
    let is_one = |head: &[u8]| {
        matches!(look(head), Look::Signature(_)) || head.starts_with(b"untrusted comment: ")
    };
    ENDINGS.iter().any(|it| ending == **it) && file::head(path).is_ok_and(|head| is_one(&head))
}

fn tell(code: &str, console: &Console) -> Result<Verdict, Failure> {
    let Some(about) = explain(code) else {
        return Err(Failure::could_not_run("--explain names no finding")
            .say("kube-enroll verify --help lists them all"));
    };
    console.data(about.as_str())?;
    Ok(Verdict::Good)
}
