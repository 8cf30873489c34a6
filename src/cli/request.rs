//! `kube-enroll request`: a private key, a request for it, and the manifest to carry over.

// These comments are the help texts, where backticks would be shown.
#![allow(clippy::doc_markdown)]

use std::env;
use std::path::{Path, PathBuf};

use getrandom::SysRng;
use kube_enroll::certificate::Certificate;
use kube_enroll::config::{self, RequestConfig, Settings};
use kube_enroll::csr::{CertificationRequest, RequestedExtension};
use kube_enroll::inspect::{Context, Object, Style, inspect, report};
use kube_enroll::key::{Algorithm, Fingerprint, PrivateKey};
use kube_enroll::lifetime::Lifetime;
use kube_enroll::looks::{Look, Want, look};
use kube_enroll::manifest::{CLIENT_SIGNER, Manifest, contents_hash, slug};
use kube_enroll::name::Subject;
use kube_enroll::policy::Agreed;
use kube_enroll::shell::{Command, quoted};
use kube_enroll::text;
use kube_enroll::text::{Label, Show as _, Text};
use time::OffsetDateTime;

use super::args::algorithm_parser;
use super::console::Console;
use super::failure::{Failure, is_free};
use super::from::file::{self, DEFAULT_LIMIT, Stream};
use super::from::keys::{self, FoundKey};
use super::from::passphrase::{self, NewPassphraseArgs};
use super::from::requests;
use super::hint::{self, Again};
use super::os::privacy;
use super::os::sandbox::Reach;
use super::renew::Renewal;
use super::to::files::{self, Access, NewFiles, folder_of};
use super::to::names;
use super::{Action, Verdict};

mod own;
mod roster;

#[derive(Debug, Default, clap::Args)]
#[command(after_help = "\
Examples:
  kube-enroll request alice --group developers
  kube-enroll request alice -g developers -g oncall --expires-in 90d --algorithm ecdsa-p256
  kube-enroll request --config csr.cnf
  kube-enroll request alice --key alice.key
  kube-enroll request --csr from-the-token.csr
  kube-enroll request --roster lab.csv --output-dir keys --no-passphrase")]
pub struct Args {
    /// The user name: the CN of the certificate
    #[arg(required_unless_present_any = ["config", "csr", "roster"])]
    pub user: Option<String>,
    /// A group: an O of the certificate (repeat for more)
    #[arg(
        short,
        long = "group",
        value_name = "GROUP",
        allow_hyphen_values = true
    )]
    pub groups: Vec<String>,
    /// The kind of key to make [default: rsa-4096]
    #[arg(long, value_name = "ALGORITHM", value_parser = algorithm_parser(), conflicts_with = "key")]
    pub algorithm: Option<Algorithm>,
    /// Use this private key (PKCS#8, PKCS#1 or SEC1; PEM or DER) instead of making one
    #[arg(long, value_name = "FILE")]
    pub key: Option<Stream>,
    /// Wrap this request, of a hardware key, keytool, certreq or openssl (PEM or DER), into a
    /// manifest; no key is read or written
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["key", "algorithm", "passphrase_file", "generate_passphrase", "no_passphrase", "with_extensions"]
    )]
    pub csr: Option<Stream>,
    /// Make keys and requests for the robots, a class or a lab of this roster: CSV with the columns user,
    /// groups (a;b), algorithm and expires-in, or the same as a YAML list
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["user", "groups", "key", "csr", "config", "name"]
    )]
    pub roster: Option<Stream>,
    /// With --roster: how to write who has which key
    #[arg(short, long, value_enum, value_name = "FORMAT", requires = "roster")]
    pub output: Option<roster::Format>,
    /// The lifetime to ask for: 90d, 2160h, 1d12h or seconds, at least 10m (units: y w d h m s)
    #[arg(long, value_name = "LIFETIME")]
    pub expires_in: Option<Lifetime>,
    /// The signer to ask [default: kubernetes.io/kube-apiserver-client]
    #[arg(long, value_name = "NAME")]
    pub signer: Option<String>,
    /// metadata.name of the manifest [default: the user and a hash of all that is asked for]
    #[arg(long)]
    pub name: Option<String>,
    /// The folder to write to
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub output_dir: PathBuf,
    #[command(flatten)]
    pub passphrase: NewPassphraseArgs,
    /// A team's defaults (YAML), or an OpenSSL request configuration
    #[arg(long, value_name = "FILE")]
    pub config: Option<Stream>,
    /// Put the extensions of the OpenSSL configuration into the request
    #[arg(long, requires = "config")]
    pub with_extensions: bool,
    /// Allow users and groups that start with system:
    #[arg(long)]
    pub allow_system: bool,
}

