//! The preferences that kubectl has here, and what it runs here.

use std::collections::BTreeSet;
use std::env;
use std::path::PathBuf;

use kube_enroll::kubeconfig::Kubeconfig;
use kube_enroll::kuberc::Kuberc;

use super::cluster::default_kubeconfigs;
use super::file::{self, DEFAULT_LIMIT, Stream};
use super::program::own_command;

/// The file, and whether `$KUBERC` names it (k8s.io/kubectl/pkg/kuberc `DefaultGetPreferences`); nothing
/// where kubectl is told to look at none.
fn named() -> Option<(PathBuf, bool)> {
    if env::var_os("KUBECTL_KUBERC").is_some_and(|is_on| is_on == "false") {
        return None;
    }
    let set = |name| env::var_os(name).filter(|value| !value.is_empty());
    match set("KUBERC") {
        Some(named) if named == "off" => None,
        Some(named) => Some((named.into(), true)),
        None => Some((PathBuf::from(set("HOME")?).join(".kube/kuberc"), false)),
    }
}

/// The files of which `inspect` may have to read some besides.
pub fn reach() -> Vec<Stream> {
    let mut files = default_kubeconfigs().unwrap_or_default();
    files.extend(named().map(|(path, _)| path.into()));
    files
}

/// What kubectl has here, where that can be read.
pub fn in_use() -> Option<(PathBuf, Kuberc)> {
    let (path, is_named) = named()?;
    if !path.is_file() {
        return None;
    }
    let contents = file::read(&path.clone().into(), DEFAULT_LIMIT).ok()?;
    let kuberc = Kuberc::read(&contents);
    let kuberc = if is_named { kuberc.named() } else { kuberc };
    Some((path, kuberc))
}

/// How the kubeconfig in use names this program, in each way that it does; how a new one would, where it
/// does not.
pub fn commands() -> Vec<String> {
    let mut commands = BTreeSet::new();
    for kubeconfig in default_kubeconfigs().unwrap_or_default() {
        let is_file = kubeconfig.path().is_some_and(std::path::Path::is_file);
        let contents = is_file.then(|| file::read(&kubeconfig, DEFAULT_LIMIT).ok());
        let read = contents
            .flatten()
            .map(|contents| Kubeconfig::read(&contents));
        if let Some(Ok(read)) = read {
            let named = read.auth_infos().filter_map(|user| user.exec);
            commands.extend(named.map(|exec| exec.command.to_owned()));
        }
    }
    if commands.is_empty() {
        commands.insert(own_command());
    }
    commands.into_iter().collect()
}
