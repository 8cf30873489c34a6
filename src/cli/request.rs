//! `kube-enroll request`: a private key, a request for it, and the manifest to carry over.

use std::path::{Path, PathBuf};

use getrandom::SysRng;
use kube_enroll::config::{self, RequestConfig};
use kube_enroll::csr::{CertificationRequest, RequestedExtension};
use kube_enroll::inspect::{Context, Object, Style, inspect, report};
use kube_enroll::key::{Algorithm, EncodedKey, PrivateKey};
use kube_enroll::manifest::{Manifest, slug};
use kube_enroll::name::Subject;
use kube_enroll::policy::Agreed;
use kube_enroll::secret::Passphrase;
use kube_enroll::shell::quote;
use time::OffsetDateTime;

use super::args::{PassphraseArgs, RequestArgs};
use super::console::Console;
use super::file::{Access, DEFAULT_LIMIT, NewFiles};
use super::input::Input;
use super::message::Failure;
use super::{Verdict, file, passphrase};

/// Everything that was asked for, by the command line, else by the configuration, else by default.
struct Wanted {
    subject: Subject,
    algorithm: Algorithm,
    config: RequestConfig,
}

/// The files of one request.
struct Paths {
    key: PathBuf,
    request: PathBuf,
    manifest: PathBuf,
}

/// Makes the key and the request, checks what was built, and writes it.
pub fn run(args: &RequestArgs, console: &Console) -> Result<Verdict, Failure> {
    let wanted = resolve(args, console)?;
    let subject = &wanted.subject;
    let extensions = &wanted.config.extensions;
    let (key, request, new_key) = match &args.key {
        Some(path) => {
            let key = existing_key(path, &args.passphrase, console)?;
            let request = CertificationRequest::build(subject, extensions, &key, &mut SysRng)?;
            (key, request, None)
        }
        None => {
            // What would overwrite is refused before anything is asked or computed.
            refuse_known_paths(&wanted, &args.output_dir)?;
            let passphrase = new_passphrase(&args.passphrase, console)?;
            let (key, request) = new_request(subject, extensions, wanted.algorithm, console)?;
            let text = passphrase::encode(&key, passphrase.as_ref())?;
            (key, request, Some((text, passphrase.is_some())))
        }
    };
    let manifest = manifest(&wanted, &request);
    let paths = Paths::new(
        &wanted,
        &manifest.name,
        &args.output_dir,
        args.key.as_deref(),
    );
    let yaml = manifest.to_yaml();
    let objects = read_back(&paths.manifest, &yaml, &wanted)?;

    let mut files = NewFiles::new(console);
    files.create_folder(&args.output_dir)?;
    if let Some((text, _)) = &new_key {
        files.create(&paths.key, text.expose().as_bytes(), Access::Owner)?;
    }
    files.create(
        &paths.request,
        request.to_pem().as_bytes(),
        Access::Everyone,
    )?;
    files.create(&paths.manifest, yaml.as_bytes(), Access::Everyone)?;
    files.keep()?;

    console.say(&report(&objects, Style::Text(console.look())))?;
    let encrypted = new_key.map(|(_, encrypted)| encrypted);
    let fingerprint = key.public_key().fingerprint().to_string();
    console.say(&next_steps(
        &wanted,
        &paths,
        &manifest.name,
        &fingerprint,
        encrypted,
    ))?;
    Ok(Verdict::Good)
}

fn resolve(args: &RequestArgs, console: &Console) -> Result<Wanted, Failure> {
    let mut config = match &args.config {
        Some(path) => read_config(path, console)?,
        None => RequestConfig::default(),
    };
    if !args.with_extensions {
        config.extensions.clear();
    }
    let user = args
        .user
        .clone()
        .or_else(|| config.user.clone())
        .ok_or_else(|| {
            Failure::could_not_run("no user is given, neither here nor in the configuration")
                .next("name the user: kube-enroll request USER --config FILE")
        })?;
    let groups = if args.groups.is_empty() {
        &config.groups
    } else {
        &args.groups
    };
    let subject =
        Subject::new(&user, groups, args.allow_system).map_err(|error| refused_subject(&error))?;
    config.expires_in = args.expires_in.or(config.expires_in);
    config.signer = args.signer.clone().or(config.signer);
    config.name = args.name.clone().or(config.name);
    Ok(Wanted {
        subject,
        algorithm: args.algorithm.or(config.algorithm).unwrap_or_default(),
        config,
    })
}

