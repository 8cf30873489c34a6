//! `kube-enroll kubeconfig`: matches a reply to its key, checks everything, writes the kubeconfig.

// These comments are the help texts, where backticks would be shown.
#![allow(clippy::doc_markdown)]

use std::cell::RefCell;
use std::path::{Component, Path, PathBuf};

use kube_enroll::certificate::{Certificate, Chain, NoPath};
use kube_enroll::key::AgreedFingerprint;
use kube_enroll::kubeconfig::{Authority, Cluster};
use kube_enroll::looks::Want;
use kube_enroll::manifest::CertificateSigningRequest;
use kube_enroll::reply::Reply;
use kube_enroll::shell::Command;
use kube_enroll::text;
use kube_enroll::text::{Label, Show as _, Text, count};
use time::OffsetDateTime;

use super::args::{namespace, not_empty, unlock_time};
use super::console::Console;
use super::failure::{Failure, Failures};
use super::from::cluster;
use super::from::file::{self, Filenames, Stream};
use super::from::keys::{self, FoundKey, KeyFiles};
use super::from::passphrase::KeyPassphraseArgs;
use super::from::requests::Requests;
use super::hint::Again;
use super::os::sandbox::Reach;
use super::to::files::{self, Access, folder_of};
use super::{Action, Verdict, outcome};
use plan::{Plans, Target};
use write::Writer;

mod check;
mod newest;
mod plan;
mod show;
mod write;

#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
Examples:
  kube-enroll kubeconfig alice.reply.yaml
  kube-enroll kubeconfig alice.reply.yaml --key alice.key --files --namespace dev
  kube-enroll kubeconfig alice.crt --server https://10.0.0.1:6443 --certificate-authority ca.crt

An encrypted key stays so: kubectl runs kube-enroll credential for it. Where its preferences \
(~/.kube/kuberc, kubectl 1.35 and later) restrict what it may run, kube-enroll has to be in their list; \
kube-enroll inspect ~/.kube/kuberc says whether it is.")]
pub struct Args {
    /// A reply, an issued CertificateSigningRequest, or a certificate, or a folder of replies; - is
    /// standard input
    #[arg(value_name = "REPLY")]
    pub replies: Vec<Stream>,
    #[command(flatten)]
    pub filenames: Filenames,
    /// The private key, or a folder of keys [default: the .key files beside the reply and here]
    #[arg(long, value_name = "FILE|DIR")]
    pub key: Option<Stream>,
    /// Take the cluster from this kubeconfig
    #[arg(long, value_name = "FILE", conflicts_with = "server")]
    pub cluster: Option<Stream>,
    /// The cluster's address, https://..., in place of that in the reply
    #[arg(long, value_name = "URL")]
    pub server: Option<String>,
    /// The cluster's certificate authority
    #[arg(long, value_name = "FILE", requires = "server")]
    pub certificate_authority: Option<Stream>,
    /// Demand that the certificate was issued by this client certificate authority
    #[arg(long, value_name = "FILE")]
    pub client_ca: Option<Stream>,
    #[command(flatten)]
    pub style: CredentialStyle,
    /// With --exec, keep the key unlocked in the kernel's memory for so long after each time that
    /// the passphrase was asked: 15m, at most 24h
    #[arg(long, value_name = "TIME", value_parser = unlock_time, conflicts_with_all = ["embed", "files"])]
    pub unlock_for: Option<u32>,
    /// The context of --cluster FILE whose cluster it is [default: the current one]
    #[arg(long, value_name = "CONTEXT", value_parser = not_empty, requires = "cluster")]
    pub cluster_context: Option<String>,
    /// The fingerprint of the cluster's certificate authority, as the administrator told it
    #[arg(long, value_name = "FINGERPRINT")]
    pub ca_fingerprint: Option<AgreedFingerprint>,
    /// The name of the context [default: USER@CLUSTER]
    #[arg(long, value_name = "NAME", value_parser = not_empty)]
    pub context: Option<String>,
    /// The namespace of the context
    #[arg(short, long, value_parser = namespace)]
    pub namespace: Option<String>,
    /// The name of the cluster entry [default: as in the reply]
    #[arg(long, value_name = "NAME", value_parser = not_empty)]
    pub cluster_name: Option<String>,
    /// Write to this file [default: USER.kubeconfig beside the key]
    #[arg(long, value_name = "FILE", conflicts_with_all = ["output_dir", "merge"])]
    pub out: Option<Stream>,
    /// Write USER.kubeconfig into this folder
    #[arg(long, value_name = "DIR", conflicts_with = "merge")]
    pub output_dir: Option<PathBuf>,
    /// Add the entries to this kubeconfig (repeat for more: all of them, or none where one
    /// of them says something else)
    #[arg(long, value_name = "FILE")]
    pub merge: Vec<Stream>,
    /// Check everything, show what would be written and where, and write nothing
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub passphrase: KeyPassphraseArgs,
}

