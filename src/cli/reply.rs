//! `kube-enroll reply`: the issued object and the cluster's address, in one file to send back, after
//! the certificate was checked against its request and what was agreed on.

// These comments are the help texts, where backticks would be shown.
#![allow(clippy::doc_markdown)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use kube_enroll::agreement::{Agreement, Found};
use kube_enroll::certificate::{Certificate, Chain, show_time};
use kube_enroll::csr::CertificationRequest;
use kube_enroll::inspect::{State, check_issued, state};
use kube_enroll::kubeconfig::{Authority, Cluster};
use kube_enroll::looks::Want;
use kube_enroll::manifest::{CLIENT_SIGNER, CertificateSigningRequest};
use kube_enroll::parallel;
use kube_enroll::pem;
use kube_enroll::policy::{Finding, Level};
use kube_enroll::reply::{self, Reply};
use kube_enroll::roster::{Person, Roster};
use kube_enroll::shell::{Command, quoted};
use kube_enroll::text;
use kube_enroll::text::{Label, Show as _, Text, count};

use super::args::not_empty;
use super::console::{Console, report_failure};
use super::failure::Failure;
use super::from::agreement::AgreementArgs;
use super::from::cluster;
use super::from::file::{self, Filename, Stream};
use super::os::sandbox::Reach;
use super::to::Destination;
use super::to::files::{self, Access, NewFiles};
use super::to::names;
use super::{Action, Verdict, outcome};

/// A list of thousands of requests, in bytes.
const LIMIT: u64 = 256 << 20;
/// So many are explained one by one; more are counted.
const EXPLAINED: usize = 3;
/// kube-controller-manager dates certificates back by this, in seconds.
const BACKDATED: i64 = 5 * 60;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kubectl get csr alice-3f9a1c2e -o yaml | kube-enroll reply --user alice -g developers --out alice.reply.yaml
  kubectl get csr -o yaml | kube-enroll reply --roster team.csv --output-dir replies
  kube-enroll reply issued.yaml --kubeconfig admin.kubeconfig --context prod > alice.reply.yaml")]
#[command(mut_arg("output_dir", |arg| arg.help(
    "Write one USER.reply.yaml for each person into this folder"
)))]
pub struct Args {
    /// What `kubectl get csr NAME -o yaml` (or json) printed; - is standard input
    #[arg(value_name = "FILE", conflicts_with = "filename")]
    pub file: Option<Stream>,
    #[command(flatten)]
    pub filename: Filename,
    /// The kubeconfig to take the cluster from [default: $KUBECONFIG, else ~/.kube/config]
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<Stream>,
    /// The context whose cluster it is [default: the current one]
    #[arg(long, value_name = "CONTEXT", value_parser = not_empty)]
    pub context: Option<String>,
    /// The address that the user reaches the cluster by [default: as in the kubeconfig]
    #[arg(long, value_name = "URL")]
    pub server: Option<String>,
    #[command(flatten)]
    pub agreement: AgreementArgs,
    /// Requests of every signer, not only of kubernetes.io/kube-apiserver-client
    #[arg(long)]
    pub all_signers: bool,
    #[command(flatten)]
    pub to: Destination,
}

/// A request with the certificate that was issued for it.
struct Issued<'a> {
    request: &'a CertificateSigningRequest,
    leaf: Certificate,
}

/// What was agreed on, with the one person or with those of a roster.
struct Agreed {
    one: Agreement,
    roster: Option<Roster>,
}

impl Agreed {
    /// What was agreed on with this user.
    fn with(&self, user: &str) -> Option<&Agreement> {
        match &self.roster {
            None => Some(&self.one),
            Some(roster) => roster.person(user).map(Person::agreement),
        }
    }
}

impl Action for Args {
    fn reach(&self) -> Reach {
        let reach = Reach::default()
            .read([self.input()])
            .read(&self.agreement.roster)
            .write_to(&self.to)
            .of_strangers(1, LIMIT);
        match self.kubeconfig() {
            Ok(kubeconfigs) => reach.cluster(&kubeconfigs, self.context.as_deref()),
            Err(_) => reach,
        }
    }

    /// Writes what is issued, and explains what is not.
    fn run(&self, console: &Console) -> Result<Verdict, Failure> {
        let requests = read_requests(self.input(), console)?;
        let wanted: Vec<_> = requests
            .iter()
            .filter(|request| {
                let is_one = requests.len() == 1;
                is_one || self.all_signers || request.signer_name == CLIENT_SIGNER
            })
            .collect();
        if wanted.len() < requests.len() {
            console.note(text!(
                "left out: {} of other signers; --all-signers takes them along",
                count(requests.len() - wanted.len(), "request", "requests")
            ));
        }
        let agreed = Agreed {
            one: self.agreement.agreement(),
            roster: self.agreement.roster(console)?,
        };
        let (issued, others): (Vec<_>, Vec<_>) = wanted
            .into_iter()
            .partition(|request| state(request.status.as_ref()) == State::Issued);
        let mut verdict = self.tell_others(&others, console);
        let mut good = Vec::new();
        for request in issued {
            match check(request, &agreed) {
                Ok(issued) => good.push(issued),
                Err(failure) => {
                    report_failure(&failure);
                    verdict = Verdict::NotGood;
                }
            }
        }
        if good.is_empty() {
            return Ok(Verdict::NotGood);
        }
        let cluster = self.cluster(console)?;
        match &self.to.output_dir {
            Some(folder) => self.write_each(&good, &cluster, folder, console)?,
            None => {
                let objects: Vec<_> = good.iter().map(|issued| issued.request).collect();
                files::put(&self.to.out, &reply::write(&objects, &cluster), console)?;
                let shown = about(&good, &cluster);
                match self.to.out.path() {
                    Some(path) => console.say(text!("{}{}", shown, next_steps(path)))?,
                    None => console.note(text!("sent back:\n{}", shown)),
                }
            }
        }
        Ok(verdict)
    }
}

