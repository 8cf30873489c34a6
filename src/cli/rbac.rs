//! `kube-enroll rbac`: role bindings, and how to take access away.

// These comments are the help texts, where backticks would be shown.
#![allow(clippy::doc_markdown)]

use kube_enroll::inspect::{Context, Object, inspect};
use kube_enroll::looks::{Look, Want, look};
use kube_enroll::manifest::CLIENT_SIGNER;
use kube_enroll::name::Identity;
use kube_enroll::policy::Agreed;
use kube_enroll::rbac::{
    APPROVER, Grant, Leaver, RbacError, Subject, SystemNames, approver, binding,
};
use kube_enroll::shell::Command;
use kube_enroll::text;
use kube_enroll::text::Show as _;
use kube_enroll::yaml;
use serde_json::Value;
use time::OffsetDateTime;

use super::console::Console;
use super::failure::Failure;
use super::from::file::{self, DEFAULT_LIMIT, Filename, Stream};
use super::os::sandbox::Reach;
use super::to::files;
use super::{Action, Verdict};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kube-enroll rbac --user alice --cluster-role view --namespace dev
  kube-enroll rbac alice.csr.yaml --role edit --namespace dev
  kube-enroll rbac --approver
  kube-enroll rbac --user alice --revoke")]
pub struct Args {
    /// Take user and groups from this manifest, CSR or certificate; - is standard input
    #[arg(value_name = "FILE", conflicts_with_all = ["user", "groups", "filename"])]
    pub file: Option<Stream>,
    #[command(flatten)]
    pub filename: Filename,
    /// Bind this user
    #[arg(long)]
    pub user: Option<String>,
    /// Bind this group (repeat for more)
    #[arg(short, long = "group", value_name = "GROUP")]
    pub groups: Vec<String>,
    /// Bind to this Role of the namespace
    #[arg(
        long,
        value_name = "NAME",
        requires = "namespace",
        conflicts_with = "cluster_role"
    )]
    pub role: Option<String>,
    /// Bind to this ClusterRole
    #[arg(long, visible_alias = "clusterrole", value_name = "NAME")]
    pub cluster_role: Option<String>,
    /// Bind in this namespace only
    #[arg(short, long)]
    pub namespace: Option<String>,
    /// Write the ClusterRole that approving requests needs, bound to --user or --group if given
    #[arg(long, action = clap::ArgAction::SetTrue, conflicts_with_all = ["role", "cluster_role", "revoke"])]
    pub approver: bool,
    /// Allow users and groups that start with system:
    #[arg(long)]
    pub allow_system: bool,
    /// Print what takes the access away
    #[arg(long, conflicts_with_all = ["role", "cluster_role"])]
    pub revoke: bool,
    /// Write to this file instead of standard output
    #[arg(long, value_name = "FILE", default_value = "-")]
    pub out: Stream,
}

impl Action for Args {
    fn reach(&self) -> Reach {
        Reach::default().read(&self.file).write([&self.out])
    }

    /// Prints YAML for `kubectl apply -f -`, or a script that takes access away.
    fn run(&self, console: &Console) -> Result<Verdict, Failure> {
        let args = self;
        if args.revoke {
            let scripts: Vec<_> = leavers(args)?.iter().map(ToString::to_string).collect();
            files::put(&args.out, &scripts.join("\n"), console)?;
            return Ok(Verdict::Good);
        }
        let documents = if args.approver {
            approvers(args)?
        } else {
            let grant = grant(args)?;
            let subjects = subjects(args)?;
            subjects
                .iter()
                .map(|subject| binding(subject, &grant))
                .collect()
        };
        let texts: Vec<_> = documents.iter().map(yaml::to_string).collect();
        files::put(&args.out, &texts.join("---\n"), console)?;
        Ok(Verdict::Good)
    }
}

fn grant(args: &Args) -> Result<Grant, Failure> {
    let namespace = args.namespace.as_deref();
    match (&args.role, &args.cluster_role) {
        (Some(name), _) => Grant::role(name, namespace).map_err(|error| refused(&error)),
        (None, Some(name)) => Grant::cluster_role(name, namespace).map_err(|error| refused(&error)),
        (None, None) => Err(Failure::could_not_run("no role is given").say(
            "give --cluster-role NAME (view, edit, admin, ...) or --role NAME with --namespace",
        )),
    }
}

