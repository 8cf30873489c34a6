//! `kube-enroll reply`: the issued object and the cluster's address, in one file to send back.

// These comments are the help texts, where backticks would be shown.
#![allow(clippy::doc_markdown)]

use std::path::Path;

use kube_enroll::kubeconfig::Cluster;
use kube_enroll::manifest::CertificateSigningRequest;
use kube_enroll::reply::{self, Reply, ReplyError};
use kube_enroll::shell::{Command, quoted};
use kube_enroll::text;
use kube_enroll::text::Text;

use super::console::{Console, report_failure};
use super::failure::Failure;
use super::from::cluster;
use super::from::file::{self, Stream};
use super::os::sandbox::Reach;
use super::to::files;
use super::{Action, Verdict, outcome};

/// A list of thousands of requests, in bytes.
const LIMIT: u64 = 256 << 20;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kubectl get csr alice-3f9a1c2e -o yaml | kube-enroll reply --out alice.reply.yaml
  kube-enroll reply issued.yaml --kubeconfig admin.kubeconfig --context prod > alice.reply.yaml")]
pub struct Args {
    /// What `kubectl get csr NAME -o yaml` (or json) printed; - is standard input
    #[arg(value_name = "FILE", default_value = "-")]
    pub file: Stream,
    /// The kubeconfig to take the cluster from [default: $KUBECONFIG, else ~/.kube/config]
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<Stream>,
    /// The context whose cluster it is [default: the current one]
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,
    /// Write to this file instead of standard output
    #[arg(long, value_name = "FILE", default_value = "-")]
    pub out: Stream,
}

impl Action for Args {
    fn reach(&self) -> Reach {
        let reach = Reach::default().read([&self.file]).write([&self.out]);
        match self.kubeconfig() {
            Ok(kubeconfig) => reach.cluster(&kubeconfig, self.context.as_deref()),
            Err(_) => reach,
        }
    }

    /// Writes what is issued, and explains what is not.
    fn run(&self, console: &Console) -> Result<Verdict, Failure> {
        let requests = read_requests(&self.file)?;
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
        let cluster = self.cluster(console)?;
        let issued: Vec<&CertificateSigningRequest> = issued.into_iter().flatten().collect();
        files::put(&self.out, &reply::write(&issued, &cluster), console)?;
        if let Some(path) = self.out.path() {
            console.say(next_steps(path))?;
        }
        Ok(if others.is_empty() {
            Verdict::Good
        } else {
            Verdict::NotGood
        })
    }
}

impl Args {
    /// The kubeconfig to take the cluster from.
    fn kubeconfig(&self) -> Result<Stream, Failure> {
        match &self.kubeconfig {
            Some(kubeconfig) => Ok(kubeconfig.clone()),
            None => cluster::default_kubeconfig().map(Stream::from),
        }
    }

    /// The cluster of the admin's kubeconfig, its certificate authority put in.
    fn cluster(&self, console: &Console) -> Result<Cluster, Failure> {
        let kubeconfig = self.kubeconfig()?;
        let cluster = cluster::read(&kubeconfig, self.context.as_deref(), console)?;
        if cluster.has_userinfo() {
            console.warn(text!(
                "{}: user and password of server or proxy are not taken over; the user needs \
                 others",
                kubeconfig
            ));
        }
        Ok(cluster)
    }
}

fn next_steps(path: &Path) -> Text {
    let command = Command::ours("kubeconfig").operand(path.file_name().unwrap_or_default());
    text!(
        "  {}  nothing in it is secret\n\nSend it back. The user runs:\n\n{}\n",
        quoted(path),
        command.folded(2)
    )
}

fn read_requests(input: &Stream) -> Result<Vec<CertificateSigningRequest>, Failure> {
    let contents = file::read(input, LIMIT)?;
    match Reply::read(&contents) {
        Ok(Reply { requests, .. }) if !requests.is_empty() => Ok(requests),
        Ok(_) => {
            let get = Command::new("kubectl")
                .word("get")
                .word("csr")
                .operand("NAME");
            let command = get.option("-o", "yaml").pipe(Command::ours("reply"));
            let what = "a certificate alone; the object is needed";
            Err(Failure::about(input, what).run(command))
        }
        Err(ReplyError::Empty | ReplyError::NothingIssued) => Err(outcome::no_request(input)),
        Err(error) => Err(Failure::about(input, error)),
    }
}
