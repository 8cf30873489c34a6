//! What a dry run shows: every file with the entries that would be written into it, and nothing secret.

use kube_enroll::kubeconfig::{Compared, Credential, Kubeconfig};
use kube_enroll::shell::quoted;
use kube_enroll::text;
use kube_enroll::text::{Label, Show as _, Text};

use super::super::from::file::Stream;
use super::super::to::files;
use super::plan::Planned;

/// A kubeconfig beside what was there before.
pub(super) fn plan(
    stream: &Stream,
    before: Option<&[u8]>,
    after: &Kubeconfig,
    added: &[&Planned],
) -> Text {
    let (file, holds_it) = match stream.path() {
        Some(path) => (quoted(path), before.is_some()),
        None => ("standard output".into(), false),
    };
    // What is there was read before; where there is nothing, all is new.
    let there = Kubeconfig::read(before.unwrap_or_default());
    let compared =
        |list: &str, name: &str| match there.as_ref().map(|it| after.compared(it, list, name)) {
            Ok(Compared::Same) => "stays as it is",
            Ok(Compared::Replaced) => "takes the place of the one there",
            Ok(Compared::New) | Err(_) => "new",
        };
    let head = if holds_it {
        "is there, and has these entries afterwards"
    } else {
        "new"
    };
    let mut lines = vec![text!("{}: {}\n", file, head)];
    for planned in added {
        let entry = &planned.entry;
        let mut contexts = after.contexts();
        let user = contexts.find(|(name, ..)| *name == entry.context);
        let user = user.map_or(entry.user.as_str(), |(_, _, user)| user);
        lines.push(text!(
            "  context {}: {}\n  cluster {} at {}: {}\n  user {}, {}: {}\n    {}\n",
            Label::from(entry.context.as_str()),
            compared("contexts", &entry.context),
            Label::from(entry.cluster.name.as_str()),
            Label::from(entry.cluster.without_secrets().server),
            compared("clusters", &entry.cluster.name),
            Label::from(user),
            holder(planned),
            compared("users", user),
            key(&entry.credential)
        ));
    }
    for (path, pem) in added.iter().filter_map(|it| it.certificate_file.as_ref()) {
        let state = if files::holds(path, pem) {
            "is there already"
        } else {
            "new"
        };
        lines.push(text!("{}: {}\n", quoted(path), state));
    }
    let current = after.current_context();
    if there.is_ok_and(|it| it.current_context() != current) {
        lines.push(text!("  {} is the current context\n", Label::from(current)));
    }
    Text::join(lines, "")
}

/// Whom the certificate is for, and until when.
fn holder(planned: &Planned) -> Text {
    let identity = planned.entry.certificate.subject().identity();
    let (user, groups) = identity.map_or_else(Default::default, |it| (it.username, it.groups));
    let groups = groups.into_iter().map(|group| Label::from(group).show());
    text!(
        "{} ({}) until {}",
        Label::from(user),
        Text::join(groups, ", "),
        planned.until
    )
}

fn key(credential: &Credential) -> Text {
    match credential {
        Credential::Embedded { .. } => "certificate and private key are in the kubeconfig".into(),
        Credential::Files { certificate, key } => text!(
            "certificate and private key are read from {} and {}",
            quoted(certificate),
            quoted(key)
        ),
        Credential::Exec(exec) => text!(
            "kubectl asks {} for the private key in {}",
            quoted(&exec.command),
            quoted(exec.key.as_deref().unwrap_or_default())
        ),
    }
}