fn read_config(path: &Path, console: &Console) -> Result<RequestConfig, Failure> {
    let input = Input::from(path.to_owned());
    let contents = file::read(&input, DEFAULT_LIMIT)?;
    let config = config::read(&contents)
        .map_err(|error| Failure::could_not_run(format!("{input}: {error}")))?;
    for note in &config.notes {
        console.warn(format!("{input}: {note}"));
    }
    Ok(config)
}

fn refused_subject(error: &kube_enroll::name::SubjectError) -> Failure {
    use kube_enroll::name::SubjectProblem as Problem;
    let failure = Failure::could_not_run(error.to_string());
    match error.problem {
        Problem::System => failure.next("if that is really meant, add --allow-system"),
        Problem::Masters => {
            failure.next("ask for a group that RBAC binds to cluster-admin instead")
        }
        _ => failure,
    }
}

/// Refuses the file names that are known before there is a key.
fn refuse_known_paths(wanted: &Wanted, folder: &Path) -> Result<(), Failure> {
    let Some(stem) = safe_file_name(wanted.subject.user()) else {
        return Ok(());
    };
    let paths = Paths::with_stem(stem, folder);
    [&paths.key, &paths.request, &paths.manifest]
        .into_iter()
        .try_for_each(|path| file::refuse_existing(path))
}

fn existing_key(
    path: &Path,
    passphrase: &PassphraseArgs,
    console: &Console,
) -> Result<PrivateKey, Failure> {
    let input = Input::from(path.to_owned());
    let contents = file::read(&input, DEFAULT_LIMIT)?;
    let in_file = |error| Failure::in_file(&input, &error);
    let key = EncodedKey::find(&contents).map_err(in_file)?;
    file::warn_exposed(path, console);
    let passphrase = match &passphrase.passphrase_file {
        Some(path) => Some(passphrase::from_file(path)?),
        None if key.is_encrypted() && console.can_ask() => {
            Some(passphrase::ask_existing(&input.to_string())?)
        }
        None => None,
    };
    key.open(passphrase.as_ref()).map_err(in_file)
}

/// A plaintext key is only made when that is what was asked for.
fn new_passphrase(args: &PassphraseArgs, console: &Console) -> Result<Option<Passphrase>, Failure> {
    if args.no_passphrase {
        return Ok(None);
    }
    if let Some(path) = &args.passphrase_file {
        return passphrase::from_file(path).map(Some);
    }
    if console.can_ask() {
        return passphrase::ask_new("Passphrase for the new key (empty for none)");
    }
    Err(
        Failure::could_not_run("there is no terminal to ask for a passphrase").next(
            "give --passphrase-file FILE, or --no-passphrase for a key that is not encrypted",
        ),
    )
}

/// Makes a key and a request for it, with a spinner while it takes its time.
pub fn new_request(
    subject: &Subject,
    extensions: &[RequestedExtension],
    algorithm: Algorithm,
    console: &Console,
) -> Result<(PrivateKey, CertificationRequest), Failure> {
    let _spinner = console.spinner(&format!("making an {algorithm} key"));
    let made =
        CertificationRequest::build_with_new_key(subject, extensions, algorithm, &mut SysRng)?;
    Ok(made)
}

fn manifest(wanted: &Wanted, request: &CertificationRequest) -> Manifest {
    let mut manifest = Manifest::new(wanted.subject.user(), request);
    if let Some(name) = &wanted.config.name {
        manifest.name.clone_from(name);
    }
    if let Some(signer) = &wanted.config.signer {
        manifest.signer.clone_from(signer);
    }
    manifest.expiration = wanted.config.expires_in;
    manifest
}

