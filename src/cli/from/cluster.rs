//! The cluster, from a kubeconfig.

use std::env;
use std::path::{Path, PathBuf};

use kube_enroll::carrier;
use kube_enroll::certificate::Certificate;
use kube_enroll::error::Error;
use kube_enroll::kubeconfig::{Authority, Cluster, ClusterProblem, Kubeconfig, KubeconfigError};
use kube_enroll::looks::{Look, Want, look};
use kube_enroll::reply;
use kube_enroll::shell::Command;
use kube_enroll::text;
use kube_enroll::text::{Label, Show as _, Text};

use super::super::console::Console;
use super::super::failure::Failure;
use super::file::{self, DEFAULT_LIMIT, Stream};

/// Reads a cluster from kubeconfigs, merged as kubectl merges them, and puts the file of its
/// authority in; `server` takes the place of its address.
pub fn read(
    kubeconfigs: &[Stream],
    context: Option<&str>,
    chosen_by: &'static str,
    server: Option<&str>,
    console: &Console,
) -> Result<Cluster, Failure> {
    let files = load(kubeconfigs, chosen_by, console)?;
    choose(&files, context, chosen_by, server, console)
}

/// Reads kubeconfigs that a cluster is to be found in, whatever the way did to them; of a reply its own.
pub fn load(
    kubeconfigs: &[Stream],
    chosen_by: &'static str,
    console: &Console,
) -> Result<Vec<(Stream, Kubeconfig)>, Failure> {
    let mut files = Vec::new();
    for kubeconfig in kubeconfigs {
        let contents = file::read(kubeconfig, DEFAULT_LIMIT)?;
        let read = Kubeconfig::read(&contents).or_else(|error| {
            let undone = carrier::undo(&contents);
            if let Ok(read) = Kubeconfig::read(&undone.bytes) {
                console.note(text!("{}: {}", kubeconfig, undone.note()));
                return Ok(read);
            }
            let is_damaged = look(&undone.bytes).is_damaged();
            let read = reply::kubeconfig(&undone.bytes).filter(|_| !is_damaged);
            let read = read.ok_or(error)?;
            console.note(text!("{} is a reply: its cluster is taken", kubeconfig));
            Ok(read)
        });
        let read = read.map_err(|error| {
            no_kubeconfig(kubeconfig, &contents, &error)
                .unwrap_or_else(|| unusable(kubeconfig, None, &error, chosen_by))
        })?;
        files.push((kubeconfig.clone(), read));
    }
    Ok(files)
}

/// The cluster of a context in kubeconfigs that were read.
pub fn choose(
    files: &[(Stream, Kubeconfig)],
    context: Option<&str>,
    chosen_by: &'static str,
    server: Option<&str>,
    console: &Console,
) -> Result<Cluster, Failure> {
    let (mut cluster, kubeconfig) = find(files, context, chosen_by)?;
    if let Some(server) = server {
        server.clone_into(&mut cluster.server);
    }
    let kubeconfig = &kubeconfig;
    if let Authority::File(authority) = &cluster.authority {
        let file = Stream::from(beside(kubeconfig, authority));
        let pem = file::read(&file, DEFAULT_LIMIT)
            .map_err(|failure| no_authority_file(kubeconfig, authority, &failure))?;
        cluster.authority = Authority::from_pem(&pem);
    }
    if cluster.insecure {
        console.warn(text!(
            "{}: insecure-skip-tls-verify is not taken over; the user's kubectl will check the \
             server",
            kubeconfig
        ));
    }
    check(&cluster, kubeconfig, console)?;
    Ok(cluster)
}

/// The kubeconfig was written elsewhere, or by hand.
fn no_authority_file(kubeconfig: &Stream, named: &str, failure: &Failure) -> Failure {
    let what = text!(
        "certificate-authority names a file that cannot be read here: {}",
        failure.what()
    );
    Failure::about(kubeconfig, what)
        .say_if(
            named.starts_with('~'),
            "~ is a name like any other here: kubectl does not expand it to the home folder".into(),
        )
        .say("if it is of another machine, put the file into the kubeconfig there:")
        .run(
            Command::new("kubectl")
                .word("config")
                .word("view")
                .word("--raw")
                .word("--flatten")
                .word("--minify")
                .option("--kubeconfig", kubeconfig.typed()),
        )
}