impl Action for Args {
    fn reach(&self) -> Reach {
        let passphrase = self.passphrase.passphrase_file.as_ref();
        // Earlier requests of the key are looked for.
        let reach = match &self.key {
            Some(_) => Reach::default().list(&self.output_dir),
            None => Reach::default(),
        };
        // A key for each row.
        let reach = match &self.roster {
            Some(_) => reach.with_work(1 << 20, DEFAULT_LIMIT),
            None => reach,
        };
        reach
            .read(&self.key)
            .read(&self.csr)
            .read(&self.config)
            .read(&self.roster)
            .read(passphrase)
            .read_in(
                self.key
                    .as_ref()
                    .or(self.csr.as_ref())
                    .or(self.roster.as_ref())
                    .map(|_| self.output_dir.as_path()),
            )
            .make([self.output_dir.as_path()], Access::Owner)
    }

    /// Makes the key and the request, checks what was built, and writes it.
    fn run(&self, console: &Console) -> Result<Verdict, Failure> {
        check_place("request", &self.output_dir)?;
        match (&self.csr, &self.roster) {
            (Some(file), _) => own::wrap(self, file, console),
            (None, Some(file)) => roster::make(self, file, console),
            (None, None) => self.make(self.config(console)?, Key::AsTyped, None, &[], console),
        }
    }
}

/// Fails before anything is asked or made where nothing can be written; with the line that writes
/// elsewhere.
pub fn check_place(command: &'static str, folder: &Path) -> Result<(), Failure> {
    files::refuse_unwritable(folder).map_err(|failure| {
        let failure = failure.with_no_hints();
        let home = env::var_os("HOME").map(PathBuf::from);
        let home = home.filter(|home| home.is_dir() && files::refuse_unwritable(home).is_ok());
        match home {
            Some(home) => failure
                .say("name a folder that you may write to with --output-dir:")
                .run(
                    Again::of(command)
                        .with("output-dir", home.join("kube-enroll"))
                        .command(),
                ),
            None => failure.say("name a folder that you may write to with --output-dir DIR"),
        }
    })
}

/// The key of a request.
pub enum Key {
    /// That of the command line, else a new one.
    AsTyped,
    /// One that was opened already.
    File(FoundKey),
    /// One that is in no file of its own, and is written to one.
    Loose(PrivateKey),
}

