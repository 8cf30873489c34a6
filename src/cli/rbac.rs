//! `kube-enroll rbac`: role bindings, and how to take access away.

use kube_enroll::inspect::{Context, Object, inspect};
use kube_enroll::manifest::CLIENT_SIGNER;
use kube_enroll::name::Identity;
use kube_enroll::policy::Agreed;
use kube_enroll::rbac::{
    APPROVER, Grant, Leaver, RbacError, Subject, SystemNames, approver, binding,
};
use kube_enroll::shell::quote;
use kube_enroll::text::visible;
use kube_enroll::yaml;
use serde_json::Value;
use time::OffsetDateTime;

use super::Verdict;
use super::args::RbacArgs;
use super::console::Console;
use super::file::{self, DEFAULT_LIMIT};
use super::input::Input;
use super::message::Failure;

/// Prints YAML for `kubectl apply -f -`, or a script that takes access away.
pub fn run(args: &RbacArgs, console: &Console) -> Result<Verdict, Failure> {
    if args.revoke {
        let scripts: Vec<_> = leavers(args)?.iter().map(ToString::to_string).collect();
        console.data(&scripts.join("\n"))?;
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
    console.data(&texts.join("---\n"))?;
    Ok(Verdict::Good)
}

fn grant(args: &RbacArgs) -> Result<Grant, Failure> {
    let namespace = args.namespace.as_deref();
    match (&args.role, &args.cluster_role) {
        (Some(name), _) => Grant::role(name, namespace).map_err(|error| refused(&error)),
        (None, Some(name)) => Grant::cluster_role(name, namespace).map_err(|error| refused(&error)),
        (None, None) => Err(Failure::could_not_run("no role is given").next(
            "give --cluster-role NAME (view, edit, admin, ...) or --role NAME with --namespace",
        )),
    }
}

fn refused(error: &RbacError) -> Failure {
    let failure = Failure::could_not_run(visible(&error.to_string()).to_string());
    match error {
        RbacError::System { .. } => failure.next("if that is really meant, add --allow-system"),
        _ => failure,
    }
}

/// The approver's role, and bindings to it where somebody is named.
fn approvers(args: &RbacArgs) -> Result<Vec<Value>, Failure> {
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
fn subjects(args: &RbacArgs) -> Result<Vec<Subject>, Failure> {
    let system = if args.allow_system {
        SystemNames::Allow
    } else {
        SystemNames::Refuse
    };
    if let Some(input) = &args.file {
        let Identity { username, groups } = identity(&read(input)?, input)?;
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
fn leavers(args: &RbacArgs) -> Result<Vec<Leaver>, Failure> {
    if let Some(input) = &args.file {
        let objects = read(input)?;
        let Identity { username, groups } = identity(&objects, input)?;
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
        .next("give --user NAME, --group NAME or a request or certificate")
}

fn read(input: &Input) -> Result<Vec<Object>, Failure> {
    let contents = file::read(input, DEFAULT_LIMIT)?;
    let context = Context {
        now: OffsetDateTime::now_utc(),
        agreed: Agreed::default(),
        passphrase: None,
    };
    Ok(inspect(&input.to_string(), &contents, &context))
}

fn identity(objects: &[Object], input: &Input) -> Result<Identity, Failure> {
    let identity = objects.iter().find_map(|object| object.identity.clone());
    identity.ok_or_else(|| {
        let path = quote(&input.to_string());
        Failure::not_good(format!("{input}: there is no user in it"))
            .next(format!("look at it with kube-enroll inspect {path}"))
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
