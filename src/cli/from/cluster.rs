//! The cluster, from a kubeconfig.

use std::env;
use std::path::{Path, PathBuf};

use kube_enroll::kubeconfig::{Authority, Cluster, ClusterProblem, Kubeconfig, KubeconfigError};
use kube_enroll::shell::Command;
use kube_enroll::text;

use super::super::console::Console;
use super::super::failure::Failure;
use super::file::{self, DEFAULT_LIMIT, Stream};

/// Reads a cluster from a kubeconfig and puts the file of its authority in.
pub fn read(
    kubeconfig: &Stream,
    context: Option<&str>,
    console: &Console,
) -> Result<Cluster, Failure> {
    let contents = file::read(kubeconfig, DEFAULT_LIMIT)?;
    let mut cluster = Kubeconfig::read(&contents)
        .and_then(|kubeconfig| kubeconfig.cluster(context))
        .map_err(|error| unusable(kubeconfig, &error))?;
    if let Authority::File(authority) = &cluster.authority {
        let authority = Stream::from(beside(kubeconfig, authority));
        let pem = file::read(&authority, DEFAULT_LIMIT)?;
        cluster.authority = Authority::from_pem(&pem);
    }
    if cluster.insecure {
        console.warn(text!(
            "{}: insecure-skip-tls-verify is not taken over; the user's kubectl will check the \
             server",
            kubeconfig
        ));
    }
    check(&cluster, kubeconfig)?;
    Ok(cluster)
}

/// Refuses a cluster that kubectl could not use.
pub fn check(cluster: &Cluster, source: &Stream) -> Result<(), Failure> {
    cluster.check().map_err(|problem| {
        let failure = Failure::not_good(text!("{}: {}", source, problem));
        match problem {
            ClusterProblem::LeftOut(_) => failure.say("use the kubeconfig itself, or:").run(
                Command::new("kubectl")
                    .word("config")
                    .word("view")
                    .word("--raw")
                    .word("--flatten")
                    .word("--minify"),
            ),
            ClusterProblem::NotHttps(_) => {
                failure.say("without https:// kubectl drops the certificate and nobody is told")
            }
            ClusterProblem::NoAuthority(_) => failure
                .say("set certificate-authority in the kubeconfig to the CA of the API server"),
            _ => failure,
        }
    })
}

fn unusable(kubeconfig: &Stream, error: &KubeconfigError) -> Failure {
    let failure = Failure::about(kubeconfig, error);
    match error {
        KubeconfigError::NoCurrentContext
        | KubeconfigError::NoContext(_)
        | KubeconfigError::ManyClusters(_) => {
            failure.say("name one with --context (kubectl config get-contexts lists them)")
        }
        _ => failure,
    }
}

/// The file that a kubeconfig names as the cluster's certificate authority, if it names one.
#[cfg(target_os = "linux")]
pub fn authority_file(kubeconfig: &Path, context: Option<&str>) -> Option<PathBuf> {
    let kubeconfig = Stream::from(kubeconfig);
    let contents = file::read(&kubeconfig, DEFAULT_LIMIT).ok()?;
    let cluster = Kubeconfig::read(&contents).ok()?.cluster(context).ok()?;
    match cluster.authority {
        Authority::File(authority) => Some(beside(&kubeconfig, &authority)),
        _ => None,
    }
}

/// client-go resolves against the folder of the kubeconfig.
fn beside(kubeconfig: &Stream, file: &str) -> PathBuf {
    let folder = kubeconfig.path().and_then(Path::parent);
    folder.unwrap_or(Path::new("")).join(file)
}

/// The first file of `$KUBECONFIG` that is there, else `~/.kube/config` (clientcmd
/// `ClientConfigLoadingRules`), where `~` is `$HOME` and nothing else (client-go `homedir`).
pub fn default_kubeconfig() -> Result<PathBuf, Failure> {
    let listed = env::var_os("KUBECONFIG").unwrap_or_default();
    let listed: Vec<_> = env::split_paths(&listed)
        .filter(|path| !path.as_os_str().is_empty())
        .collect();
    if let Some(path) = listed.iter().find(|path| path.exists()).or(listed.first()) {
        return Ok(path.clone());
    }
    let home = env::var_os("HOME").filter(|home| !home.is_empty());
    let home = home.map(PathBuf::from).ok_or_else(|| {
        Failure::could_not_run("no kubeconfig is given, and there is no home folder")
            .say("name it with --kubeconfig FILE")
    })?;
    Ok(home.join(".kube").join("config"))
}
