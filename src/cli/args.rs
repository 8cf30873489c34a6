//! The command line as typed: flags, their help and their shapes; nothing is resolved here.

// These comments are the help texts, where backticks would be shown.
#![allow(clippy::doc_markdown)]

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use kube_enroll::key::Algorithm;
use kube_enroll::lifetime::{self, Lifetime};
use kube_enroll::policy::CODES;

use super::input::Input;

/// Offline Kubernetes client-certificate enrollment.
#[derive(Debug, Parser)]
#[command(
    name = "kube-enroll",
    version,
    about,
    override_usage = "kube-enroll [OPTIONS] <COMMAND>",
    arg_required_else_help = true,
    disable_version_flag = true,
    disable_help_subcommand = true,
    after_help = "Exit status: 0 done or good, 1 read and not good, 2 could not run."
)]
pub struct Cli {
    /// Say only what went wrong.
    #[arg(short, long, global = true)]
    pub quiet: bool,

    /// Print the version
    #[arg(short = 'V', long)]
    pub version: bool,

    /// With --version: print what this process forbids itself here
    #[arg(short, long, requires = "version")]
    pub verbose: bool,

    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// The commands, in the order of the journey.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a private key and a certificate signing request (user)
    Request(RequestArgs),
    /// Show what keys, requests, certificates, replies and kubeconfigs are and say
    Inspect(InspectArgs),
    /// Check a request against what was agreed and against the cluster's rules (admin)
    Verify(VerifyArgs),
    /// Join the issued object and the cluster's address into one file to send back (admin)
    Reply(ReplyArgs),
    /// Match a reply to its key and write the kubeconfig (user)
    Kubeconfig(KubeconfigArgs),
    /// Write role bindings for a user or group, and how to take access away (admin)
    Rbac(RbacArgs),
    /// Change or remove the passphrase of a private key (user)
    Passphrase(ChangePassphraseArgs),
    /// Serve certificate and key to kubectl; kubeconfigs written with --exec call it
    Credential(CredentialArgs),
    /// Forget the keys that --unlock-for keeps unlocked
    Lock,
    /// Play the whole journey on this machine with a throwaway certificate authority
    Rehearse(RehearseArgs),
    /// Print a shell completion script
    Completions {
        /// The shell to complete for
        shell: Shell,
    },
    /// Print the manual page, or write all of them
    Man {
        /// Write one page for each command into this folder
        #[arg(long, value_name = "DIR")]
        output_dir: Option<PathBuf>,
    },
}

/// Where a passphrase comes from, if not from the terminal.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub struct PassphraseArgs {
    /// Read the passphrase from the first line of this file
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
    /// Write the key unencrypted
    #[arg(long)]
    pub no_passphrase: bool,
}

/// `kube-enroll request`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kube-enroll request alice --group developers
  kube-enroll request alice -g developers -g oncall --expires-in 90d --algorithm ecdsa-p256
  kube-enroll request --config csr.cnf
  kube-enroll request alice --key alice.key")]
pub struct RequestArgs {
    /// The user name: the CN of the certificate
    #[arg(required_unless_present = "config")]
    pub user: Option<String>,
    /// A group: an O of the certificate (repeat for more)
    #[arg(short, long = "group", value_name = "GROUP")]
    pub groups: Vec<String>,
    /// The kind of key to make [default: rsa-4096]
    #[arg(long, value_name = "ALGORITHM", value_parser = algorithm_parser(), conflicts_with = "key")]
    pub algorithm: Option<Algorithm>,
    /// Use this private key (PKCS#8, PKCS#1 or SEC1; PEM or DER) instead of making one
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// The lifetime to ask for: 90d, 12h, or seconds, at least 10m
    #[arg(long, value_name = "LIFETIME")]
    pub expires_in: Option<Lifetime>,
    /// The signer to ask [default: kubernetes.io/kube-apiserver-client]
    #[arg(long, value_name = "NAME")]
    pub signer: Option<String>,
    /// metadata.name of the manifest [default: the user and a hash of the key]
    #[arg(long)]
    pub name: Option<String>,
    /// The folder to write to
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub output_dir: PathBuf,
    #[command(flatten)]
    pub passphrase: PassphraseArgs,
    /// A team's defaults (YAML), or an OpenSSL request configuration
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Put the extensions of the OpenSSL configuration into the request
    #[arg(long, requires = "config")]
    pub with_extensions: bool,
    /// Allow users and groups that start with system:
    #[arg(long)]
    pub allow_system: bool,
}

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
    /// For programs, as YAML
    Yaml,
}

/// What inspect and verify share.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// The format of the report
    #[arg(short, long, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: Format,
    /// Read files up to this many bytes
    #[arg(long, value_name = "BYTES", default_value_t = 1 << 20)]
    pub max_size: u64,
    /// Look for prime factors that RSA keys share among any number of keys; takes about a
    /// millisecond a key, and more than 256 are not compared otherwise
    #[arg(long)]
    pub compare_keys: bool,
}