/// What the reading side sees in the manifest; a request that the cluster would refuse is not
/// written at all.
fn read_back(path: &Path, yaml: &str, wanted: &Wanted) -> Result<Vec<Object>, Failure> {
    let context = Context {
        now: OffsetDateTime::now_utc(),
        agreed: Agreed {
            user: Some(wanted.subject.user()),
            groups: wanted.subject.groups(),
        },
        passphrase: None,
    };
    let objects = inspect(&path.display().to_string(), yaml.as_bytes(), &context);
    let refused = objects
        .iter()
        .filter(|object| {
            !object
                .prediction
                .is_some_and(|prediction| prediction.accepted)
        })
        .flat_map(|object| &object.findings)
        .next();
    match refused {
        Some(finding) => Err(Failure::could_not_run(format!(
            "the API server would refuse this: {} ({})",
            finding.message, finding.field
        ))),
        None => Ok(objects),
    }
}

impl Paths {
    fn new(wanted: &Wanted, name: &str, folder: &Path, existing_key: Option<&Path>) -> Self {
        let user = wanted.subject.user();
        let mut paths = Self::with_stem(&file_stem(user, name), folder);
        if let Some(key) = existing_key {
            key.clone_into(&mut paths.key);
        }
        paths
    }

    fn with_stem(stem: &str, folder: &Path) -> Self {
        let folder = if folder == Path::new(".") {
            Path::new("")
        } else {
            folder
        };
        let file = |suffix: &str| folder.join(format!("{stem}{suffix}"));
        Self {
            key: file(".key"),
            request: file(".csr"),
            manifest: file(".csr.yaml"),
        }
    }
}

/// The user name, where it is a file name that needs no care anywhere.
fn safe_file_name(user: &str) -> Option<&str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._@+-".contains(c);
    let safe = !user.starts_with(['.', '-']) && !user.is_empty() && user.chars().all(plain);
    safe.then_some(user)
}

/// What files are named after: the user, else the slug of another name for the same.
pub fn file_stem(user: &str, name: &str) -> String {
    let stem = safe_file_name(user).map_or_else(|| slug(name), str::to_owned);
    if stem.is_empty() {
        "user".to_owned()
    } else {
        stem
    }
}

fn next_steps(
    wanted: &Wanted,
    paths: &Paths,
    name: &str,
    fingerprint: &str,
    encrypted: Option<bool>,
) -> String {
    let files = list_files(paths, encrypted);
    let file_name = paths.manifest.file_name().unwrap_or_default();
    let sent = quote(&file_name.to_string_lossy());
    let reply = sent.replace(".csr.yaml", ".reply.yaml");
    let groups = match wanted.subject.groups() {
        [] => "--no-groups".to_owned(),
        groups => {
            let flags: Vec<_> = groups
                .iter()
                .map(|group| format!("--group {}", quote(group)))
                .collect();
            flags.join(" ")
        }
    };
    let user = quote(wanted.subject.user());
    let name = quote(name);
    format!(
        "
{files}

Send {sent} to an administrator of the cluster. Tell them the
fingerprint another way, such as by telephone:

  {fingerprint}

The administrator checks, applies and approves it, and sends the reply back:

  kube-enroll verify {sent} --user {user} {groups} \\
    --fingerprint {fingerprint}
  kubectl apply -f {sent}
  kubectl certificate approve {name}
  kubectl get csr {name} -o yaml |
    kube-enroll reply --out {reply}

Then, here:

  kube-enroll kubeconfig {reply}
"
    )
}

/// The files and what each is, in two columns.
fn list_files(paths: &Paths, encrypted: Option<bool>) -> String {
    let key = match encrypted {
        None => "your private key: it stays here",
        Some(true) => "your private key, encrypted: it stays here",
        Some(false) => "your private key, NOT encrypted: it stays here",
    };
    let files = [
        (&paths.key, key),
        (&paths.request, "the request"),
        (&paths.manifest, "the manifest: send this one"),
    ]
    .map(|(path, about)| (quote(&path.display().to_string()), about));
    let width = files.iter().map(|(path, _)| path.chars().count()).max();
    let width = width.unwrap_or_default();
    let lines = files.map(|(path, about)| format!("  {path:width$}  {about}"));
    lines.join("\n")
}
