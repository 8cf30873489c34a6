//! `kube-enroll reply`: the issued object and the cluster's address, in one file to send back.

use std::env;
use std::path::{Path, PathBuf};

use kube_enroll::kubeconfig::{Authority, Cluster, ClusterProblem, Kubeconfig, KubeconfigError};
use kube_enroll::manifest::CertificateSigningRequest;
use kube_enroll::reply::{self, Reply, ReplyError};
use kube_enroll::shell::quote;

use super::args::ReplyArgs;
use super::console::{Console, report_failure};
use super::file::{Access, DEFAULT_LIMIT, NewFiles};
use super::input::Input;
use super::message::Failure;
use super::{Verdict, file, outcome};

/// A list of thousands of requests, in bytes.
pub const LIMIT: u64 = 256 << 20;

/// Writes what is issued, and explains what is not.
pub fn run(args: &ReplyArgs, console: &Console) -> Result<Verdict, Failure> {
    let requests = read_requests(&args.file)?;
    let (issued, others): (Vec<_>, Vec<_>) = requests
        .iter()
        .map(|request| outcome::require_issued(request).map(|()| request))
        .partition(Result::is_ok);
    for failure in others.iter().filter_map(|other| other.as_ref().err()) {
        report_failure(failure);
    }
    if issued.is_empty() {
        return Ok(Verdict::NotGood);
    }
    let cluster = cluster(args, console)?;
    let issued: Vec<&CertificateSigningRequest> = issued.into_iter().flatten().collect();
    let text = reply::write(&issued, &cluster);
    match args.out.path() {
        None => console.data(&text)?,
        Some(path) => {
            let mut files = NewFiles::new(console);
            files.create(path, text.as_bytes(), Access::Everyone)?;
            files.keep()?;
            console.say(&next_steps(path))?;
        }
    }
    Ok(if others.is_empty() {
        Verdict::Good
    } else {
        Verdict::NotGood
    })
}

fn next_steps(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    format!(
        "  {}  nothing in it is secret\n\nSend it back. The user runs:\n\n  kube-enroll kubeconfig {}\n",
        path.display(),
        quote(&name)
    )
}

fn read_requests(input: &Input) -> Result<Vec<CertificateSigningRequest>, Failure> {
    let contents = file::read(input, LIMIT)?;
    match Reply::read(&contents) {
        Ok(Reply { requests, .. }) if !requests.is_empty() => Ok(requests),
        Ok(_) => Err(Failure::could_not_run(format!(
            "{input}: a certificate alone; the object is needed"
        ))
        .next("run: kubectl get csr NAME -o yaml | kube-enroll reply")),
        Err(ReplyError::Empty | ReplyError::NothingIssued) => {
            Err(outcome::gone(&input.to_string()))
        }
        Err(error) => Err(Failure::could_not_run(format!("{input}: {error}"))),
    }
}

/// The cluster of the admin's kubeconfig, its certificate authority put in.
fn cluster(args: &ReplyArgs, console: &Console) -> Result<Cluster, Failure> {
    let path = kubeconfig_path(args)?;
    let cluster = read_cluster(&path, args.context.as_deref(), console)?;
    if cluster.has_userinfo() {
        console.warn(format!(
            "{}: user and password of server or proxy are not taken over; the user needs others",
            path.display()
        ));
    }
    Ok(cluster)
}

/// The kubeconfig to take the cluster from.
pub fn kubeconfig_path(args: &ReplyArgs) -> Result<PathBuf, Failure> {
    match &args.kubeconfig {
        Some(path) => Ok(path.clone()),
        None => default_kubeconfig(),
    }
}

/// The file that a kubeconfig names as the cluster's certificate authority, if it names one.
#[cfg(target_os = "linux")]
pub fn authority_file(kubeconfig: &Path, context: Option<&str>) -> Option<PathBuf> {
    let contents = file::read(&Input::from(kubeconfig.to_owned()), DEFAULT_LIMIT).ok()?;
    match Kubeconfig::read(&contents)
        .ok()?
        .cluster(context)
        .ok()?
        .authority
    {
        Authority::File(authority) => Some(beside(kubeconfig, &authority)),
        _ => None,
    }
}

/// client-go resolves against the folder of the kubeconfig.
fn beside(kubeconfig: &Path, file: &str) -> PathBuf {
    kubeconfig.parent().unwrap_or(Path::new("")).join(file)
}

/// Reads a cluster from a kubeconfig and puts the file of its authority in.
pub fn read_cluster(
    path: &Path,
    context: Option<&str>,
    console: &Console,
) -> Result<Cluster, Failure> {
    let input = Input::from(path.to_owned());
    let contents = file::read(&input, DEFAULT_LIMIT)?;
    let mut cluster = Kubeconfig::read(&contents)
        .and_then(|kubeconfig| kubeconfig.cluster(context))
        .map_err(|error| unusable(&input, &error))?;
    if let Authority::File(authority) = &cluster.authority {
        let authority = Input::from(beside(path, authority));
        let pem = file::read(&authority, DEFAULT_LIMIT)?;
        cluster.authority = Authority::from_pem(&pem);
    }
    if cluster.insecure {
        console.warn(format!(
            "{input}: insecure-skip-tls-verify is not taken over; the user's kubectl will check the server"
        ));
    }
    check_cluster(&cluster, &input.to_string())?;
    Ok(cluster)
}

/// Refuses a cluster that kubectl could not use.
pub fn check_cluster(cluster: &Cluster, source: &str) -> Result<(), Failure> {
    cluster.check().map_err(|problem| {
        let failure = Failure::not_good(format!("{source}: {problem}"));
        match problem {
            ClusterProblem::LeftOut(_) => failure.next(
                "use the kubeconfig itself, or: kubectl config view --raw --flatten --minify",
            ),
            ClusterProblem::NotHttps(_) => {
                failure.next("without https:// kubectl drops the certificate and nobody is told")
            }
            ClusterProblem::NoAuthority(_) => failure
                .next("set certificate-authority in the kubeconfig to the CA of the API server"),
            _ => failure,
        }
    })
}

fn unusable(input: &Input, error: &KubeconfigError) -> Failure {
    let failure = Failure::could_not_run(format!("{input}: {error}"));
    match error {
        KubeconfigError::NoCurrentContext
        | KubeconfigError::NoContext(_)
        | KubeconfigError::ManyClusters(_) => {
            failure.next("name one with --context (kubectl config get-contexts lists them)")
        }
        _ => failure,
    }
}

/// The first file of `$KUBECONFIG` that is there, else `~/.kube/config` (clientcmd
/// `ClientConfigLoadingRules`), where `~` is `$HOME` and nothing else (client-go `homedir`).
fn default_kubeconfig() -> Result<PathBuf, Failure> {
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
            .next("name it with --kubeconfig FILE")
    })?;
    Ok(home.join(".kube").join("config"))
}
