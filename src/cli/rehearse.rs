//! `kube-enroll rehearse`: the whole journey on this machine, with a throwaway authority that
//! signs as kube-controller-manager does.

// These comments are the help texts, where backticks would be shown.
#![allow(clippy::doc_markdown)]

use std::path::{Path, PathBuf};

use getrandom::SysRng;
use kube_enroll::certificate::{Certificate, Chain};
use kube_enroll::csr::CertificationRequest;
use kube_enroll::inspect::{Context, Object, Style, inspect, report};
use kube_enroll::key::{Algorithm, PrivateKey};
use kube_enroll::kubeconfig::{Cluster, Credential, Kubeconfig, NewEntry, assemble, merge};
use kube_enroll::looks::{Look, Want, look};
use kube_enroll::manifest::{
    CLIENT_SIGNER, CertificateSigningRequest, Condition, Manifest, Status,
};
use kube_enroll::name::Subject;
use kube_enroll::pem;
use kube_enroll::policy::Agreed;
use kube_enroll::rehearsal::Authority;
use kube_enroll::renewal::Renewable;
use kube_enroll::reply::{self, Reply};
use kube_enroll::secret::Secret;
use kube_enroll::shell::Command;
use kube_enroll::text;
use kube_enroll::text::{Show as _, Text, count};
use kube_enroll::yaml;
use time::{Duration, OffsetDateTime};

use super::args::algorithm_parser;
use super::console::Console;
use super::failure::Failure;
use super::from::file::{self, DEFAULT_LIMIT, Stream};
use super::os::sandbox::Reach;
use super::to::files::{self, Access, NewFiles, folder_of};
use super::to::names;
use super::{Action, Verdict, request};

/// Nobody listens there: the kubeconfig is for looking at.
const SERVER: &str = "https://rehearsal.invalid:6443";

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kube-enroll rehearse
  kube-enroll rehearse --algorithm ecdsa-p256 --output-dir rehearsal
  kube-enroll rehearse --csr alice.csr.yaml")]
pub struct Args {
    /// Keep the files in this new folder [default: a temporary folder]
    #[arg(long, visible_alias = "dir", value_name = "DIR")]
    pub output_dir: Option<PathBuf>,
    /// Rehearse this request (CSR or manifest) instead of a new one; - is standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["algorithm", "user", "groups"])]
    pub csr: Option<Stream>,
    /// The user to rehearse with
    #[arg(long, default_value = "alice")]
    pub user: String,
    /// The groups to rehearse with
    #[arg(
        short,
        long = "group",
        value_name = "GROUP",
        default_value = "developers"
    )]
    pub groups: Vec<String>,
    /// The kind of key to make [default: rsa-4096]
    #[arg(long, value_name = "ALGORITHM", value_parser = algorithm_parser())]
    pub algorithm: Option<Algorithm>,
}

impl Action for Args {
    fn reach(&self) -> Reach {
        let temporary = std::env::temp_dir();
        let folder = self.output_dir.as_deref().map_or(&*temporary, folder_of);
        Reach::default().read(&self.csr).write_in([folder])
    }

    /// Plays the journey step by step.
    fn run(&self, console: &Console) -> Result<Verdict, Failure> {
        let args = self;
        let user = if args.csr.is_some() {
            "user"
        } else {
            &args.user
        };
        let mut files = NewFiles::new(console);
        let now = OffsetDateTime::now_utc();
        let mut rehearsal = Rehearsal {
            folder: folder(args.output_dir.as_deref(), &mut files)?,
            files,
            stem: names::stem(user, "user"),
            console,
            now,
            authority: Authority::new(now, &mut SysRng)?,
        };
        let (manifest, key) = match &args.csr {
            Some(input) => (rehearsal.load_request(input)?, None),
            None => {
                let (manifest, key) = rehearsal.request(args)?;
                (manifest, Some(key))
            }
        };
        let verdict = rehearsal.proceed(&manifest, key.as_ref())?;
        rehearsal.files.keep()?;
        Ok(verdict)
    }
}