/// The certificates of authorities in a file, as PEM, whatever the way did to it.
pub fn authorities(source: &Stream, console: &Console) -> Result<Vec<u8>, Failure> {
    let contents = file::read(source, DEFAULT_LIMIT)?;
    let read = |bytes: &[u8]| {
        let one = Certificate::from_der(bytes).map(|certificate| vec![certificate]);
        one.or_else(|_| Certificate::all_from_pem(bytes))
    };
    let found = read(&contents).or_else(|error| {
        let undone = carrier::undo(&contents);
        let found = read(&undone.bytes).map_err(|_| error)?;
        console.note(text!("{}: {}", source, undone.note()));
        Ok(found)
    });
    let found = found.map_err(|error| match error {
        Error::NoCertificate | Error::Malformed { .. } => {
            Failure::wrong_file(source, look(&contents), Want::Certificate)
        }
        error => Failure::in_file(source, &error),
    })?;
    if let [only] = &found[..]
        && !only.is_ca()
    {
        console.warn(text!(
            "{}: it is no certificate authority but the certificate of {}",
            source,
            only.subject()
        ));
    }
    let pem: String = found.iter().map(Certificate::to_pem).collect();
    Ok(pem.into_bytes())
}

/// The cluster of a context, and the file that it stands in: of each entry the first file that has it
/// counts, and so for the current context (clientcmd `ClientConfigLoadingRules.Load`).
fn find(
    files: &[(Stream, Kubeconfig)],
    context: Option<&str>,
    chosen_by: &'static str,
) -> Result<(Cluster, Stream), Failure> {
    if let [(source, kubeconfig)] = files {
        let cluster = kubeconfig.cluster(context);
        let cluster =
            cluster.map_err(|error| unusable(source, Some(kubeconfig), &error, chosen_by))?;
        return Ok((cluster, source.clone()));
    }
    let all = || Text::join(files.iter().map(|(source, _)| source.show()), ", ");
    let current = files
        .iter()
        .map(|(_, kubeconfig)| kubeconfig.current_context());
    let named = context.or_else(|| current.into_iter().find(|name| !name.is_empty()));
    let Some(named) = named else {
        return Err(
            Failure::about(all(), "there is no current context in any of them").say(text!(
                "name one with {} (kubectl config get-contexts lists them)",
                chosen_by
            )),
        );
    };
    let mut contexts = files
        .iter()
        .flat_map(|(_, kubeconfig)| kubeconfig.contexts());
    let Some((_, wanted, _)) = contexts.find(|(name, _, _)| *name == named) else {
        let what = text!("there is no context {} in any of them", Label::from(named));
        return Err(Failure::about(all(), what).say(text!(
            "name one with {} (kubectl config get-contexts lists them)",
            chosen_by
        )));
    };
    let found = files.iter().find_map(|(source, kubeconfig)| {
        let cluster = kubeconfig
            .clusters()
            .find(|cluster| cluster.name == wanted)?;
        Some((cluster, source.clone()))
    });
    found.ok_or_else(|| {
        let what = text!("there is no cluster {} in any of them", Label::from(wanted));
        Failure::about(all(), what)
    })
}

/// Refuses a cluster that kubectl could not use, and an address with a password in it. Without an
/// authority, kubectl trusts those of the system.
pub fn check(cluster: &Cluster, source: &Stream, console: &Console) -> Result<(), Failure> {
    if cluster.has_secrets() {
        return Err(Failure::not_good(text!(
            "{}: the address of the server or proxy has a user or password, a query (?) or a \
             fragment (#) in it, which would be sent along",
            source
        ))
        .say("write the address without it: it ends with the port or a path"));
    }
    let problem = match cluster.check() {
        Err(ClusterProblem::NoAuthority(_)) => {
            console.warn(text!(
                "{}: no certificate authority is named, so the server is checked against those of \
                 the system",
                source
            ));
            Ok(())
        }
        checked => checked,
    };
    if let Authority::Data(pem) = &cluster.authority
        && let Ok(authorities) = Certificate::all_from_pem(pem)
        && let [only] = &authorities[..]
        && !only.is_ca()
    {
        console.warn(text!(
            "{}: what is given as the cluster's certificate authority is none, but the certificate of {}",
            source,
            only.subject()
        ));
    }
    problem.map_err(|problem| {
        let failure = Failure::not_good(text!("{}: {}", source, problem));
        let address = "give its address with --server https://HOST:PORT";
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
            ClusterProblem::NoServer(_) | ClusterProblem::NoUrl(..) => failure.say(address),
            ClusterProblem::BadAuthority(name, _) => failure
                .say("put it in once more from its file (ca.crt of the control plane):")
                .run(
                    Command::new("kubectl")
                        .word("config")
                        .word("set-cluster")
                        .operand(name)
                        .option("--kubeconfig", source.typed())
                        .word("--embed-certs")
                        .option("--certificate-authority", "ca.crt"),
                ),
            _ => failure,
        }
    })
}