/// `kube-enroll inspect`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kube-enroll inspect alice.csr.yaml
  kubectl get csr -o yaml | kube-enroll inspect
  kube-enroll inspect -o json alice.csr alice.key alice.kubeconfig")]
pub struct InspectArgs {
    /// Files to look at; - or none is standard input
    #[arg(value_name = "FILE")]
    pub files: Vec<Input>,
    #[command(flatten)]
    pub report: ReportArgs,
    /// Read the passphrase of encrypted keys from the first line of this file
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
}

/// `kube-enroll verify`
#[derive(Debug, Args)]
#[command(after_help = VERIFY_EXAMPLES, after_long_help = verify_long_help())]
pub struct VerifyArgs {
    /// Requests to check; - is standard input
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<Input>,
    /// The user name agreed on
    #[arg(long)]
    pub user: Option<String>,
    /// A group agreed on; all of them together must be exactly those of the request
    #[arg(short, long = "group", value_name = "GROUP")]
    pub groups: Vec<String>,
    /// No group at all was agreed on
    #[arg(long, conflicts_with = "groups")]
    pub no_groups: bool,
    /// The fingerprint of the public key, as the user read it out
    #[arg(long, value_name = "SHA256:...")]
    pub fingerprint: Option<kube_enroll::key::Fingerprint>,
    /// The longest lifetime that may be asked for
    #[arg(long, value_name = "LIFETIME")]
    pub max_lifetime: Option<Lifetime>,
    #[command(flatten)]
    pub report: ReportArgs,
}

/// `kube-enroll reply`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kubectl get csr alice-3f9a1c2e -o yaml | kube-enroll reply --out alice.reply.yaml
  kube-enroll reply issued.yaml --kubeconfig admin.kubeconfig --context prod > alice.reply.yaml")]
pub struct ReplyArgs {
    /// What `kubectl get csr NAME -o yaml` (or json) printed; - is standard input
    #[arg(value_name = "FILE", default_value = "-")]
    pub file: Input,
    /// The kubeconfig to take the cluster from [default: $KUBECONFIG, else ~/.kube/config]
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// The context whose cluster it is [default: the current one]
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,
    /// Write to this file instead of standard output
    #[arg(long, value_name = "FILE", default_value = "-")]
    pub out: Input,
}

/// `kube-enroll kubeconfig`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kube-enroll kubeconfig alice.reply.yaml
  kube-enroll kubeconfig alice.reply.yaml --key alice.key --files --namespace dev
  kube-enroll kubeconfig alice.crt --server https://10.0.0.1:6443 --certificate-authority ca.crt")]
pub struct KubeconfigArgs {
    /// A reply, an issued CertificateSigningRequest, or a certificate; - or none is standard input
    #[arg(value_name = "REPLY")]
    pub replies: Vec<Input>,
    /// The private key, or a folder of keys [default: the .key files beside the reply and here]
    #[arg(long, value_name = "FILE|DIR")]
    pub key: Option<PathBuf>,
    /// Take the cluster from this kubeconfig
    #[arg(long, value_name = "FILE", conflicts_with = "server")]
    pub cluster: Option<PathBuf>,
    /// The cluster's address, https://...
    #[arg(long, value_name = "URL", requires = "certificate_authority")]
    pub server: Option<String>,
    /// The cluster's certificate authority
    #[arg(long, value_name = "FILE", requires = "server")]
    pub certificate_authority: Option<PathBuf>,
    /// Demand that the certificate was issued by this client certificate authority
    #[arg(long, value_name = "FILE")]
    pub client_ca: Option<PathBuf>,
    #[command(flatten)]
    pub style: CredentialStyle,
    /// With --exec, keep the key unlocked in the kernel's memory for so long after each time that
    /// the passphrase was asked: 15m, at most 24h
    #[arg(long, value_name = "TIME", value_parser = unlock_time, conflicts_with_all = ["embed", "files"])]
    pub unlock_for: Option<u32>,
    /// The name of the context [default: USER@CLUSTER]
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,
    /// The namespace of the context
    #[arg(long)]
    pub namespace: Option<String>,
    /// The name of the cluster entry [default: as in the reply]
    #[arg(long, value_name = "NAME")]
    pub cluster_name: Option<String>,
    /// Write to this file [default: USER.kubeconfig beside the key]
    #[arg(long, value_name = "FILE", conflicts_with_all = ["output_dir", "merge"])]
    pub out: Option<PathBuf>,
    /// Write USER.kubeconfig into this folder
    #[arg(long, value_name = "DIR", conflicts_with = "merge")]
    pub output_dir: Option<PathBuf>,
    /// Add the entries to this kubeconfig
    #[arg(long, value_name = "FILE")]
    pub merge: Option<PathBuf>,
    /// Read the passphrase of the key from the first line of this file
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
}

/// How the kubeconfig carries certificate and key.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub struct CredentialStyle {
    /// Put certificate and key, unencrypted, into the kubeconfig (default for a plain key)
    #[arg(long)]
    pub embed: bool,
    /// Refer to certificate and key by absolute path
    #[arg(long)]
    pub files: bool,
    /// Let kubectl ask this program for the key, which stays encrypted (default for an encrypted
    /// key)
    #[arg(long)]
    pub exec: bool,
}