/// A new folder, temporary unless it is named.
fn folder(named: Option<&Path>, files: &mut NewFiles<'_>) -> Result<PathBuf, Failure> {
    let folder = match named {
        Some(folder) => folder.to_owned(),
        None => {
            let suffix = files::random_suffix()
                .map_err(|error| Failure::io("read", "the random number generator", &error))?;
            std::env::temp_dir().join(format!("kube-enroll-{suffix}"))
        }
    };
    files.create_private_folder(&folder)?;
    Ok(folder)
}

/// Where the rehearsal takes place.
struct Rehearsal<'a> {
    folder: PathBuf,
    files: NewFiles<'a>,
    /// What the files are named after.
    stem: String,
    console: &'a Console,
    now: OffsetDateTime,
    /// Of the cluster.
    authority: Authority,
}

impl Rehearsal<'_> {
    fn step(
        &mut self,
        number: u8,
        who: &'static str,
        what: impl Into<Text>,
    ) -> Result<(), Failure> {
        self.files.go_on()?;
        self.console
            .say(text!("\n{}. {}: {}\n\n", number, who, what.into()))
    }

    /// From the manifest to the kubeconfig, as far as it goes.
    fn proceed(&mut self, manifest: &str, key: Option<&PrivateKey>) -> Result<Verdict, Failure> {
        let Some(object) = self.verify(manifest)? else {
            return Ok(Verdict::NotGood);
        };
        let Some(reply) = self.sign(object)? else {
            return Ok(Verdict::NotGood);
        };
        match key {
            Some(key) => {
                let kubeconfig = self.kubeconfig(&reply, key)?;
                self.renew(&kubeconfig)?;
            }
            None => self
                .console
                .say("\nThe private key is not here, so the journey ends with the reply.\n")?,
        }
        Ok(Verdict::Good)
    }

    fn write(&mut self, suffix: &str, contents: &[u8], access: Access) -> Result<PathBuf, Failure> {
        let path = self.folder.join(format!("{}{suffix}", self.stem));
        self.files.create(&path, contents, access)?;
        self.console.say(text!("  wrote {}\n", path))?;
        Ok(path)
    }

    /// The user makes a key and a request.
    fn request(&mut self, args: &Args) -> Result<(String, PrivateKey), Failure> {
        let algorithm = args.algorithm.unwrap_or_default();
        self.step(
            1,
            "The user",
            "kube-enroll request makes a key and a request",
        )?;
        let subject = Subject::new(&args.user, &args.groups, false)
            .map_err(|error| Failure::could_not_run(error.show()))?;
        let (key, csr) = request::new_request(&subject, &[], algorithm, self.console)?;
        let manifest = Manifest::new(&args.user, &csr).to_yaml();
        let pem = key.to_pkcs8_pem()?;
        self.write(".key", pem.expose().as_bytes(), Access::Owner)?;
        self.write(".csr", csr.to_pem().as_bytes(), Access::Everyone)?;
        self.write(".csr.yaml", manifest.as_bytes(), Access::Everyone)?;
        Ok((manifest, key))
    }

    /// The request is there already: a manifest, or a CSR to put into one.
    fn load_request(&mut self, input: &Stream) -> Result<String, Failure> {
        self.step(1, "The user", text!("{} is the request", input))?;
        let contents = file::read(input, DEFAULT_LIMIT)?;
        let block = pem::first(&contents).map(|block| block.contents);
        let manifest = match CertificationRequest::from_der(block.as_ref().unwrap_or(&contents)) {
            Ok(csr) => {
                let identity = csr.subject().identity();
                let user = identity.map_or(String::new(), |identity| identity.username);
                Manifest::new(&user, &csr).to_yaml()
            }
            Err(_) => {
                let look = look(&contents);
                if look.is_telling() && !matches!(look, Look::Object | Look::OtherObject(_)) {
                    return Err(Failure::wrong_file(input, look, Want::Request).judged());
                }
                String::from_utf8_lossy(&contents).into_owned()
            }
        };
        self.write(".csr.yaml", manifest.as_bytes(), Access::Everyone)?;
        Ok(manifest)
    }

    /// The admin looks at what came, and the cluster's rules are asked.
    fn verify(&mut self, manifest: &str) -> Result<Option<CertificateSigningRequest>, Failure> {
        self.step(
            2,
            "The admin",
            "kube-enroll verify checks what the request contains",
        )?;
        let context = Context {
            now: self.now,
            agreed: Agreed::default(),
            passphrase: None,
        };
        let objects = inspect(
            &format!("{}.csr.yaml", self.stem),
            manifest.as_bytes(),
            &context,
        );
        let good = !objects.iter().any(Object::has_errors);
        let style = Style::Text(self.console.look());
        if !self.console.is_quiet() {
            self.console.data(&report(&objects, style))?;
        }
        if !good {
            self.console.say("\nThe admin does not approve this.\n")?;
            return Ok(None);
        }
        Ok(kube_enroll::inspect::signing_requests(&yaml::documents(manifest.as_bytes())).pop())
    }

    /// The cluster signs, and the admin sends the reply back.
    fn sign(&mut self, mut object: CertificateSigningRequest) -> Result<Option<Reply>, Failure> {
        let kubectl = Command::new("kubectl");
        let approve = kubectl.clone().word("certificate").word("approve");
        let approve = approve.operand(&object.metadata.name);
        let get = kubectl
            .word("get")
            .word("csr")
            .operand(&object.metadata.name);
        let get = get.option("-o", "yaml").pipe(Command::ours("reply"));
        self.step(3, "The admin", text!("kubectl create and {}", approve))?;
        let Some(csr) = object.asked() else {
            return Ok(None);
        };
        let (certificate, text) = self.issue(&csr, &mut object)?;
        self.console.say(text!("  issued {}\n", certificate))?;
        self.step(4, "The admin", get.show())?;
        self.write(".reply.yaml", text.as_bytes(), Access::Everyone)?;
        read_back(&text).map(Some)
    }

    /// The object with its certificate, and the reply.
    fn issue(
        &self,
        csr: &CertificationRequest,
        object: &mut CertificateSigningRequest,
    ) -> Result<(Certificate, String), Failure> {
        let certificate = self.authority.sign(csr, object, self.now, &mut SysRng)?;
        object.status = Some(Status {
            conditions: vec![Condition {
                kind: "Approved".to_owned(),
                status: "True".to_owned(),
                reason: "KubectlApprove".to_owned(),
                message: "This CSR was approved by kubectl certificate approve.".to_owned(),
                last_update_time: String::new(),
            }],
            certificate: Some(certificate.to_pem().into_bytes()),
        });
        let authority = self.authority.certificate().to_pem();
        let cluster = Cluster::new("rehearsal", SERVER, authority.as_bytes());
        Ok((certificate, reply::write(&[object], &cluster)))
    }

    /// The user comes home with a kubeconfig.
    fn kubeconfig(&mut self, reply: &Reply, key: &PrivateKey) -> Result<Secret<String>, Failure> {
        self.step(
            5,
            "The user",
            "kube-enroll kubeconfig matches the reply to the key",
        )?;
        let (entry, _) = entry(reply, key)?;
        let text = assemble(&entry);
        self.write(".kubeconfig", text.expose().as_bytes(), Access::Owner)?;
        Ok(text)
    }

    /// A week before the certificate ends, the user asks for the same once more, and the reply takes
    /// the place of the first.
    fn renew(&mut self, kubeconfig: &Secret<String>) -> Result<(), Failure> {
        let nothing_named = |_: &Path| Err("the rehearsal names no file".into());
        let old = kubeconfig.expose().as_bytes();
        let found = Renewable::find(old, Path::new(""), None, &nothing_named)
            .map_err(|error| Failure::about("the kubeconfig cannot be renewed", error))?;
        self.now = found.certificate.not_after() - Duration::WEEK;
        self.step(
            6,
            "The user, a year on",
            "kube-enroll renew asks for the same once more",
        )?;
        let settings = found.settings();
        let user = &found.identity.username;
        let subject = Subject::new(user, &settings.groups, false)
            .map_err(|error| Failure::could_not_run(error.show()))?;
        let algorithm = settings.algorithm.unwrap_or_default();
        let (key, csr) = request::new_request(&subject, &[], algorithm, self.console)?;
        let manifest = Manifest::asking(user, &csr, CLIENT_SIGNER, settings.expires_in);
        let first = std::mem::replace(&mut self.stem, names::stem(&manifest.name, "user"));
        let (pem, manifest) = (key.to_pkcs8_pem()?, manifest.to_yaml());
        self.console.say(text!(
            "  the certificate ends in {}\n",
            count(days(found.days_left(self.now)), "day", "days")
        ))?;
        self.write(".key", pem.expose().as_bytes(), Access::Owner)?;
        self.write(".csr", csr.to_pem().as_bytes(), Access::Everyone)?;
        self.write(".csr.yaml", manifest.as_bytes(), Access::Everyone)?;

        self.step(
            7,
            "The admin",
            "verify, kubectl and reply, as in the first year",
        )?;
        let documents = yaml::documents(manifest.as_bytes());
        let Some(mut object) = kube_enroll::inspect::signing_requests(&documents).pop() else {
            return Err(Failure::could_not_run("the manifest does not read back"));
        };
        let (certificate, text) = self.issue(&csr, &mut object)?;
        self.console.say(text!("  issued {}\n", certificate))?;
        self.write(".reply.yaml", text.as_bytes(), Access::Everyone)?;

        self.step(
            8,
            "The user",
            "kube-enroll kubeconfig puts the reply in the place of the first",
        )?;
        let reply = read_back(&text)?;
        let (entry, certificate) = entry(&reply, &key)?;
        let there = Kubeconfig::read(old).map_err(|error| Failure::about("kubeconfig", &error))?;
        let merged = merge(there, &entry).map_err(|error| Failure::about("kubeconfig", &error))?;
        let path = self.folder.join(format!("{first}.kubeconfig"));
        files::replace_private(&path, merged.expose().as_bytes(), self.console)?;
        self.console
            .say(text!("  replaced the certificate and key in {}\n", path))?;
        self.console.say(text!(
            "\nThe journey is complete, and ends with a kubeconfig for {}.\n\
             It is of no use outside of this rehearsal; remove the folder when you like.\n",
            certificate.subject()
        ))
    }
}