/// How the kubeconfig carries certificate and key.
#[derive(Debug, Clone, Default, clap::Args)]
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

/// A reply with thousands of certificates, in bytes.
const LIMIT: u64 = 256 << 20;

/// One certificate on its way into a kubeconfig.
struct Issued {
    /// The object that it came in.
    request: Option<CertificateSigningRequest>,
    /// The certificate, and behind it those of authorities.
    chain: Chain,
    key: FoundKey,
    user: String,
}

/// How a kubeconfig carries certificate and key.
#[derive(Clone, Copy)]
enum Style {
    Embed,
    Files,
    Exec,
}

/// This command as it was typed, to be told with something changed; what it shows was shown.
fn again() -> Again {
    Again::of("kubeconfig").without(&["dry-run"])
}

/// The same for these replies.
fn again_for<'s>(replies: impl IntoIterator<Item = &'s Stream>) -> Again {
    again().of_operands(replies.into_iter().map(Stream::typed))
}

impl Style {
    /// The command in this style.
    fn of(self, again: Again) -> Again {
        let again = again.without(&["embed", "files", "exec"]);
        again.with_flag(match self {
            Self::Embed => "embed",
            Self::Files => "files",
            Self::Exec => "exec",
        })
    }
}

impl Action for Args {
    fn reach(&self) -> Reach {
        let (reach, keys) = keys::reach(Reach::default(), self.key.as_ref(), &self.replies);
        let files = [&self.certificate_authority, &self.client_ca];
        let merge: Vec<_> = self.merge.iter().filter_map(Stream::path).collect();
        let out = self.out.as_ref().and_then(Stream::path);
        let mut reach = reach
            .read(&self.replies)
            .read(files.into_iter().flatten())
            .read(&self.passphrase.passphrase_file);
        let is_folder = |file: &Stream| file.path().is_some_and(Path::is_dir);
        let replies = self.replies.iter();
        let files = replies.map(|it| if is_folder(it) { 1 << 20 } else { 1 });
        reach = reach.with_work(files.sum(), LIMIT);
        if let Some(cluster) = &self.cluster {
            reach = reach.cluster(
                std::slice::from_ref(cluster),
                self.cluster_context.as_deref(),
            );
        }
        let replies = self.replies.iter().filter_map(Stream::path);
        let replies = replies.map(|path| if path.is_dir() { path } else { folder_of(path) });
        // Requests are looked for in these.
        let keys_in = keys.iter().map(PathBuf::as_path);
        let linked = keys::folders_of_links(self.key.as_ref(), &keys);
        let linked = linked.iter().map(PathBuf::as_path);
        for folder in replies.chain(keys_in).chain(linked).chain([Path::new(".")]) {
            reach = reach.list(folder).read_in([folder]);
        }
        let folders = || merge.iter().copied().chain(out).map(folder_of);
        reach = reach.read_in(self.output_dir.as_deref());
        // What is merged into names certificates, which are looked at before they are replaced.
        reach = reach.credentials_of(merge.iter().copied());
        if self.dry_run {
            return reach.read_in(folders()).keyring();
        }
        if merge.is_empty() && out.is_none() && self.output_dir.is_none() {
            reach = reach.write_in(keys.iter().map(PathBuf::as_path));
        }
        reach
            .replace(&self.merge)
            .write(&self.out)
            // As kubectl does for ~/.kube.
            .make(folders(), Access::Owner)
            .make(self.output_dir.as_deref(), Access::Owner)
            .all_keyrings()
    }