impl Args {
    fn input(&self) -> &Stream {
        self.file.as_ref().unwrap_or(&Stream::Stdio)
    }

    /// The kubeconfigs to take the cluster from.
    fn kubeconfig(&self) -> Result<Vec<Stream>, Failure> {
        match &self.kubeconfig {
            Some(kubeconfig) => Ok(vec![kubeconfig.clone()]),
            None => cluster::default_kubeconfigs(),
        }
    }

    /// The cluster of the admin's kubeconfig, its certificate authority put in.
    fn cluster(&self, console: &Console) -> Result<Cluster, Failure> {
        let kubeconfigs = self.kubeconfig()?;
        let server = self.server.as_deref();
        let cluster = cluster::read(
            &kubeconfigs,
            self.context.as_deref(),
            "--context",
            server,
            console,
        )?;
        if cluster.is_local() {
            console.warn(text!(
                "{} is an address of this machine, which nobody else reaches: give the address for \
                 others with --server URL",
                Label::from(cluster.server.as_str())
            ));
        }
        if cluster.has_local_proxy() {
            console.warn(text!(
                "the proxy-url of the cluster, {}, is an address of this machine, which nobody else \
                 reaches: set another one in a kubeconfig for others",
                Label::from(cluster.proxy_url.as_deref().unwrap_or_default())
            ));
        }
        Ok(cluster)
    }

    /// What is not issued: explained where it is little, else counted by what became of it.
    fn tell_others(&self, others: &[&CertificateSigningRequest], console: &Console) -> Verdict {
        if others.is_empty() {
            return Verdict::Good;
        }
        if others.len() <= EXPLAINED && self.to.output_dir.is_none() {
            for request in others {
                if let Err(failure) = outcome::require_issued(request) {
                    report_failure(&failure);
                }
            }
            return Verdict::NotGood;
        }
        let mut by_state: BTreeMap<&str, Vec<Label>> = BTreeMap::new();
        for request in others {
            let word = match state(request.status.as_ref()) {
                State::Pending => "pending",
                State::Denied => "denied",
                State::Failed => "failed",
                State::Approved => "approved and not issued",
                State::Issued => "issued",
            };
            let name = Label::from(request.metadata.name.as_str());
            by_state.entry(word).or_default().push(name);
        }
        for (word, names) in by_state {
            let word = match word {
                "pending" => "pending",
                "denied" => "denied",
                "failed" => "failed",
                _ => "approved and not issued",
            };
            let shown = names.iter().take(20).map(Label::show);
            let more = if names.len() > 20 { ", ..." } else { "" };
            console.warn(text!(
                "{} {}: {}{}",
                names.len(),
                word,
                Text::join(shown, ", "),
                more
            ));
        }
        // With a folder the others are for another time.
        if self.to.output_dir.is_some() {
            Verdict::Good
        } else {
            Verdict::NotGood
        }
    }