/// A number of days that is not over.
fn days(left: i64) -> usize {
    usize::try_from(left).unwrap_or_default()
}

fn read_back(reply: &str) -> Result<Reply, Failure> {
    Reply::read(reply.as_bytes())
        .map_err(|error| Failure::about("the reply does not read back", error))
}

/// What a reply and a key make together, and the certificate in it.
fn entry(reply: &Reply, key: &PrivateKey) -> Result<(NewEntry, Certificate), Failure> {
    let request = reply.requests.first();
    let pem = request
        .and_then(|request| request.status.as_ref()?.certificate.as_deref())
        .unwrap_or_default();
    let certificate = Chain::from_pem(pem)?.leaf().clone();
    let Some(cluster) = reply.cluster.clone() else {
        return Err(Failure::could_not_run("the reply is not whole"));
    };
    if certificate.public_key() != key.public_key() {
        return Err(kube_enroll::error::Error::Inconsistent.into());
    }
    let identity = certificate.subject().identity();
    let user = identity.map(|identity| identity.username);
    let user = format!("{}@rehearsal", user.unwrap_or_default());
    let entry = NewEntry {
        cluster,
        context: user.clone(),
        user,
        namespace: None,
        credential: Credential::Embedded {
            certificate: certificate.to_pem(),
            key: key.to_pkcs8_pem()?,
        },
        certificate: certificate.clone(),
    };
    Ok((entry, certificate))
}