    /// Writes a kubeconfig for every certificate in every reply.
    fn run(&self, console: &Console) -> Result<Verdict, Failure> {
        for merge in self.merge.iter().filter_map(Stream::path) {
            files::refuse_no_file(merge)?;
        }
        let passphrase = self.passphrase.read()?;
        let run = Run {
            args: self,
            console,
            keys: KeyFiles::new(self.key.as_ref(), passphrase.as_ref(), console),
            requests: Requests::new(console),
            now: OffsetDateTime::now_utc(),
            clusters: RefCell::default(),
        };
        let mut plans = Plans::default();
        let mut failures = Failures::default();
        let inputs = self.in_folders()?;
        let is_one_of_several = inputs.len() > 1;
        let mut others = Others::default();
        let mut replies: Vec<(&Stream, Reply)> = Vec::new();
        for input in &inputs {
            match run.read(input) {
                Ok(reply) => replies.push((input, reply)),
                Err(failure) => failures.report(&failure),
            }
        }
        run.pass_over_older(&mut replies);
        let is_for_many = |reply: &Reply| is_one_of_several || reply.requests.len() > 1;
        for (input, reply) in &replies {
            match run.reply(input, reply, is_for_many(reply), &mut plans, &mut failures) {
                Err(failure) if failure.is_interrupted() => return Err(failure),
                Err(failure) => failures.report(&failure),
                Ok(more) => others.absorb(more),
            }
        }
        run.tell_others(&inputs, &others, &mut failures);
        if self.out.is_some() && plans.number() > 1 {
            let what = "--out is for one kubeconfig, and here are several";
            failures.report(&Failure::could_not_run(what).say("give --output-dir DIR instead"));
            plans = Plans::default();
        }
        let worst = failures.end("more reply", "more replies");
        let writer = Writer {
            args: self,
            console,
        };
        Ok(worst.max(writer.write_all(&plans)?))
    }
}

impl Args {
    /// Folders stand for the replies in them, not deeper, in the order of their names.
    fn in_folders(&self) -> Result<Vec<Stream>, Failure> {
        const ENDING: &str = ".reply.yaml";
        let mut all = Vec::new();
        for reply in &self.replies {
            let Some(folder) = reply.path().filter(|path| path.is_dir()) else {
                all.push(reply.clone());
                continue;
            };
            let mut paths = file::files_in(folder)?;
            paths.retain(|path| path.to_string_lossy().ends_with(ENDING));
            if paths.is_empty() {
                let what = text!(
                    "{} is a directory, and no file in it ends with {}",
                    folder,
                    ENDING
                );
                return Err(Failure::could_not_run(what));
            }
            all.extend(paths.into_iter().map(Stream::from));
        }
        Ok(all)
    }
}

/// Those whose keys are somewhere else.
#[derive(Default)]
struct Others {
    count: usize,
    /// Why the first of them has no key here.
    first: Option<Failure>,
    /// Whether anybody's key is here.
    is_any_ours: bool,
}

impl Others {
    fn add(&mut self, failure: Failure) {
        self.count += 1;
        self.first.get_or_insert(failure);
    }

    fn absorb(&mut self, more: Self) {
        self.count += more.count;
        self.first = self.first.take().or(more.first);
        self.is_any_ours |= more.is_any_ours;
    }
}