    fn write_each(
        &self,
        good: &[Issued<'_>],
        cluster: &Cluster,
        folder: &Path,
        console: &Console,
    ) -> Result<(), Failure> {
        let mut files = NewFiles::new(console);
        files.create_folder(folder)?;
        let named = |stem: &str| folder.join(format!("{stem}.reply.yaml"));
        let mut taken = BTreeSet::new();
        let replies = good.iter().map(|issued| {
            let name = issued.request.metadata.name.as_str();
            let text = reply::write(&[issued.request], cluster);
            let mut path = named(&names::stem(&user(&issued.leaf), name));
            // A run that was stopped goes on where it was.
            let is_other = path.exists() && !files::holds(&path, &text);
            if is_other || !taken.insert(path.clone()) {
                path = named(&names::stem(name, name));
            }
            (path, text)
        });
        let replies: Vec<_> = replies.collect();
        let written = parallel::map_waiting(&replies, |(path, text)| {
            let mut one = NewFiles::new(console);
            if !files::holds(path, text) {
                one.create(path, text.as_bytes(), Access::Everyone)?;
            }
            Ok(one)
        });
        // All of them, or none.
        let mut failed: Option<Failure> = None;
        for one in written {
            match one {
                Ok(one) => files.absorb(one),
                Err(failure) => failed = failed.or(Some(failure)),
            }
        }
        failed.map_or(Ok(()), Err)?;
        files.keep()?;
        console.say(text!(
            "{}{} written to {}\n",
            about(good, cluster),
            count(good.len(), "reply", "replies"),
            quoted(folder)
        ))
    }
}

/// The certificate against the request that it was issued for, and against what was agreed on.
fn check<'a>(
    request: &'a CertificateSigningRequest,
    agreed: &Agreed,
) -> Result<Issued<'a>, Failure> {
    let name = Label::from(request.metadata.name.as_str());
    let status = request.status.as_ref();
    let pem = status.and_then(|status| status.certificate.as_deref());
    let chain = Chain::from_pem(pem.unwrap_or_default())
        .map_err(|error| Failure::not_good(text!("{}: status.certificate: {}", name, error)))?;
    let asked = request.request.as_deref().and_then(pem::first);
    let asked = asked.and_then(|block| CertificationRequest::from_der(&block.contents).ok());
    let Some(asked) = asked else {
        let what = text!("{}: spec.request holds no request that can be read", name);
        return Err(Failure::not_good(what));
    };
    let leaf = chain.leaf_for(asked.public_key());
    let leaf = leaf.unwrap_or(chain.leaf());
    let mut findings = check_issued(leaf, &asked, request);
    let identity = leaf.subject().identity();
    let lifetime = (leaf.not_after() - leaf.not_before()).whole_seconds();
    let user = identity.as_ref().map(|identity| identity.username.as_str());
    let agreement = agreed.with(user.unwrap_or_default()).ok_or_else(|| {
        let user = Label::from(user.unwrap_or_default());
        Failure::not_good(text!(
            "{}: nobody in the roster is called \"{}\"",
            name,
            user
        ))
    })?;
    let (_, different) = agreement.compare(&Found {
        identity: identity.as_ref(),
        fingerprint: Some(leaf.public_key().fingerprint()),
        seconds: Some(lifetime - BACKDATED),
    });
    findings.extend(different);
    let errors: Vec<&Finding> = findings
        .iter()
        .filter(|finding| finding.level == Level::Error)
        .collect();
    if errors.is_empty() {
        return Ok(Issued {
            request,
            leaf: leaf.clone(),
        });
    }
    let failure = Failure::not_good(text!("{}: the certificate is not what was asked for", name));
    let failure = errors
        .into_iter()
        .fold(failure, |failure, finding| failure.say(finding.show()));
    Err(failure.say("nothing is sent back; ask who approved it and how it was signed"))
}

fn user(leaf: &Certificate) -> String {
    let identity = leaf.subject().identity();
    identity
        .map(|identity| identity.username)
        .unwrap_or_default()
}

/// What is sent: who, in which groups, until when; and where to, with what to compare.
fn about(good: &[Issued<'_>], cluster: &Cluster) -> Text {
    const SHOWN: usize = 10;
    let people = good.iter().take(SHOWN).map(|issued| {
        let identity = issued.leaf.subject().identity();
        let groups = identity.into_iter().flat_map(|identity| identity.groups);
        let groups: Vec<Text> = groups.map(|group| Label::from(group).show()).collect();
        let groups = if groups.is_empty() {
            Text::from("no groups")
        } else {
            Text::join(groups, ", ")
        };
        text!(
            "  {} ({}) until {}\n",
            Label::from(user(&issued.leaf)),
            groups,
            Label::from(show_time(issued.leaf.not_after()))
        )
    });
    let people = Text::join(people, "");
    let more = match good.len().saturating_sub(SHOWN) {
        0 => Text::default(),
        more => text!("  and {} more\n", more),
    };
    let place = text!(
        "  cluster {} at {}\n",
        Label::from(cluster.name.as_str()),
        Label::from(cluster.server.as_str())
    );
    text!("{}{}{}{}", people, more, place, authority(cluster))
}

/// The fingerprint of the cluster's authority, by which the user knows that nobody exchanged it.
fn authority(cluster: &Cluster) -> Text {
    let Authority::Data(pem) = &cluster.authority else {
        return "  no certificate authority: the system's are used\n".into();
    };
    match Certificate::all_from_pem(pem) {
        Ok(chain) => Text::join(
            chain.first().map(|authority| {
                text!(
                    "  certificate authority {}\n  (tell the user those digits another way; {} \
                     --ca-fingerprint compares them)\n",
                    authority.public_key().fingerprint(),
                    Command::ours("kubeconfig")
                )
            }),
            "",
        ),
        Err(_) => Text::default(),
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

fn read_requests(
    input: &Stream,
    console: &Console,
) -> Result<Vec<CertificateSigningRequest>, Failure> {
    let contents = file::read(input, LIMIT)?;
    match outcome::read_reply(input, &contents, Want::Issued, console)? {
        Reply { requests, .. } if !requests.is_empty() => Ok(requests),
        _ => {
            let get = Command::new("kubectl")
                .word("get")
                .word("csr")
                .operand("NAME");
            let command = get.option("-o", "yaml").pipe(Command::ours("reply"));
            let what = "a certificate alone; the object is needed";
            Err(Failure::about(input, what).run(command))
        }
    }
}