impl Args {
    /// Asks for this with this key. `follows` is the certificate that was issued for this key before;
    /// `renewals` are what `kubeconfig` is given in the end besides the reply, where it is known.
    pub fn make(
        &self,
        config: RequestConfig,
        key: Key,
        follows: Option<&Certificate>,
        renewals: &[Renewal],
        console: &Console,
    ) -> Result<Verdict, Failure> {
        let args = self;
        let wanted = self.resolve(config)?;
        let subject = &wanted.subject;
        let extensions = &wanted.extensions;
        let existing = match (key, &args.key) {
            (Key::File(found), _) => Ok(found),
            (Key::AsTyped, Some(path)) => Ok(existing_key(path, &args.passphrase, console)?),
            (Key::Loose(key), _) => Err(Some(key)),
            (Key::AsTyped, None) => Err(None),
        };
        let (key, request, key_file, new_key) = match existing {
            Ok(FoundKey { source, key, .. }) => {
                let request = CertificationRequest::build(subject, extensions, &key, &mut SysRng)?;
                let request = earlier_request(subject.user(), &args.output_dir, request);
                (key, request, Some(source), None)
            }
            Err(loose) => {
                let passphrase = args.passphrase.get(&[subject.user()])?;
                let (key, request) = match loose {
                    Some(key) => {
                        let request =
                            CertificationRequest::build(subject, extensions, &key, &mut SysRng)?;
                        (key, request)
                    }
                    None => new_request(subject, extensions, wanted.algorithm(), console)?,
                };
                let text = passphrase::encode(&key, passphrase.as_ref())?;
                (key, request, None, Some((text, passphrase.is_some())))
            }
        };
        let mut manifest = manifest(&wanted, &request);
        if let Some(renewed) = follows {
            manifest = manifest.to_follow(renewed);
        }
        let fingerprint = key.public_key().fingerprint();
        let yaml = manifest.to_yaml();
        let mut places = Paths::all(
            &wanted,
            &manifest,
            &request,
            &args.output_dir,
            key_file.as_ref(),
        );
        let there = places
            .iter()
            .position(|paths| key_file.is_some() && is_there(paths, &request, &yaml));
        let free = places
            .iter()
            .position(|paths| paths.are_free(key_file.is_none()));
        let last = places.len() - 1;
        let paths = places.swap_remove(there.or(free).unwrap_or(last));
        if there.is_some() {
            console.say(text!(
                "{} is there already, and asks for the same\n",
                quoted(&paths.manifest)
            ))?;
            let name = &manifest.name;
            console.say(next_steps(
                &wanted,
                &paths,
                name,
                &fingerprint,
                None,
                renewals,
            ))?;
            return Ok(Verdict::Good);
        }
        let objects = read_back(&paths.manifest, &yaml, &wanted)?;

        let mut files = NewFiles::new(console);
        if let (Some((text, _)), Some(path)) = (&new_key, paths.key.path()) {
            files.create(path, text.expose().as_bytes(), Access::Owner)?;
        }
        files.create(
            &paths.request,
            request.to_pem().as_bytes(),
            Access::Everyone,
        )?;
        files.create(&paths.manifest, yaml.as_bytes(), Access::Everyone)?;
        files.keep()?;

        if !console.is_quiet() {
            let style = Style::Text(console.look_without_fingerprints());
            console.data(&report(&objects, style))?;
        }
        let encrypted = new_key.map(|(_, encrypted)| encrypted);
        console.say(next_steps(
            &wanted,
            &paths,
            &manifest.name,
            &fingerprint,
            encrypted,
            renewals,
        ))?;
        Ok(Verdict::Good)
    }
}

/// Everything that was asked for, by the command line, else by the configuration, else by default.
struct Wanted {
    subject: Subject,
    settings: Settings,
    extensions: Vec<RequestedExtension>,
}

/// The files of one request.
struct Paths {
    key: Stream,
    request: PathBuf,
    manifest: PathBuf,
}

impl Wanted {
    /// The kind of key to make.
    fn algorithm(&self) -> Algorithm {
        self.settings.algorithm.unwrap_or_default()
    }
}

impl Args {
    /// What the command line says.
    fn settings(&self) -> Settings {
        Settings {
            user: self.user.clone(),
            groups: self.groups.clone(),
            algorithm: self.algorithm,
            expires_in: self.expires_in,
            signer: self.signer.clone(),
            name: self.name.clone(),
        }
    }

    /// What the configuration says, where the command line does not say otherwise.
    fn config(&self, console: &Console) -> Result<RequestConfig, Failure> {
        let mut config = match &self.config {
            Some(path) => read_config(path, console)?,
            None => RequestConfig::default(),
        };
        if !self.with_extensions {
            config.extensions.clear();
        }
        config.settings = self.settings().or(config.settings);
        Ok(config)
    }

    fn resolve(&self, config: RequestConfig) -> Result<Wanted, Failure> {
        let RequestConfig {
            settings,
            extensions,
            ..
        } = config;
        let user = settings.user.as_deref().ok_or_else(|| {
            Failure::could_not_run("no user is given, neither here nor in the configuration")
                .say("name the user:")
                .run(
                    Command::ours("request")
                        .operand("USER")
                        .option("--config", "FILE"),
                )
        })?;
        let subject = Subject::new(user, &settings.groups, self.allow_system)
            .map_err(|error| refused_subject(&error))?;
        Ok(Wanted {
            subject,
            settings,
            extensions,
        })
    }
}

fn read_config(input: &Stream, console: &Console) -> Result<RequestConfig, Failure> {
    let contents = file::read(input, DEFAULT_LIMIT)?;
    let look = look(&contents);
    let is_other = look == Look::Binary
        || look.is_telling()
            && !matches!(
                look,
                Look::OpensslConfig | Look::Template(_) | Look::Comments
            );
    if is_other {
        return Err(Failure::wrong_file(input, look, Want::Configuration));
    }
    let config = config::read(&contents).map_err(|error| Failure::about(input, error))?;
    for note in &config.notes {
        console.warn(text!("{}: {}", input, note));
    }
    Ok(config)
}