/// What all replies of one run share.
struct Run<'a> {
    args: &'a Args,
    console: &'a Console,
    keys: KeyFiles<'a>,
    requests: Requests<'a>,
    now: OffsetDateTime,
    /// Clusters of which was said what there is to say.
    clusters: RefCell<Vec<Cluster>>,
}

impl Run<'_> {
    fn read(&self, input: &Stream) -> Result<Reply, Failure> {
        let contents = file::read(input, LIMIT)?;
        outcome::read_reply(input, &contents, Want::Reply, self.console)
    }

    /// Everything in one file. What is not issued, or does not fit, does not stop the others; in replies
    /// for many, those are others whose key is not here.
    fn reply(
        &self,
        input: &Stream,
        reply: &Reply,
        is_for_many: bool,
        plans: &mut Plans,
        failures: &mut Failures,
    ) -> Result<Others, Failure> {
        let mut others = Others::default();
        let mut not_issued = Vec::new();
        let has_issued = reply.chain.is_some()
            || reply
                .requests
                .iter()
                .any(|request| outcome::require_issued(request).is_ok());
        let cluster = if has_issued {
            self.cluster(reply, input)?
        } else {
            None
        };
        let cluster = cluster.as_ref();
        if let Some(chain) = &reply.chain {
            match self.issued(None, chain, cluster, input, plans) {
                Ok(()) => others.is_any_ours = true,
                Err(failure) if is_for_many && failure.is_no_key() => others.add(failure),
                Err(failure) => return Err(failure),
            }
        }
        for request in &reply.requests {
            if let Err(failure) = outcome::require_issued(request) {
                not_issued.push((request, failure));
                continue;
            }
            match self.request(request, cluster, input, plans) {
                Ok(()) => others.is_any_ours = true,
                Err(failure) if failure.is_interrupted() => return Err(failure),
                Err(failure) if is_for_many && failure.is_no_key() => others.add(failure),
                Err(failure) => {
                    others.is_any_ours = true;
                    failures.report(&failure);
                }
            }
        }
        for (request, failure) in &not_issued {
            if is_for_many && !self.is_ours(request, input)? {
                others.count += 1;
                continue;
            }
            others.is_any_ours = true;
            failures.report(failure);
        }
        Ok(others)
    }

    /// Others are counted where somebody's key is here, and else are what is wrong.
    fn tell_others(&self, inputs: &[Stream], others: &Others, failures: &mut Failures) {
        if others.count == 0 {
            return;
        }
        let place = match inputs {
            [input] => input.show(),
            inputs => count(inputs.len(), "reply", "replies"),
        };
        if others.is_any_ours {
            self.console.note(self.others(&place, others.count));
        } else {
            failures.report(&self.nobody_here(&place, others.count, others.first.as_ref()));
        }
    }

    /// Whether the request of an object was made with a key that is here.
    fn is_ours(&self, object: &CertificateSigningRequest, input: &Stream) -> Result<bool, Failure> {
        match object.asked() {
            Some(request) => self.keys.knows(request.public_key(), input),
            None => Ok(false),
        }
    }

    /// Those in a reply for many who are somewhere else, in one line.
    fn others(&self, input: &Text, others: usize) -> Text {
        let keys = match self.keys.closed() {
            0 => "keys that are not here".into(),
            closed => text!(
                "keys that are not here (or among {} here that could not be opened)",
                count(closed, "file", "files")
            ),
        };
        text!(
            "{}: {} for {}",
            input,
            count(others, "other is", "others are"),
            keys
        )
    }

    fn nobody_here(&self, input: &Text, number: usize, first: Option<&Failure>) -> Failure {
        let what = text!(
            "none of the {} requests in {} is of a key that is here",
            number,
            input
        );
        let failure = Failure::not_good(what);
        match first {
            Some(first) if self.keys.closed() > 0 => failure.say(first.what().clone()).also(first),
            Some(_) => {
                failure.say("name the key with --key FILE, or the folder of keys with --key DIR")
            }
            None => failure.say("name the folder of keys with --key DIR; none was issued"),
        }
    }

    /// One issued object.
    fn request(
        &self,
        request: &CertificateSigningRequest,
        cluster: Option<&Cluster>,
        input: &Stream,
        plans: &mut Plans,
    ) -> Result<(), Failure> {
        outcome::warn_of_signer(request, self.console);
        let chain = outcome::certificate(request, input)?;
        self.issued(Some(request.clone()), &chain, cluster, input, plans)
    }

    /// The cluster from the command line, else from the reply; nothing, where neither names one.
    fn cluster(&self, reply: &Reply, input: &Stream) -> Result<Option<Cluster>, Failure> {
        let mut cluster = if let Some(kubeconfig) = &self.args.cluster {
            self.cluster_of(kubeconfig)?
        } else if let Some(server) = &self.args.server {
            let mut cluster = match &reply.cluster {
                // The rest of the way there is what the administrator knows.
                Some(cluster) => Cluster {
                    server: server.clone(),
                    ..cluster.clone()
                },
                None => Cluster {
                    authority: Authority::None,
                    ..Cluster::new("kubernetes", server, &[])
                },
            };
            if let Some(file) = &self.args.certificate_authority {
                cluster.authority = Authority::from_pem(&cluster::authorities(file, self.console)?);
            }
            cluster
        } else if let Some(cluster) = &reply.cluster {
            cluster.clone()
        } else {
            return Ok(None);
        };
        if let Some(name) = &self.args.cluster_name {
            cluster.name.clone_from(name);
        } else if cluster.name.is_empty() {
            "kubernetes".clone_into(&mut cluster.name);
        }
        if self.clusters.borrow().contains(&cluster) {
            return Ok(Some(cluster));
        }
        cluster::check(&cluster, input, self.console)?;
        if cluster.is_local() {
            self.console.warn(text!(
                "{}: {} is an address of the machine that it was written on; if the cluster is on another \
                 one, ask the administrator for its address and give it with --server URL",
                input,
                Label::from(cluster.server.as_str())
            ));
        }
        let is_sent = self.args.cluster.is_none() && self.args.certificate_authority.is_none();
        self.tell_way(&cluster, input, is_sent);
        self.check_authority(&cluster, input, is_sent)?;
        self.clusters.borrow_mut().push(cluster.clone());
        Ok(Some(cluster))
    }

    /// The cluster of `--cluster`, with a word where the names to be given are those of another one.
    fn cluster_of(&self, kubeconfig: &Stream) -> Result<Cluster, Failure> {
        const CHOSEN_BY: &str = "--cluster-context";
        let args = self.args;
        let files = cluster::load(std::slice::from_ref(kubeconfig), CHOSEN_BY, self.console)?;
        let context = args.cluster_context.as_deref();
        let cluster = cluster::choose(&files, context, CHOSEN_BY, None, self.console)?;
        if context.is_some() {
            return Ok(cluster);
        }
        let is_named = |name: &str, wanted: &Option<String>| wanted.as_deref() == Some(name);
        for (_, there) in &files {
            let other = there.contexts().find_map(|(name, its_cluster, _)| {
                let meant =
                    is_named(name, &args.context) || is_named(its_cluster, &args.cluster_name);
                let other = there.cluster(Some(name)).ok().filter(|_| meant)?;
                (!other.is_same_server(&cluster)).then_some((name, other))
            });
            if let Some((name, other)) = other {
                self.console.warn(text!(
                    "{}: context {} there is of another cluster, {}, and {} is taken; for the other one run: {}",
                    kubeconfig,
                    Label::from(name),
                    Label::from(other.without_secrets().server),
                    Label::from(cluster.without_secrets().server),
                    again().with("cluster-context", name).command()
                ));
            }
        }
        Ok(cluster)
    }

    /// What a sender chose and nobody would notice.
    fn tell_way(&self, cluster: &Cluster, input: &Stream, is_sent: bool) {
        if cluster.proxy_url.is_some() || cluster.tls_server_name.is_some() {
            self.console
                .note(text!("{}: the cluster is {}", input, cluster.way()));
        }
        if let (true, Authority::File(path)) = (is_sent, &cluster.authority) {
            self.console.warn(text!(
                "{}: the certificate authority of the cluster is not in it, but the file {} of this machine, \
                 whatever that holds: ask for a reply that has it, or give --certificate-authority FILE",
                input,
                Label::from(path.as_str())
            ));
        }
    }

    /// The authority against the fingerprint that came another way; one that was sent, and that no
    /// fingerprint was given for, is told for people to compare.
    fn check_authority(
        &self,
        cluster: &Cluster,
        input: &Stream,
        is_sent: bool,
    ) -> Result<(), Failure> {
        let authorities = match &cluster.authority {
            Authority::Data(pem) => Certificate::all_from_pem(pem).unwrap_or_default(),
            _ => Vec::new(),
        };
        let found: Vec<_> = authorities
            .iter()
            .map(|authority| authority.public_key().fingerprint())
            .collect();
        let Some(agreed) = &self.args.ca_fingerprint else {
            if is_sent && !found.is_empty() {
                self.console.note(text!(
                    "{}: the certificate authority of the cluster is\n  {}\n  if the administrator told \
                     you another one, do not use it; --ca-fingerprint compares them",
                    input,
                    Text::join(found.iter().map(text::Show::show), "\n  ")
                ));
            }
            return Ok(());
        };
        if !found.is_empty() && found.iter().all(|found| agreed.matches(found)) {
            return Ok(());
        }
        let shown = found
            .iter()
            .map(|found| Label::from(agreed.same_form(found)).show());
        let shown = if found.is_empty() {
            Text::from("none")
        } else {
            Text::join(shown, ", ")
        };
        Err(Failure::not_good(text!(
            "{}: the cluster's certificate authority is not the one agreed on: found {}, agreed on {}",
            input,
            shown,
            Label::from(agreed.to_string())
        ))
        .say("do not use this reply: it may lead to a server of somebody else; ask the administrator"))
    }

    /// Checks a certificate, and adds it to what is to be written.
    fn issued(
        &self,
        request: Option<CertificateSigningRequest>,
        chain: &Chain,
        cluster: Option<&Cluster>,
        input: &Stream,
        plans: &mut Plans,
    ) -> Result<(), Failure> {
        let (chain, key) = self.leaf_first(chain, input)?;
        let user = chain
            .leaf()
            .subject()
            .identity()
            .map(|identity| identity.username)
            .unwrap_or_default();
        let issued = Issued {
            request,
            chain,
            key,
            user,
        };
        check::check(&issued, input, &self.requests, self.now, self.console)?;
        let mut checked = Vec::new();
        for target in self.targets(&issued) {
            if let Target::Any(Stream::File(path)) = &target {
                files::refuse_no_file(path)?;
            }
            let place = self.place(&issued, cluster, input, &target, plans)?;
            if !checked.contains(&place.cluster.authority) {
                self.check_client_authority(&issued, &place.cluster)?;
                checked.push(place.cluster.authority.clone());
            }
            self.plan(&issued, place, input, target, plans)?;
        }
        Ok(())
    }

    /// The certificate that fits a key, wherever it stands, and behind it those of authorities. Of
    /// several for the same key the one that was issued last is meant.
    fn leaf_first(&self, chain: &Chain, input: &Stream) -> Result<(Chain, FoundKey), Failure> {
        let mut first = None;
        for leaf in chain.by_likelihood() {
            match self.keys.find(leaf.public_key(), input) {
                Ok(key) => return Ok((chain.led_by(leaf), key)),
                Err(failure) if failure.is_interrupted() => return Err(failure),
                Err(failure) => first = first.or(Some(failure)),
            }
        }
        let holder = chain.holder();
        if holder.is_ca() {
            return Err(Failure::not_good(text!(
                "{} is the certificate of an authority ({}), and none of a user",
                input,
                holder.subject()
            ))
            .say("it belongs behind --certificate-authority; the user's is in the reply"));
        }
        Err(first.unwrap_or_else(|| outcome::no_request(input)))
    }

    /// A chain to the cluster's own authority is a note, to `--client-ca` a condition.
    fn check_client_authority(&self, issued: &Issued, cluster: &Cluster) -> Result<(), Failure> {
        if let Some(input) = &self.args.client_ca {
            let pem = cluster::authorities(input, self.console)?;
            let mut authorities =
                Certificate::all_from_pem(&pem).map_err(|error| Failure::in_file(input, &error))?;
            // API servers take the very certificate among their authorities for a way to it; here it
            // says that the wrong file was given.
            authorities.retain(|it| it.der() != issued.chain.leaf().der());
            let refused = match issued.chain.verify_client(&authorities, self.now) {
                Ok(()) => return Ok(()),
                Err(NoPath::NotIssued { issuer }) => text!(
                    "the certificate was not issued by {}: its issuer is {}",
                    input,
                    issuer
                ),
                Err(changed @ NoPath::Changed { .. }) => return Err(outcome::changed(&changed)),
                Err(other) => text!(
                    "an API server that trusts {} does not take the certificate: {}",
                    input,
                    other
                ),
            };
            return Err(Failure::not_good(refused)
                .say("ask the administrator for the file behind --client-ca-file"));
        }
        if let Authority::Data(pem) = &cluster.authority {
            let authorities = Certificate::all_from_pem(pem).unwrap_or_default();
            // Where it is none at all, that was said.
            let is_authority = authorities.iter().any(Certificate::is_ca);
            if !is_authority {
                return Ok(());
            }
            match issued.chain.verify_client(&authorities, self.now) {
                Ok(()) => {}
                Err(NoPath::NotIssued { .. }) => self.console.warn(
                    "the certificate was not issued by the authority of the API server; many \
                     clusters have another one for clients, so this may be as it should",
                ),
                Err(changed @ NoPath::Changed { .. }) => return Err(outcome::changed(&changed)),
                Err(other) => self.console.warn(text!(
                    "an API server that trusts its own authority for clients too does not take the \
                     certificate: {}",
                    other
                )),
            }
        }
        Ok(())
    }

    /// Clients read the file as it is.
    fn check_readable(&self, key: &FoundKey) -> Result<(), Failure> {
        let why = if key.was_encrypted {
            text!(
                "{} is encrypted, and no client of Kubernetes reads an encrypted key from a file",
                key.source
            )
        } else if key.is_pem {
            return Ok(());
        } else {
            text!(
                "{} is no PEM, which is all that clients of Kubernetes read from a file",
                key.source
            )
        };
        let remove = Command::ours("passphrase").operand(key.source.typed());
        Err(Failure::could_not_run(why)
            .say("let kubectl ask kube-enroll for the key, which stays as it is:")
            .run(Style::Exec.of(again()).command())
            .say("or rewrite the key as PEM that is not encrypted, and run this command again:")
            .run(remove.word("--remove")))
    }
}

/// The path from the root on. One that goes up leads elsewhere once a folder or link on its way is
/// another one, so it is resolved.
fn absolute(path: &Path) -> Result<String, Failure> {
    let goes_up = path.components().any(|part| part == Component::ParentDir);
    let folder = folder_of(path).canonicalize().ok().filter(|_| goes_up);
    let path = match (folder, path.file_name()) {
        (Some(folder), Some(name)) => &folder.join(name),
        _ => path,
    };
    let absolute = std::path::absolute(path).map_err(|error| Failure::io("find", path, &error))?;
    match absolute.to_str() {
        Some(text) => Ok(text.to_owned()),
        None => Err(Failure::could_not_run(text!(
            "{} is not UTF-8, and a kubeconfig is",
            absolute
        ))),
    }
}