/// What a file is that is no kubeconfig. The place of what is wrong in YAML is worth more.
pub fn no_kubeconfig(source: &Stream, contents: &[u8], error: &KubeconfigError) -> Option<Failure> {
    let look = look(contents);
    let is_other = match error {
        KubeconfigError::WrongKind(_) => look != Look::Kubeconfig,
        KubeconfigError::Yaml(_) => {
            look.is_telling() && look != Look::Kubeconfig || look == Look::Binary
        }
        _ => look.is_damaged(),
    };
    is_other.then(|| Failure::wrong_file(source, look, Want::Kubeconfig))
}

/// What a kubeconfig lacks, and what to do.
pub fn unusable(
    source: &Stream,
    kubeconfig: Option<&Kubeconfig>,
    error: &KubeconfigError,
    chosen_by: &'static str,
) -> Failure {
    let failure = Failure::about(source, error);
    let file = |command: Command| command.option("--kubeconfig", source.typed());
    let config = || Command::new("kubectl").word("config");
    match error {
        KubeconfigError::NoCurrentContext
        | KubeconfigError::NoContext(_)
        | KubeconfigError::NoCluster { .. } => failure
            .say(text!("name a context with {}; those that are there:", chosen_by))
            .run(file(config().word("get-contexts"))),
        KubeconfigError::ManyClusters(_) => {
            let first = kubeconfig.and_then(|it| it.clusters().next());
            let name = first.map_or("CLUSTER".to_owned(), |cluster| cluster.name);
            failure
                .say(text!(
                    "make a context for the cluster that is meant, and name it with {}:",
                    chosen_by
                ))
                .run(file(
                    config()
                        .word("set-context")
                        .operand(&name)
                        .option("--cluster", &name),
                ))
        }
        KubeconfigError::Empty => failure.say(
            "name another kubeconfig, or make one: kubectl config view --raw --flatten --minify",
        ),
        KubeconfigError::Yaml(_)
        | KubeconfigError::WrongKind(_)
        | KubeconfigError::WrongType { .. }
        | KubeconfigError::Duplicate { .. } => failure.say(
            "kubectl does not take it either: mend that place, or take the file once more from where it came",
        ),
    }
}

/// The file that kubeconfigs name as the cluster's certificate authority, if it names one.
#[cfg(target_os = "linux")]
pub fn authority_file(kubeconfigs: &[PathBuf], context: Option<&str>) -> Option<PathBuf> {
    let mut files = Vec::new();
    for kubeconfig in kubeconfigs {
        let kubeconfig = Stream::from(kubeconfig.as_path());
        let contents = file::read(&kubeconfig, DEFAULT_LIMIT).ok()?;
        files.push((kubeconfig, Kubeconfig::read(&contents).ok()?));
    }
    let (cluster, kubeconfig) = find(&files, context, "--context").ok()?;
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

/// The files of `$KUBECONFIG` that are there, else `~/.kube/config` (clientcmd
/// `ClientConfigLoadingRules`), where `~` is `$HOME` and nothing else (client-go `homedir`).
pub fn default_kubeconfigs() -> Result<Vec<Stream>, Failure> {
    let listed = env::var_os("KUBECONFIG").unwrap_or_default();
    let listed: Vec<_> = env::split_paths(&listed)
        .filter(|path| !path.as_os_str().is_empty())
        .collect();
    let there: Vec<_> = listed.iter().filter(|path| path.exists()).collect();
    if !there.is_empty() {
        return Ok(there.into_iter().cloned().map(Stream::from).collect());
    }
    if let Some(path) = listed.first() {
        return Ok(vec![path.clone().into()]);
    }
    let home = env::var_os("HOME").filter(|home| !home.is_empty());
    let home = home.map(PathBuf::from).ok_or_else(|| {
        Failure::could_not_run("no kubeconfig is named, and there is no home folder (HOME)")
    })?;
    Ok(vec![home.join(".kube").join("config").into()])
}