fn refused_subject(error: &kube_enroll::name::SubjectError) -> Failure {
    use kube_enroll::name::SubjectProblem as Problem;
    let failure = Failure::could_not_run(error.show());
    match error.problem {
        Problem::System => failure.say("if that is really meant, add --allow-system"),
        Problem::Masters => failure.say("ask for a group that RBAC binds to cluster-admin instead"),
        _ => failure,
    }
}

/// The request of the same key for the same that is there already, in place of a new one: then what
/// is asked for twice has one name. In which order groups are asked for says nothing.
fn earlier_request(
    user: &str,
    folder: &Path,
    request: CertificationRequest,
) -> CertificationRequest {
    let slug = slug(user);
    let is_of_user = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.ends_with(".csr") && [user, &slug].iter().any(|stem| name.starts_with(stem))
    };
    let mut paths = file::in_folder(folder).unwrap_or_default();
    paths.retain(is_of_user);
    // The first one has the shortest name.
    paths.sort_by_key(|path| path.as_os_str().len());
    let earlier = paths.iter().filter_map(|path| requests::read(path));
    let mut same = earlier.filter(|it| it.asks_for_the_same(&request) && it.verify().is_ok());
    same.next().unwrap_or(request)
}

/// Whether both files are there and say the same.
fn is_there(paths: &Paths, request: &CertificationRequest, yaml: &str) -> bool {
    files::holds(&paths.request, request.to_pem()) && files::holds(&paths.manifest, yaml)
}

fn existing_key(
    source: &Stream,
    passphrase: &NewPassphraseArgs,
    console: &Console,
) -> Result<FoundKey, Failure> {
    if let Some(path) = source.path() {
        privacy::warn_exposed(path, console);
    }
    let given = passphrase.passphrase_file.as_ref();
    let given = given.map(passphrase::from_file).transpose()?;
    keys::read(source, given.as_ref(), console)
}

/// Makes a key and a request for it, with a spinner while it takes its time.
pub fn new_request(
    subject: &Subject,
    extensions: &[RequestedExtension],
    algorithm: Algorithm,
    console: &Console,
) -> Result<(PrivateKey, CertificationRequest), Failure> {
    let _spinner = console.spinner(text!("making an {} key", algorithm));
    let made =
        CertificationRequest::build_with_new_key(subject, extensions, algorithm, &mut SysRng)?;
    Ok(made)
}

fn manifest(wanted: &Wanted, request: &CertificationRequest) -> Manifest {
    let settings = &wanted.settings;
    let signer = settings.signer.as_deref().unwrap_or(CLIENT_SIGNER);
    let user = wanted.subject.user();
    let mut manifest = Manifest::asking(user, request, signer, settings.expires_in);
    if let Some(name) = &settings.name {
        manifest.name.clone_from(name);
    }
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
        Some(finding) => Err(Failure::could_not_run(text!(
            "the API server would refuse this: {} ({})",
            finding,
            Label::from(finding.field.as_str())
        ))),
        None => Ok(objects),
    }
}

impl Paths {
    /// Where a request may be, the best place first: a second one is written beside the first, and
    /// where it has the name of another one, beside that too.
    fn all(
        wanted: &Wanted,
        manifest: &Manifest,
        request: &CertificationRequest,
        folder: &Path,
        existing_key: Option<&Stream>,
    ) -> Vec<Self> {
        let name = &manifest.name;
        let object = names::stem(name, name);
        let seconds = manifest.expiration.map(Lifetime::seconds);
        let hash = contents_hash(request, &manifest.signer, &manifest.usages, seconds);
        let stems = [
            names::stem(wanted.subject.user(), name),
            object.clone(),
            format!("{object}-{hash}"),
        ];
        let with_stem = |stem: String| {
            let mut paths = Self::with_stem(&stem, folder);
            if let Some(key) = existing_key {
                paths.key = key.clone();
            }
            paths
        };
        stems.into_iter().map(with_stem).collect()
    }

    /// Whether nothing is there, neither where the key is to be, if one is written.
    fn are_free(&self, with_key: bool) -> bool {
        let key = self.key.path().filter(|_| with_key);
        let all = [Some(self.request.as_path()), Some(&self.manifest), key];
        all.into_iter().flatten().all(is_free)
    }

