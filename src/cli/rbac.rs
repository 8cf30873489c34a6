//! `kube-enroll rbac`: role bindings, and how to take access away.

use std::fmt::Write as _;

use kube_enroll::inspect::{Context, inspect};
use kube_enroll::name::Identity;
use kube_enroll::policy::Agreed;
use kube_enroll::rbac::{APPROVER, Holder, Role, SUBJECT_LABEL, approver_role, binding};
use kube_enroll::yaml;
use serde_json::Value;
use time::OffsetDateTime;

use super::args::RbacArgs;
use super::console::Console;
use super::file::{self, DEFAULT_LIMIT};
use super::input::Input;
use super::message::Failure;
use super::{Verdict, shell};

/// Prints YAML for `kubectl apply -f -`, or the commands that revoke.
pub fn run(args: &RbacArgs, console: &Console) -> Result<Verdict, Failure> {
    if args.revoke {
        let holders = everyone(args)?;
        console.data(&revoke(&holders))?;
        return Ok(Verdict::Good);
    }
    let documents = if args.approver {
        approver(args)?
    } else {
        let role = role(args)?;
        let holders = holders(args)?;
        holders
            .iter()
            .map(|holder| binding(holder, &role))
            .collect()
    };
    let texts: Vec<_> = documents.iter().map(yaml::to_string).collect();
    console.data(&texts.join("---\n"))?;
    Ok(Verdict::Good)
}

fn role(args: &RbacArgs) -> Result<Role, Failure> {
    match (&args.role, &args.cluster_role) {
        (Some(name), _) => Ok(Role::Namespaced {
            name: name.clone(),
            namespace: args.namespace.clone().unwrap_or_default(),
        }),
        (None, Some(name)) => Ok(Role::Cluster {
            name: name.clone(),
            namespace: args.namespace.clone(),
        }),
        (None, None) => Err(Failure::could_not_run("no role is given").next(
            "give --cluster-role NAME (view, edit, admin, ...) or --role NAME with --namespace",
        )),
    }
}

fn approver(args: &RbacArgs) -> Result<Vec<Value>, Failure> {
    let role = Role::Cluster {
        name: APPROVER.to_owned(),
        namespace: None,
    };
    let mut documents = vec![approver_role()];
    if args.file.is_some() || args.user.is_some() || !args.groups.is_empty() {
        documents.extend(holders(args)?.iter().map(|holder| binding(holder, &role)));
    }
    Ok(documents)
}

/// Whom to bind: those named, or the groups of the file, or its user where it has none.
fn holders(args: &RbacArgs) -> Result<Vec<Holder>, Failure> {
    let Some(input) = &args.file else {
        return named(args);
    };
    let identity = identity(input)?;
    if identity.groups.is_empty() {
        return Ok(vec![Holder::User(identity.username)]);
    }
    Ok(identity.groups.into_iter().map(Holder::Group).collect())
}

/// Everyone whom access is to be taken from: the user of a file and its groups.
fn everyone(args: &RbacArgs) -> Result<Vec<Holder>, Failure> {
    let Some(input) = &args.file else {
        return named(args);
    };
    let identity = identity(input)?;
    let groups = identity.groups.into_iter().map(Holder::Group);
    Ok([Holder::User(identity.username)]
        .into_iter()
        .chain(groups)
        .collect())
}

fn named(args: &RbacArgs) -> Result<Vec<Holder>, Failure> {
    let user = args.user.iter().cloned().map(Holder::User);
    let groups = args.groups.iter().cloned().map(Holder::Group);
    let holders: Vec<_> = user.chain(groups).collect();
    if holders.is_empty() {
        return Err(Failure::could_not_run("nobody is named")
            .next("give --user NAME, --group NAME or a request or certificate"));
    }
    Ok(holders)
}

fn identity(input: &Input) -> Result<Identity, Failure> {
    let contents = file::read(input, DEFAULT_LIMIT)?;
    let context = Context {
        now: OffsetDateTime::now_utc(),
        agreed: Agreed::default(),
        passphrase: None,
    };
    inspect(&input.to_string(), &contents, &context)
        .into_iter()
        .find_map(|object| object.identity)
        .ok_or_else(|| {
            Failure::not_good(format!("{input}: there is no user in it")).next(format!(
                "look at it with kube-enroll inspect {}",
                shell::quote(&input.to_string())
            ))
        })
}

fn revoke(holders: &[Holder]) -> String {
    let mut text = String::from("# This takes away what was bound with kube-enroll rbac:\n\n");
    for holder in holders {
        let _ = writeln!(
            text,
            "kubectl delete rolebindings,clusterrolebindings --all-namespaces -l {SUBJECT_LABEL}={}",
            holder.label()
        );
    }
    text.push_str(
        "\n# Bindings made otherwise, and those of other groups of the user, stay: look at them with\n\
         #   kubectl get rolebindings,clusterrolebindings --all-namespaces -o wide\n\
         #\n\
         # The certificate itself stays valid until it ends: Kubernetes cannot revoke certificates.\n\
         # Its holder still authenticates, and has whatever is bound to its user and groups, to\n\
         # system:authenticated and to other groups in it. To end that too, replace the client\n\
         # certificate authority of the cluster; to make it short, ask for short lifetimes\n\
         # (kube-enroll request --expires-in 12h).\n",
    );
    text
}
