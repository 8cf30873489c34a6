//! `kube-enroll rehearse`: the whole journey on this machine, with a throwaway authority that
//! signs as kube-controller-manager does.

use std::path::{Path, PathBuf};

use getrandom::SysRng;
use kube_enroll::csr::CertificationRequest;
use kube_enroll::inspect::{Context, Object, Style, inspect, report};
use kube_enroll::key::PrivateKey;
use kube_enroll::kubeconfig::{Cluster, Credential, NewEntry, assemble};
use kube_enroll::manifest::{CertificateSigningRequest, Condition, Manifest, Status};
use kube_enroll::name::Subject;
use kube_enroll::pem;
use kube_enroll::policy::Agreed;
use kube_enroll::rehearsal::Authority;
use kube_enroll::reply::{self, Reply};
use kube_enroll::yaml;
use time::OffsetDateTime;

use super::Verdict;
use super::args::RehearseArgs;
use super::console::Console;
use super::file::{self, Access, DEFAULT_LIMIT, NewFiles};
use super::input::Input;
use super::message::Failure;
use super::request::{self, file_stem};

/// Nobody listens there: the kubeconfig is for looking at.
const SERVER: &str = "https://rehearsal.invalid:6443";

/// Plays the journey step by step.
pub fn run(args: &RehearseArgs, console: &Console) -> Result<Verdict, Failure> {
    let user = if args.csr.is_some() {
        "user"
    } else {
        &args.user
    };
    let mut files = NewFiles::new(console);
    let mut stage = Stage {
        folder: folder(args.dir.as_deref(), &mut files)?,
        files,
        stem: file_stem(user, "user"),
        console,
        now: OffsetDateTime::now_utc(),
    };
    let (manifest, key) = match &args.csr {
        Some(input) => (stage.bring(input)?, None),
        None => {
            let (manifest, key) = stage.request(args)?;
            (manifest, Some(key))
        }
    };
    let verdict = stage.go_on(&manifest, key.as_ref())?;
    stage.files.keep()?;
    Ok(verdict)
}

/// A new folder, temporary unless it is named.
fn folder(named: Option<&Path>, files: &mut NewFiles<'_>) -> Result<PathBuf, Failure> {
    let folder = match named {
        Some(folder) => folder.to_owned(),
        None => {
            let suffix = file::random_suffix()
                .map_err(|error| Failure::io("read", "the random number generator", &error))?;
            std::env::temp_dir().join(format!("kube-enroll-{suffix}"))
        }
    };
    files.create_private_folder(&folder)?;
    Ok(folder)
}

/// Where the rehearsal takes place.
struct Stage<'a> {
    folder: PathBuf,
    files: NewFiles<'a>,
    /// What the files are named after.
    stem: String,
    console: &'a Console,
    now: OffsetDateTime,
}