    fn with_stem(stem: &str, folder: &Path) -> Self {
        let folder = if folder == Path::new(".") {
            Path::new("")
        } else {
            folder
        };
        let file = |suffix: &str| folder.join(format!("{stem}{suffix}"));
        Self {
            key: file(".key").into(),
            request: file(".csr"),
            manifest: file(".csr.yaml"),
        }
    }
}

fn next_steps(
    wanted: &Wanted,
    paths: &Paths,
    name: &str,
    fingerprint: &Fingerprint,
    encrypted: Option<bool>,
    renewals: &[Renewal],
) -> Text {
    let sent = paths.manifest.file_name().unwrap_or_default();
    // It is put beside the manifest, where no other reply has its name.
    let folder = folder_of(&paths.manifest);
    let is_here = folder == Path::new(".");
    let reply = paths.manifest.with_file_name(reply_name(&paths.manifest));
    let home = Command::ours("kubeconfig").operand(&reply);
    // Keys are looked for here and beside the reply, by their ending.
    let elsewhere = |key: &&Path| {
        let is_near = [folder, Path::new(".")].contains(&folder_of(key));
        !is_near || key.extension() != Some("key".as_ref())
    };
    let home = match paths.key.path().filter(elsewhere) {
        Some(key) => home.option("--key", key),
        None => home,
    };
    let then = if is_here {
        "Then, here:".into()
    } else {
        text!("Put the reply into {} and then run, here:", quoted(folder))
    };
    let each = renewals
        .iter()
        .map(|renewal| renewal.add_to(home.clone()).folded(2));
    let homes = match renewals {
        [] => home.folded(2),
        _ => Text::join(each, "\n"),
    };
    let [create, answer] = administrator(wanted, &paths.manifest, name);
    text!(
        "
{}

Send {} to an administrator of the cluster. Tell them the
fingerprint another way, such as by telephone:

  {}

The administrator checks it, with the digits that you tell behind --fingerprint,
creates what was checked, approves it, and sends the reply back:

{}
{}

{}

{}
",
        list_files(paths, encrypted),
        quoted(sent),
        fingerprint,
        create.folded(2),
        answer.folded(2),
        then,
        homes,
    )
}

/// The name of the reply to the manifest that is sent.
fn reply_name(manifest: &Path) -> String {
    let sent = manifest.file_name().unwrap_or_default();
    sent.to_string_lossy().replace(".csr.yaml", ".reply.yaml")
}

/// What the administrator runs: creates what was checked, approves it, sends the reply back. The
/// fingerprint is not in it, for the line may travel with the file.
fn administrator(wanted: &Wanted, manifest: &Path, name: &str) -> [Command; 2] {
    let agreed = |command: Command| {
        let command = command.option("--user", wanted.subject.user());
        match wanted.subject.groups() {
            [] => command.word("--no-groups"),
            groups => groups
                .iter()
                .fold(command, |command, group| command.option("--group", group)),
        }
    };
    let verify = Command::ours("verify").operand(manifest.file_name().unwrap_or_default());
    let kubectl = Command::new("kubectl");
    let create = agreed(verify)
        .option("-o", "manifest")
        .pipe(hint::create_and_approve());
    let get = kubectl.word("get").word("csr").operand(name);
    let get = get.option("-o", "yaml");
    let reply = agreed(Command::ours("reply")).option("--out", reply_name(manifest));
    let answer = get.pipe(reply);
    [create, answer]
}

/// The files and what each is, in two columns.
fn list_files(paths: &Paths, encrypted: Option<bool>) -> Text {
    let about_key = match encrypted {
        None => "your private key: it stays here",
        Some(true) => "your private key, encrypted: it stays here",
        Some(false) => "your private key, NOT encrypted: it stays here",
    };
    let files = [
        (paths.key.path(), about_key),
        (Some(&paths.request), "the request"),
        (Some(&paths.manifest), "the manifest: send this one"),
    ];
    let files = files
        .into_iter()
        .filter_map(|(path, about)| Some((quoted(path?), about)));
    let files: Vec<_> = files.collect();
    let width = files.iter().map(|(path, _)| path.width()).max();
    let width = width.unwrap_or_default();
    let lines = files
        .into_iter()
        .map(|(path, about)| text!("  {}  {}", path.padded(width), about));
    Text::join(lines, "\n")
}