fn refused(error: &RbacError) -> Failure {
    let failure = Failure::could_not_run(error.show());
    match error {
        RbacError::System { .. } => failure.say("if that is really meant, add --allow-system"),
        _ => failure,
    }
}

/// The approver's role, and bindings to it where somebody is named.
fn approvers(args: &Args) -> Result<Vec<Value>, Failure> {
    let mut documents = vec![approver(CLIENT_SIGNER)];
    if args.file.is_some() || args.user.is_some() || !args.groups.is_empty() {
        let grant = Grant::cluster_role(APPROVER, None).map_err(|error| refused(&error))?;
        documents.extend(
            subjects(args)?
                .iter()
                .map(|subject| binding(subject, &grant)),
        );
    }
    Ok(documents)
}

/// Whom to bind: those named, or the groups of the file, or its user where it has none.
fn subjects(args: &Args) -> Result<Vec<Subject>, Failure> {
    let system = if args.allow_system {
        SystemNames::Allow
    } else {
        SystemNames::Refuse
    };
    if let Some(input) = &args.file {
        let Identity {
            username, groups, ..
        } = identity(&read(input)?, input)?;
        return Subject::of(&username, &groups, system).map_err(|error| refused(&error));
    }
    let user = args.user.iter().map(|name| Subject::user(name, system));
    let groups = args.groups.iter().map(|name| Subject::group(name, system));
    let subjects: Vec<_> = user
        .chain(groups)
        .collect::<Result<_, _>>()
        .map_err(|error| refused(&error))?;
    if subjects.is_empty() {
        return Err(nobody());
    }
    Ok(subjects)
}

/// Whose access ends: the user of the file, or those named.
fn leavers(args: &Args) -> Result<Vec<Leaver>, Failure> {
    if let Some(input) = &args.file {
        let objects = read(input)?;
        let Identity {
            username, groups, ..
        } = identity(&objects, input)?;
        let leaver = Leaver::user(&username, &groups).map_err(|error| refused(&error))?;
        return Ok(vec![match not_after(&objects) {
            Some(end) => leaver.until(&end),
            None => leaver,
        }]);
    }
    let user = args
        .user
        .iter()
        .map(|name| Leaver::user(name, &args.groups));
    let alone = if args.user.is_some() {
        &[][..]
    } else {
        &args.groups[..]
    };
    let leavers: Vec<_> = user
        .chain(alone.iter().map(|name| Leaver::group(name)))
        .collect::<Result<_, _>>()
        .map_err(|error| refused(&error))?;
    if leavers.is_empty() {
        return Err(nobody());
    }
    Ok(leavers)
}

fn nobody() -> Failure {
    Failure::could_not_run("nobody is named")
        .say("give --user NAME, --group NAME or a request or certificate")
}

fn read(input: &Stream) -> Result<Vec<Object>, Failure> {
    let contents = file::read(input, DEFAULT_LIMIT)?;
    let look = look(&contents);
    let names_somebody = matches!(
        look,
        Look::Certificate | Look::Request | Look::Object | Look::Kubeconfig | Look::OtherObject
    );
    if look.is_telling() && !names_somebody {
        return Err(Failure::wrong_file(input, look, Want::Person).judged());
    }
    let context = Context {
        now: OffsetDateTime::now_utc(),
        agreed: Agreed::default(),
        passphrase: None,
    };
    Ok(inspect(&input.source(), &contents, &context))
}

fn identity(objects: &[Object], input: &Stream) -> Result<Identity, Failure> {
    let identity = objects.iter().find_map(|object| object.identity.clone());
    identity.ok_or_else(|| {
        Failure::not_good(text!("{}: there is no user in it", input))
            .run(Command::ours("inspect").operand(input.typed()))
    })
}

/// When the certificate ends, where there is one.
fn not_after(objects: &[Object]) -> Option<String> {
    objects.iter().find_map(|object| {
        let issued = object
            .status
            .as_ref()
            .and_then(|status| status.certificate.as_ref());
        let certificate = object.certificate.as_ref().or(issued)?;
        Some(certificate.not_after.clone())
    })
}
