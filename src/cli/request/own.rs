//! `request --csr`: a request that another program made, wrapped into a manifest. The key stays where
//! it is, in a token, a key store or another file.

use kube_enroll::agreement::Agreement;
use kube_enroll::carrier;
use kube_enroll::config::RequestConfig;
use kube_enroll::csr::{CertificationRequest, FindProblem};
use kube_enroll::inspect::{Style, report};
use kube_enroll::key::EncodedKey;
use kube_enroll::looks::{Look, Want, look};
use kube_enroll::name::{Identity, Subject};
use kube_enroll::policy::Level;
use kube_enroll::shell::{Command, quoted};
use kube_enroll::text;
use kube_enroll::text::{Label, Text};
use kube_enroll::verdict::judge;

use super::{Args, Paths, Wanted, administrator, manifest, read_back, refused_subject, reply_name};
use crate::cli::Verdict;
use crate::cli::console::Console;
use crate::cli::failure::Failure;
use crate::cli::from::file::{self, DEFAULT_LIMIT, Stream};
use crate::cli::to::files::{self, Access, NewFiles};

/// Checks the request as the administrator will, and writes its manifest.
pub fn wrap(args: &Args, file: &Stream, console: &Console) -> Result<Verdict, Failure> {
    let request = read(file, console)?;
    let RequestConfig { settings, .. } = args.config(console)?;
    let identity = request.subject().identity_when_issued().ok_or_else(|| {
        Failure::about(file, "it names no user: there is no common name (CN) in it")
            .say("make a request whose CN is the user and whose O are the groups")
    })?;
    compare(file, &identity, settings.user.as_deref(), &settings.groups)?;
    let subject = Subject::new(&identity.username, &identity.groups, args.allow_system)
        .map_err(|error| refused_subject(&error))?;
    let wanted = Wanted {
        subject,
        settings,
        extensions: Vec::new(),
    };
    let manifest = manifest(&wanted, &request);
    let yaml = manifest.to_yaml();
    let path = place(&wanted, &manifest.name, args, &yaml);
    let Some(path) = path else {
        console.say("the manifest is there already, and asks for the same\n")?;
        return Ok(Verdict::Good);
    };
    let objects = read_back(&path, &yaml, &wanted)?;
    let agreement = Agreement {
        user: Some(identity.username),
        groups: Some(identity.groups),
        ..Agreement::default()
    };
    for object in &objects {
        // Nobody agreed on what it says: it is compared with itself, to find what else is wrong.
        let mut judged = object.clone();
        judge(&mut judged, &agreement);
        let mut errors = judged.findings.iter().filter(|it| it.level == Level::Error);
        if let Some(finding) = errors.next() {
            return Err(Failure::could_not_run(text!(
                "{}: an administrator who verifies it would refuse it: {} ({})",
                file,
                finding,
                Label::from(finding.field.as_str())
            )));
        }
    }

    let mut new_files = NewFiles::new(console);
    new_files.create(&path, yaml.as_bytes(), Access::Everyone)?;
    new_files.keep()?;
    if !console.is_quiet() {
        let style = Style::Text(console.look_without_fingerprints());
        console.data(&report(&objects, style))?;
    }
    let fingerprint = request.public_key().fingerprint();
    let [create, answer] = administrator(&wanted, &path, &manifest.name);
    console.say(text!(
        "
  {}  the manifest: send this one

Send it to an administrator of the cluster. Tell them the fingerprint another way,
such as by telephone:

  {}

The administrator checks it, with the digits that you tell behind --fingerprint,
creates what was checked, approves it, and sends the reply back, which holds the
certificate for your key:

{}
{}

With a key that is in a file, the reply becomes a kubeconfig:

{}
With one that is in a token, a program that can use it makes the connection, and the
kubeconfig names that program as proxy-url (docs/hardware.md).
",
        quoted(&path),
        fingerprint,
        create.folded(2),
        answer.folded(2),
        Command::ours("kubeconfig")
            .operand(reply_name(&path))
            .option("--key", "FILE")
            .folded(2),
    ))?;
    Ok(Verdict::Good)
}

fn read(file: &Stream, console: &Console) -> Result<CertificationRequest, Failure> {
    let contents = file::read(file, DEFAULT_LIMIT)?;
    let undone = carrier::undo(&contents);
    let found = CertificationRequest::find(&contents);
    let (found, is_undone) = match found {
        Ok(None) => (CertificationRequest::find(&undone.bytes), true),
        found => (found, false),
    };
    match found {
        Ok(Some(request)) => {
            if is_undone {
                console.warn(text!("{}: {}", file, undone.note()));
            }
            Ok(request)
        }
        Ok(None) => {
            let key = EncodedKey::find(&contents)
                .ok()
                .filter(|key| !key.is_encrypted());
            let why = key.and_then(|key| key.open(None).err());
            let failure = Failure::wrong_file(file, look(&contents), Want::Csr);
            Err(match why {
                Some(why) => failure
                    .with_no_hints()
                    .say(text!("nor can a request be made with it: {}", why)),
                None => failure,
            })
        }
        Err(FindProblem::Several(count)) => Err(Failure::about(
            file,
            text!("there are {} requests in it", count),
        )
        .say("give one file for each")),
        Err(FindProblem::Malformed(error)) => Err(match look(&contents) {
            Look::Request | Look::Binary => Failure::in_file(file, &error),
            other => Failure::wrong_file(file, other, Want::Csr),
        }),
    }
}

/// What is given besides must be what the request says: it is signed and cannot be changed.
fn compare(
    file: &Stream,
    found: &Identity,
    user: Option<&str>,
    groups: &[String],
) -> Result<(), Failure> {
    let differs = |what: &'static str, found: Text, given: Text| {
        Err(Failure::about(
            file,
            text!(
                "it asks for {} {}, and {} is given here",
                what,
                found,
                given
            ),
        )
        .say("a request is signed as it is: make another one, or leave out what is given here"))
    };
    if let Some(user) = user.filter(|user| *user != found.username) {
        let name = |name: &str| text!("{}", Label::from(name));
        return differs("the user", name(&found.username), name(user));
    }
    let sorted = |groups: &[String]| {
        let mut groups = groups.to_vec();
        groups.sort();
        groups
    };
    if !groups.is_empty() && sorted(groups) != sorted(&found.groups) {
        let list = |groups: &[String]| {
            let names = groups
                .iter()
                .map(|group| text!("{}", Label::from(group.as_str())));
            match groups {
                [] => "(none)".into(),
                _ => Text::join(names, ", "),
            }
        };
        return differs("the groups", list(&found.groups), list(groups));
    }
    Ok(())
}

/// Where the manifest goes: named after the user, else, where that is taken, after the object.
/// `None` where it is there already.
fn place(wanted: &Wanted, name: &str, args: &Args, yaml: &str) -> Option<std::path::PathBuf> {
    let stems = [
        crate::cli::to::names::stem(wanted.subject.user(), name),
        crate::cli::to::names::stem(name, name),
    ];
    let paths = stems.map(|stem| Paths::with_stem(&stem, &args.output_dir).manifest);
    if paths.iter().any(|path| files::holds(path, yaml)) {
        return None;
    }
    let [first, second] = paths;
    let is_taken = first.symlink_metadata().is_ok();
    Some(if is_taken { second } else { first })
}