/// `kube-enroll credential`
#[derive(Debug, Args)]
#[command(after_help = "\
kubectl runs this as an exec credential plugin (client.authentication.k8s.io/v1):
  kube-enroll kubeconfig alice.reply.yaml --exec --unlock-for 15m")]
pub struct CredentialArgs {
    /// The issued certificate
    #[arg(long, value_name = "FILE")]
    pub certificate: PathBuf,
    /// Its private key
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// Read the passphrase from the first line of this file
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
    /// Keep the key unlocked in the kernel's memory for so long: 15m, at most 24h
    #[arg(long, value_name = "TIME", value_parser = unlock_time)]
    pub unlock_for: Option<u32>,
}

/// `kube-enroll passphrase`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kube-enroll passphrase alice.key
  kube-enroll passphrase alice.key --remove")]
pub struct ChangePassphraseArgs {
    /// The private key, which is replaced by PKCS#8 in PEM
    #[arg(value_name = "KEY")]
    pub key: PathBuf,
    /// Read the passphrase that it has from the first line of this file
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
    /// Read the new passphrase from the first line of this file
    #[arg(long, value_name = "FILE")]
    pub new_passphrase_file: Option<PathBuf>,
    /// Leave the key unencrypted
    #[arg(long, conflicts_with = "new_passphrase_file")]
    pub remove: bool,
}

/// Seconds for which a key may stay unlocked.
fn unlock_time(typed: &str) -> Result<u32, String> {
    const LONGEST: u32 = 24 * 60 * 60;
    let seconds = lifetime::seconds(typed).map_err(|error| error.to_string())?;
    match u32::try_from(seconds) {
        Ok(seconds @ 1..=LONGEST) => Ok(seconds),
        _ => Err("between 1s and 24h, please".to_owned()),
    }
}

/// `kube-enroll rbac`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kube-enroll rbac --user alice --cluster-role view --namespace dev
  kube-enroll rbac alice.csr.yaml --role edit --namespace dev
  kube-enroll rbac --approver
  kube-enroll rbac --user alice --revoke")]
pub struct RbacArgs {
    /// Take user and groups from this manifest, CSR or certificate; - is standard input
    #[arg(value_name = "FILE", conflicts_with_all = ["user", "groups"])]
    pub file: Option<Input>,
    /// Bind this user
    #[arg(long)]
    pub user: Option<String>,
    /// Bind this group (repeat for more)
    #[arg(short, long = "group", value_name = "GROUP")]
    pub groups: Vec<String>,
    /// Bind to this Role of the namespace
    #[arg(
        long,
        value_name = "NAME",
        requires = "namespace",
        conflicts_with = "cluster_role"
    )]
    pub role: Option<String>,
    /// Bind to this ClusterRole
    #[arg(long, value_name = "NAME")]
    pub cluster_role: Option<String>,
    /// Bind in this namespace only
    #[arg(short, long)]
    pub namespace: Option<String>,
    /// Write the ClusterRole that approving requests needs, bound to --user or --group if given
    #[arg(long, action = ArgAction::SetTrue, conflicts_with_all = ["role", "cluster_role", "revoke"])]
    pub approver: bool,
    /// Allow users and groups that start with system:
    #[arg(long)]
    pub allow_system: bool,
    /// Print what takes the access away
    #[arg(long, conflicts_with_all = ["role", "cluster_role"])]
    pub revoke: bool,
}

/// `kube-enroll rehearse`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kube-enroll rehearse
  kube-enroll rehearse --algorithm ecdsa-p256 --dir rehearsal
  kube-enroll rehearse --csr alice.csr.yaml")]
pub struct RehearseArgs {
    /// Keep the files in this new folder [default: a temporary folder]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Rehearse this request (CSR or manifest) instead of a new one; - is standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["algorithm", "user", "groups"])]
    pub csr: Option<Input>,
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

const VERIFY_EXAMPLES: &str = "\
Examples:
  kube-enroll verify alice.csr.yaml --user alice --group developers
  kube-enroll verify alice.csr.yaml --fingerprint SHA256:... --max-lifetime 90d
  kube-enroll verify requests/*.yaml -o json";

/// The examples, and every code that a finding can have.
fn verify_long_help() -> String {
    let codes = CODES
        .iter()
        .map(|(code, about)| format!("\n  {code:22} {}", about.replace('`', "")));
    format!(
        "{VERIFY_EXAMPLES}\n\nFindings:{}",
        codes.collect::<Vec<_>>().concat()
    )
}

/// Lists the algorithms in help and completions, and parses their names.
fn algorithm_parser() -> impl clap::builder::TypedValueParser<Value = Algorithm> {
    use clap::builder::{PossibleValuesParser, TypedValueParser as _};
    PossibleValuesParser::new(Algorithm::ALL.map(Algorithm::name)).try_map(|name| name.parse())
}