impl Stage<'_> {
    fn step(&self, number: u8, who: &str, what: &str) -> Result<(), Failure> {
        self.console.say(&format!("\n{number}. {who}: {what}\n\n"))
    }

    /// From the manifest to the kubeconfig, as far as it goes.
    fn go_on(&mut self, manifest: &str, key: Option<&PrivateKey>) -> Result<Verdict, Failure> {
        let Some(object) = self.verify(manifest)? else {
            return Ok(Verdict::NotGood);
        };
        let Some(reply) = self.sign(object)? else {
            return Ok(Verdict::NotGood);
        };
        match key {
            Some(key) => self.kubeconfig(&reply, key)?,
            None => self
                .console
                .say("\nThe private key is not here, so the journey ends with the reply.\n")?,
        }
        Ok(Verdict::Good)
    }

    fn write(&mut self, suffix: &str, contents: &[u8], access: Access) -> Result<PathBuf, Failure> {
        let path = self.folder.join(format!("{}{suffix}", self.stem));
        self.files.create(&path, contents, access)?;
        self.console.say(&format!("  wrote {}\n", path.display()))?;
        Ok(path)
    }

    /// The user makes a key and a request.
    fn request(&mut self, args: &RehearseArgs) -> Result<(String, PrivateKey), Failure> {
        let algorithm = args.algorithm.unwrap_or_default();
        self.step(
            1,
            "The user",
            "kube-enroll request makes a key and a request",
        )?;
        let subject = Subject::new(&args.user, &args.groups, false)
            .map_err(|error| Failure::could_not_run(error.to_string()))?;
        let (key, csr) = request::new_request(&subject, &[], algorithm, self.console)?;
        let manifest = Manifest::new(&args.user, &csr).to_yaml();
        let pem = key.to_pkcs8_pem()?;
        self.write(".key", pem.expose().as_bytes(), Access::Owner)?;
        self.write(".csr", csr.to_pem().as_bytes(), Access::Everyone)?;
        self.write(".csr.yaml", manifest.as_bytes(), Access::Everyone)?;
        Ok((manifest, key))
    }

    /// The request is there already: a manifest, or a CSR to put into one.
    fn bring(&mut self, input: &Input) -> Result<String, Failure> {
        self.step(1, "The user", &format!("{input} is the request"))?;
        let contents = file::read(input, DEFAULT_LIMIT)?;
        let block = pem::first(&contents).map(|block| block.contents);
        let manifest = match CertificationRequest::from_der(block.as_ref().unwrap_or(&contents)) {
            Ok(csr) => {
                let identity = csr.subject().identity();
                let user = identity.map_or(String::new(), |identity| identity.username);
                Manifest::new(&user, &csr).to_yaml()
            }
            Err(_) => String::from_utf8_lossy(&contents).into_owned(),
        };
        self.write(".csr.yaml", manifest.as_bytes(), Access::Everyone)?;
        Ok(manifest)
    }

    /// The admin looks at what came, and the cluster's rules are asked.
    fn verify(&self, manifest: &str) -> Result<Option<CertificateSigningRequest>, Failure> {
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
        self.console.say(&report(&objects, style))?;
        if !good {
            self.console.say("\nThe admin does not approve this.\n")?;
            return Ok(None);
        }
        Ok(kube_enroll::inspect::signing_requests(&yaml::documents(manifest.as_bytes())).pop())
    }

    /// The cluster signs, and the admin sends the reply back.
    fn sign(&mut self, mut object: CertificateSigningRequest) -> Result<Option<Reply>, Failure> {
        let name = object.metadata.name.clone();
        self.step(
            3,
            "The admin",
            &format!("kubectl apply and kubectl certificate approve {name}"),
        )?;
        let block = pem::first(object.request.as_deref().unwrap_or_default());
        let Some(csr) =
            block.and_then(|block| CertificationRequest::from_der(&block.contents).ok())
        else {
            return Ok(None);
        };
        let authority = Authority::new(self.now, &mut SysRng)?;
        let certificate = authority.sign(&csr, &object, self.now, &mut SysRng)?;
        self.console.say(&format!("  issued {certificate}\n"))?;
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
        self.step(
            4,
            "The admin",
            &format!("kubectl get csr {name} -o yaml | kube-enroll reply"),
        )?;
        let authority_pem = authority.certificate().to_pem();
        let cluster = Cluster::new("rehearsal", SERVER, authority_pem.as_bytes());
        let text = reply::write(&[&object], &cluster);
        self.write(".reply.yaml", text.as_bytes(), Access::Everyone)?;
        Reply::read(text.as_bytes()).map(Some).map_err(|error| {
            Failure::could_not_run(format!("the reply does not read back: {error}"))
        })
    }

    /// The user comes home with a kubeconfig.
    fn kubeconfig(&mut self, reply: &Reply, key: &PrivateKey) -> Result<(), Failure> {
        self.step(
            5,
            "The user",
            "kube-enroll kubeconfig matches the reply to the key",
        )?;
        let request = reply.requests.first();
        let pem = request
            .and_then(|request| request.status.as_ref()?.certificate.as_deref())
            .unwrap_or_default();
        let chain = kube_enroll::certificate::Certificate::chain_from_pem(pem)?;
        let (Some(certificate), Some(cluster)) = (chain.first(), reply.cluster.clone()) else {
            return Err(Failure::could_not_run("the reply is not whole"));
        };
        if certificate.public_key() != key.public_key() {
            return Err(kube_enroll::error::Error::Inconsistent.into());
        }
        let user = certificate
            .subject()
            .identity()
            .map(|identity| identity.username);
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
            fingerprint: key.public_key().fingerprint(),
        };
        let text = assemble(&entry);
        self.write(".kubeconfig", text.expose().as_bytes(), Access::Owner)?;
        self.console.say(&format!(
            "\nThe journey is complete, and ends with a kubeconfig for {}.\n\
             It is of no use outside of this rehearsal; remove the folder when you like.\n",
            certificate.subject()
        ))
    }
}
