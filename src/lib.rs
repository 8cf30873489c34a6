//! Offline enrollment of Kubernetes users by client certificate.
//!
//! One file goes out (a `CertificateSigningRequest` manifest), one comes back (the issued
//! certificate with the cluster's address), and the private key never leaves the person's machine.
//!
//! # The journey
//!
//! Bytes go in and values come out: nothing here opens a file or a socket, reads a clock or draws
//! randomness. The command line does, and hands both in.
//!
//! ```
//! use getrandom::SysRng;
//! use kube_enroll::certificate::Chain;
//! use kube_enroll::csr::CertificationRequest;
//! use kube_enroll::agreement::Agreement;
//! use kube_enroll::inspect::{Context, check_issued, inspect, signing_requests};
//! use kube_enroll::key::{Algorithm, PrivateKey};
//! use kube_enroll::kubeconfig::{Cluster, Credential, Kubeconfig, NewEntry, assemble};
//! use kube_enroll::manifest::{CLIENT_SIGNER, Manifest, Status};
//! use kube_enroll::name::Subject;
//! use kube_enroll::policy::{Agreed, Prediction};
//! use kube_enroll::rehearsal::Authority;
//! use kube_enroll::reply::{self, Reply};
//! use kube_enroll::verdict::judge;
//! use kube_enroll::yaml;
//! use time::macros::datetime;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let now = datetime!(2030-01-01 09:00 UTC);
//!
//! // The user makes a key and a request.
//! let key = PrivateKey::generate(Algorithm::EcdsaP256, &mut SysRng)?;
//! let subject = Subject::new("alice", &["developers".to_owned()], false)?;
//! let csr = CertificationRequest::build(&subject, &[], &key, &mut SysRng)?;
//! let manifest = Manifest::asking("alice", &csr, CLIENT_SIGNER, Some("90d".parse()?));
//! let sent = manifest.to_yaml();
//!
//! // The administrator compares what came with what was agreed on, and asks what will come of it.
//! let agreement = Agreement {
//!     user: Some("alice".to_owned()),
//!     groups: Some(vec!["developers".to_owned()]),
//!     fingerprint: Some(key.public_key().fingerprint().into()),
//!     max_lifetime: Some("90d".parse()?),
//! };
//! let context = Context { now, agreed: Agreed::default(), passphrase: None };
//! let mut report = inspect("alice.csr.yaml", sent.as_bytes(), &context);
//! judge(&mut report[0], &agreement);
//! assert!(report[0].findings.is_empty());
//! // What is created is written anew, from what was checked.
//! let created = report[0].checked().ok_or("not good")?.manifest();
//! let good = Prediction { accepted: true, issued: Some(true), authenticates: true };
//! assert_eq!(report[0].prediction, Some(good));
//!
//! // The cluster signs, which an authority of the rehearsal stands in for, and the reply goes back.
//! let mut object = signing_requests(&yaml::documents(created.as_bytes())).remove(0);
//! let authority = Authority::new(now, &mut SysRng)?;
//! let issued = authority.sign(&csr, &object, now, &mut SysRng)?;
//! object.status = Some(Status { certificate: Some(issued.to_pem().into()), ..Status::default() });
//! let ca = authority.certificate().to_pem();
//! let cluster = Cluster::new("prod", "https://10.0.0.1:6443", ca.as_bytes());
//! let answer = reply::write(&[&object], &cluster);
//!
//! // The user checks the certificate and puts the kubeconfig together.
//! let reply = Reply::read(answer.as_bytes())?;
//! let status = reply.requests[0].status.as_ref().ok_or("not decided")?;
//! let chain = Chain::from_pem(status.certificate.as_deref().ok_or("not issued")?)?;
//! chain.leaf().check_dates(now)?;
//! assert!(check_issued(chain.leaf(), &csr, &reply.requests[0]).is_empty());
//! let kubeconfig = assemble(&NewEntry {
//!     cluster: reply.cluster.ok_or("no cluster")?,
//!     user: "alice@prod".to_owned(),
//!     context: "alice@prod".to_owned(),
//!     namespace: None,
//!     credential: Credential::Embedded {
//!         certificate: chain.to_pem(),
//!         key: key.to_pkcs8_pem()?,
//!     },
//!     certificate: chain.leaf().clone(),
//! });
//! let read_back = Kubeconfig::read(kubeconfig.expose().as_bytes())?;
//! assert_eq!(read_back.cluster(None)?.server, "https://10.0.0.1:6443");
//! # Ok(())
//! # }
//! ```
//!
//! # The rooms
//!
//! Each row uses the rows below it, and none above.
//!
//! | what | module | whose rules |
//! |---|---|---|
//! | one file back; the signer played | [`reply`], [`rehearsal`] | kube-controller-manager |
//! | what may be created: the verdict, and the manifest written anew | [`verdict`] | |
//! | what many files hold, in a line each; what is asked for once more | [`list`], [`renewal`] | |
//! | what any file is, as text, JSON or YAML | [`inspect`] | |
//! | what was agreed on, with one person or with many | [`agreement`], [`roster`] | |
//! | what the cluster will do, and what would mislead | [`policy`] | kube-apiserver, kube-controller-manager |
//! | the files of the journey; who may do what | [`manifest`], [`kubeconfig`], [`kuberc`], [`credential`], [`rbac`], [`config`] | the Kubernetes API, client-go, OpenSSL's `req` |
//! | request and certificate | [`csr`], [`certificate`] | RFC 2986, RFC 5280, Go's crypto/x509 |
//! | keys and signatures; users and groups; time | [`key`], [`name`], [`lifetime`] | RFC 5958, RFC 8017, FIPS 186-5 |
//! | encodings | `asn1`, [`pem`], [`yaml`], [`qr`] | X.690, RFC 7468, YAML 1.1 as Go reads it, ISO/IEC 18004 |
//! | secrets; what may be printed; commands to paste; cores; facts that can fail | [`secret`], [`passphrase`], [`stack`], [`text`](mod@text), [`shell`], [`parallel`], [`error`], [`budget`] | |
//!
//! The program is a crate above all of them, in `main.rs` and `cli/`: one file for each command with
//! its options, what it reaches and what it does; `cli/from` and `cli/to` for where things come from
//! and go; `cli/os` for what the process forbids itself; `cli/console.rs`, which alone prints. Wiping all memory that is freed is its allocator's work: a program of yours gets the
//! wiping of [`secret`] and [`stack`], and sets `zeroizing_alloc` for more.
//!
//! # Where to start reading
//!
//! Along the journey: [`name::Subject`], [`key::PrivateKey`], [`csr`], [`manifest`]; then what
//! everything else is for, [`policy`], with every finding in [`policy::CODES`]; then [`inspect`],
//! and `cli/rehearse.rs`, which walks the whole way. [`key::rsa`] is a house of its own and explains
//! itself.
//!
//! Where a rule is not ours, its comment names the RFC, or the package and symbol of Kubernetes or
//! Go that it follows.

pub mod agreement;
mod asn1;
pub mod budget;
pub mod carrier;
pub mod certificate;
pub mod config;
pub mod credential;
pub mod csr;
pub mod error;
mod go;
pub mod inspect;
pub mod key;
pub mod kubeconfig;
pub mod kuberc;
pub mod lifetime;
pub mod list;
pub mod looks;
pub mod manifest;
pub mod name;
pub mod parallel;
pub mod passphrase;
pub mod pem;
pub mod policy;
pub mod qr;
pub mod rbac;
pub mod rehearsal;
pub mod renewal;
pub mod reply;
pub mod roster;
pub mod secret;
pub mod shell;
pub mod stack;
pub mod text;
pub mod verdict;
pub mod yaml;
