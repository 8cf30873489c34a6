//! `kube-enroll reply`: the issued object and the cluster's address, in one file to send back, after
//! the certificate was checked against its request and what was agreed on.

// These comments are the help texts, where backticks would be shown.
#![allow(clippy::doc_markdown)]

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

use kube_enroll::agreement::{Agreement, Found};
use kube_enroll::certificate::{self, Certificate, Chain, NoPath, show_time};
use kube_enroll::inspect::{State, check_chain, check_issued, is_empty_list, state};
use kube_enroll::kubeconfig::{Authority, Cluster};
use kube_enroll::looks::Want;
use kube_enroll::manifest::{CLIENT_SIGNER, CertificateSigningRequest};
use kube_enroll::parallel;
use kube_enroll::pem;
use kube_enroll::policy::{Code, Finding, Level};
use kube_enroll::reply::{self, Reply};
use kube_enroll::roster::{Person, Roster};
use kube_enroll::shell::{Command, quoted};
use kube_enroll::text;
use kube_enroll::text::{Label, Show as _, Text, count};
use time::OffsetDateTime;

use super::args::not_empty;
use super::console::{Console, report_failure};
use super::failure::Failure;
use super::from::agreement::AgreementArgs;
use super::from::cluster;
use super::from::file::{self, Filename, Stream};
use super::os::privacy;
use super::os::sandbox::Reach;
use super::to::Destination;
use super::to::files::{self, Access, NewFiles};
use super::to::names;
use super::{Action, Verdict, outcome, report};

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
    /// With its certificate and those that issued it, and no others.
    request: Cow<'a, CertificateSigningRequest>,
    leaf: Certificate,
    /// What is odd about it and no error.
    warnings: Vec<Finding>,
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

    /// Whether it is for somebody else than those in the roster, and for nobody who looks like them.
    fn is_of_others(&self, request: &CertificateSigningRequest) -> bool {
        let Some(roster) = &self.roster else {
            return false;
        };
        let is_ours =
            |user: &String| roster.person(user).is_some() || roster.look_alike(user).is_some();
        !users_of(request).iter().any(is_ours)
    }
}

impl Agreed {
    /// Fails where somebody may still approve what was not agreed on.
    fn require(&self, request: &CertificateSigningRequest) -> Result<(), Failure> {
        let open = [State::Pending, State::Approved];
        if !open.contains(&state(request.status.as_ref())) {
            return Ok(());
        }
        let Some(asked) = request.asked() else {
            return Ok(());
        };
        let identity = asked.subject().identity_when_issued();
        let user = identity.as_ref().map(|identity| identity.username.as_str());
        let Some(agreement) = self.with(user.unwrap_or_default()) else {
            return Ok(());
        };
        let (_, different) = agreement.compare(&Found {
            identity: identity.as_ref(),
            fingerprint: Some(asked.public_key().fingerprint()),
            seconds: request.expiration_seconds.map(i64::from),
        });
        let mut different = different.iter();
        let mut errors = different.by_ref().filter(|it| it.level == Level::Error);
        let Some(first) = errors.next() else {
            return Ok(());
        };
        let look = Command::new("kubectl").word("get").word("csr");
        let look = look.operand(outcome::name(request)).option("-o", "yaml");
        let failure = Failure::not_good(text!(
            "{} asks for something else than was agreed on: {}",
            Label::from(request.metadata.name.as_str()),
            first
        ));
        let failure = errors.fold(failure, |failure, other| failure.say(text!("{}", other)));
        Err(failure.say("do not approve it").say(text!(
            "to look at it: {}",
            look.pipe(Command::ours("inspect"))
        )))
    }
}

/// Who is asked for, and who is certified.
fn users_of(request: &CertificateSigningRequest) -> Vec<String> {
    let asked = request
        .asked()
        .and_then(|asked| asked.subject().identity_when_issued());
    let status = request.status.as_ref();
    let issued = status.and_then(|status| status.certificate.as_deref());
    let issued = issued.and_then(|pem| Chain::from_pem(pem).ok());
    let issued = issued.and_then(|chain| chain.leaf().subject().identity());
    let identities = asked.into_iter().chain(issued);
    identities.map(|identity| identity.username).collect()
}

impl Action for Args {
    fn reach(&self) -> Reach {
        let reach = Reach::default()
            .read([self.input()])
            .read(&self.agreement.roster)
            .write_to(&self.to)
            .with_work(1, LIMIT);
        match self.kubeconfig() {
            Ok(kubeconfigs) => reach.cluster(&kubeconfigs, self.context.as_deref()),
            Err(_) => reach,
        }
    }

    /// Writes what is issued, and explains what is not.
    fn run(&self, console: &Console) -> Result<Verdict, Failure> {
        let contents = file::read(self.input(), LIMIT)?;
        if self.to.output_dir.is_some() && is_empty_list(&contents) {
            console.note(text!(
                "{}: there are no requests in the cluster, nothing is written",
                self.input()
            ));
            return Ok(Verdict::Good);
        }
        let requests = read_requests(self.input(), &contents, console)?;
        let wanted: Vec<_> = requests
            .iter()
            .filter(|request| {
                // Of one alone it is told that it is of another.
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
        if let [only] = &wanted[..] {
            outcome::warn_of_signer(only, console);
        }
        let agreed = Agreed {
            one: self.agreement.agreement(),
            roster: self.agreement.roster(console)?,
        };
        self.agreement.warn_of_half(console);
        let before = wanted.len();
        let wanted: Vec<_> = wanted
            .into_iter()
            .filter(|request| !agreed.is_of_others(request))
            .collect();
        if wanted.len() < before {
            console.note(text!(
                "left out: {} of others than those in the roster",
                count(before - wanted.len(), "request", "requests")
            ));
        }
        if let Some(roster) = &agreed.roster {
            tell_missing(roster, &wanted, console);
        }
        let (issued, others): (Vec<_>, Vec<_>) = wanted
            .into_iter()
            .partition(|request| state(request.status.as_ref()) == State::Issued);
        let mut verdict = self.tell_others(&others, &agreed, console);
        let mut good = Vec::new();
        for request in issued {
            match check(request, &agreed, console) {
                Ok(issued) => good.push(issued),
                Err(failure) => {
                    report_failure(&failure);
                    verdict = Verdict::NotGood;
                }
            }
        }
        tell_warnings(&good, console);
        if good
            .iter()
            .any(|issued| matches!(issued.request, Cow::Owned(_)))
        {
            console.note("only the certificate and those that issued it are sent back");
        }
        tell_shared_keys(&good, console);
        if tell_several(&good, console) {
            verdict = Verdict::NotGood;
        }
        if good.is_empty() {
            // With a folder there is another time.
            return Ok(match self.to.output_dir {
                Some(_) => verdict,
                None => Verdict::NotGood,
            });
        }
        let cluster = self.cluster(console)?;
        verdict = verdict.max(refuse_changed(&mut good, &cluster));
        if good.is_empty() {
            return Ok(verdict);
        }
        match &self.to.output_dir {
            Some(folder) => {
                verdict = verdict.max(write_each(&good, &cluster, folder, console)?);
            }
            None => {
                let objects: Vec<_> = good.iter().map(|issued| &*issued.request).collect();
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
            None => cluster::default_kubeconfigs()
                .map_err(|failure| failure.say("name it with --kubeconfig FILE")),
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
        )
        .map_err(|failure| {
            failure.say_if(
                self.kubeconfig.is_none(),
                "the kubeconfig of the cluster is named with --kubeconfig FILE (else $KUBECONFIG or \
                 ~/.kube/config counts)"
                    .into(),
            )
        })?;
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
    fn tell_others(
        &self,
        others: &[&CertificateSigningRequest],
        agreed: &Agreed,
        console: &Console,
    ) -> Verdict {
        if others.is_empty() {
            return Verdict::Good;
        }
        if others.len() <= EXPLAINED && self.to.output_dir.is_none() {
            for request in others {
                let told = agreed
                    .require(request)
                    .and(outcome::require_issued(request));
                if let Err(failure) = told {
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
}

/// A reply each. One that is there already stays, and one that cannot be written stops no other.
fn write_each(
    good: &[Issued<'_>],
    cluster: &Cluster,
    folder: &Path,
    console: &Console,
) -> Result<Verdict, Failure> {
    privacy::warn_of_folder(folder, console);
    let mut files = NewFiles::new(console);
    let replies: Vec<_> = good.iter().zip(places(good, folder)).collect();
    let done = parallel::map_waiting(&replies, |(issued, places)| {
        let text = reply::write(&[&issued.request], cluster);
        let mut one = NewFiles::new(console);
        // A run that was stopped goes on where it was.
        let all = places.iter().flatten();
        if let Some(place) = all.clone().find(|place| files::holds(&place.path, &text)) {
            return Ok((one, place.path.clone(), 0));
        }
        let own = || all.clone().filter(|place| place.is_own);
        let free = own().find(|place| place.path.symlink_metadata().is_err());
        let path = free
            .or(own().next_back())
            .map_or(folder, |place| &place.path);
        one.create(path, text.as_bytes(), Access::Everyone)?;
        Ok((one, path.to_owned(), 1))
    });
    let mut verdict = Verdict::Good;
    let (mut written, mut there) = (0, 0);
    let mut elsewhere = Vec::new();
    for (one, (issued, places)) in done.into_iter().zip(&replies) {
        match one {
            Ok((one, path, count)) => {
                files.absorb(one);
                written += count;
                there += 1 - count;
                let [best, ..] = places;
                let best = best.as_ref().map(|place| place.path.as_path());
                if best != Some(&path) {
                    let other = best.filter(|best| best.symlink_metadata().is_ok());
                    elsewhere.push((user(&issued.leaf), path, other.map(Path::to_owned)));
                }
            }
            Err(failure) => verdict = verdict.max(report(&failure)),
        }
    }
    files.keep()?;
    tell_elsewhere(&elsewhere, console);
    let there = match there {
        0 => Text::default(),
        there => text!(", {} there already", there),
    };
    console.say(text!(
        "{}{} written to {}{}\n",
        about(good, cluster),
        count(written, "reply", "replies"),
        quoted(folder),
        there
    ))?;
    Ok(verdict)
}

/// Which files are not named after their person, and what lies under that name.
fn tell_elsewhere(elsewhere: &[(String, PathBuf, Option<PathBuf>)], console: &Console) {
    const TOLD: usize = 20;
    for (user, path, other) in elsewhere.iter().take(TOLD) {
        let user = Label::from(user.as_str());
        match other {
            Some(other) => console.warn(text!(
                "{} is another reply, from earlier or for another cluster, and stays as it is; that for {} \
                 is in {} now",
                other,
                user,
                path
            )),
            None => console.note(text!("the reply for {} is in {}", user, path)),
        }
    }
    if let Some(more @ 1..) = elsewhere.len().checked_sub(TOLD) {
        console.warn(text!("so it is with {} more", more));
    }
}

/// Where a reply may lie.
struct Place {
    path: PathBuf,
    /// Whether it fits no other one of this run.
    is_own: bool,
}

/// Where each reply may lie, the best first: under the name of the person, of the object, and of the
/// object and the certificate. What fits several is nobody's own, so that their order does not matter.
fn places(good: &[Issued<'_>], folder: &Path) -> Vec<[Option<Place>; 3]> {
    /// Of an object's name in one of a file, in characters.
    const SHOWN: usize = 150;
    let stems = |issued: &Issued<'_>| {
        let user = user(&issued.leaf);
        let name = issued.request.metadata.name.as_str();
        let object: String = names::stem(name, name).chars().take(SHOWN).collect();
        let certificate = format!("{object}-{}", issued.leaf.serial());
        let person = names::safe(&user).filter(|user| user.len() <= SHOWN);
        [person.map(str::to_owned), Some(object), Some(certificate)]
    };
    let all: Vec<_> = good.iter().map(stems).collect();
    // How many have a name as their best, second and third.
    let mut wanted: HashMap<&str, [usize; 3]> = HashMap::new();
    for stems in &all {
        for (stem, rank) in stems.iter().zip(0..3) {
            if let Some(count) = stem
                .as_deref()
                .and_then(|stem| wanted.entry(stem).or_default().get_mut(rank))
            {
                *count += 1;
            }
        }
    }
    let is_own = |stem: &str, rank: usize| {
        let ranks = wanted.get(stem).copied().unwrap_or_default();
        ranks.iter().take(rank + 1).sum::<usize>() == 1
    };
    let named = |stem: &str| folder.join(format!("{stem}.reply.yaml"));
    let placed = |[person, object, certificate]: &[Option<String>; 3]| {
        let place = |stem: &Option<String>, is_own: &dyn Fn(&str) -> bool| {
            stem.as_deref().map(|stem| Place {
                path: named(stem),
                is_own: is_own(stem),
            })
        };
        [
            place(person, &|stem| is_own(stem, 0)),
            place(object, &|stem| is_own(stem, 1)),
            place(certificate, &|_| true),
        ]
    };
    all.iter().map(placed).collect()
}

/// Names with commas between them, and how many more there are.
fn some_of<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> Text {
    const NAMED: usize = 20;
    let more = match names.len().saturating_sub(NAMED) {
        0 => Text::default(),
        more => text!(" and {} more", more),
    };
    let names = names.take(NAMED).map(|name| Label::from(name).show());
    text!("{}{}", Text::join(names, ", "), more)
}

/// Who in the roster has asked for nothing.
fn tell_missing(roster: &Roster, requests: &[&CertificateSigningRequest], console: &Console) {
    let asked = requests.iter().flat_map(|request| users_of(request));
    let asked: HashSet<String> = asked.collect();
    let people = roster.people().iter().map(Person::user);
    let missing: Vec<_> = people.filter(|user| !asked.contains(*user)).collect();
    if !missing.is_empty() {
        console.note(text!(
            "{} of the roster without a request there: {}",
            missing.len(),
            some_of(missing.into_iter())
        ));
    }
}

/// Leaves out the certificates that are not what the cluster's authority signed, and says so.
fn refuse_changed(good: &mut Vec<Issued<'_>>, cluster: &Cluster) -> Verdict {
    let mut verdict = Verdict::Good;
    good.retain(|issued| {
        let changed = changed(issued, cluster);
        if let Some(failure) = &changed {
            report_failure(failure);
            verdict = Verdict::NotGood;
        }
        changed.is_none()
    });
    verdict
}

/// Why a certificate is not what the cluster's authority signed, though it says so.
fn changed(issued: &Issued<'_>, cluster: &Cluster) -> Option<Failure> {
    let Authority::Data(pem) = &cluster.authority else {
        return None;
    };
    let authorities = Certificate::all_from_pem(pem).unwrap_or_default();
    let chain = Chain::from(issued.leaf.clone());
    match chain.verify_client(&authorities, OffsetDateTime::now_utc()) {
        Err(why @ NoPath::Changed { .. }) => Some(outcome::changed(&why)),
        _ => None,
    }
}

/// What is odd about certificates, by what it is.
fn tell_warnings(good: &[Issued<'_>], console: &Console) {
    let mut by_code: BTreeMap<&str, Vec<(&str, &Finding)>> = BTreeMap::new();
    for issued in good {
        for finding in &issued.warnings {
            let name = issued.request.metadata.name.as_str();
            by_code
                .entry(finding.code)
                .or_default()
                .push((name, finding));
        }
    }
    for (code, found) in by_code {
        if let [(name, finding)] = found[..] {
            console.warn(text!("{}: {}", Label::from(name), finding));
            continue;
        }
        let names: Vec<_> = found.iter().map(|(name, _)| *name).collect();
        console.warn(text!(
            "{}: {} ({})",
            Label::from(code),
            some_of(names.into_iter()),
            Command::ours("verify").option("--explain", code)
        ));
    }
}

/// Whether somebody has certificates for several keys. It is the last moment to notice.
fn tell_several(good: &[Issued<'_>], console: &Console) -> bool {
    let mut by_user: BTreeMap<String, Vec<&Issued<'_>>> = BTreeMap::new();
    for issued in good {
        by_user.entry(user(&issued.leaf)).or_default().push(issued);
    }
    by_user.retain(|_, all| {
        let keys = all
            .iter()
            .map(|issued| issued.leaf.public_key().fingerprint());
        keys.collect::<HashSet<_>>().len() > 1
    });
    for (user, all) in &by_user {
        let names: Vec<_> = all
            .iter()
            .map(|issued| issued.request.metadata.name.as_str())
            .collect();
        console.warn(text!(
            "{} certificates with different keys were issued for \"{}\": {}; ask which key is theirs: a \
             fingerprint in the roster tells",
            all.len(),
            Label::from(user.as_str()),
            some_of(names.into_iter())
        ));
    }
    !by_user.is_empty()
}

/// A key that lets in several people lets in whoever holds it as all of them.
fn tell_shared_keys(good: &[Issued<'_>], console: &Console) {
    let mut by_key: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for issued in good {
        let key = issued.leaf.public_key().fingerprint();
        by_key
            .entry(key.to_string())
            .or_default()
            .insert(user(&issued.leaf));
    }
    for (key, users) in by_key.iter().filter(|(_, users)| users.len() > 1) {
        let users: Vec<&str> = users.iter().map(String::as_str).collect();
        console.warn(text!(
            "one key, {}, was certified for {}: whoever holds it is all of them; every person needs a key \
             of their own",
            Label::from(key.as_str()),
            some_of(users.into_iter())
        ));
    }
}

/// The certificate against the request that it was issued for, and against what was agreed on.
fn check<'a>(
    request: &'a CertificateSigningRequest,
    agreed: &Agreed,
    console: &Console,
) -> Result<Issued<'a>, Failure> {
    let name = Label::from(request.metadata.name.as_str());
    let chain = outcome::certificate(request, Label::from(request.metadata.name.as_str()))?;
    let Some(asked) = request.asked() else {
        let what = text!("{}: spec.request holds no request that can be read", name);
        return Err(Failure::not_good(what));
    };
    let certificates = request
        .status
        .as_ref()
        .and_then(|it| it.certificate.as_deref());
    let mut blocks = pem::blocks(certificates.unwrap_or_default());
    if blocks.any(|block| block.label != certificate::PEM_LABEL) {
        let what = text!(
            "{}: status.certificate holds something else than certificates, which no cluster stores there",
            name
        );
        return Err(Failure::not_good(what).say("look at the file; do not send it on"));
    }
    let leaf = chain.leaf_for(asked.public_key());
    let leaf = leaf.unwrap_or(chain.leaf());
    let mut findings = check_issued(leaf, &asked, request);
    findings.extend(check_chain(&chain, leaf));
    let mut others = chain
        .iter()
        .filter(|it| it.credential_id() != leaf.credential_id());
    if let Some(other) = others.find(|it| !it.is_ca()) {
        let other = Label::from(other.subject().to_string());
        return Err(Failure::not_good(text!(
            "{}: besides the certificate for the request there is one for {}",
            name,
            other
        ))
        .say("one of somebody else has no place there; look at the file"));
    }
    if let Err(error) = leaf.check_dates(OffsetDateTime::now_utc()) {
        console.warn(text!(
            "{}: {}: it is of no use to anybody now; if the clocks are right, a new request is needed",
            name,
            error
        ));
    }
    let is_wrong = |finding: &Finding| finding.level == Level::Error;
    if findings.iter().any(is_wrong) {
        return Err(not_as_asked(&name, &findings));
    }
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
    if findings.iter().any(is_wrong) {
        return Err(not_as_asked(&name, &findings));
    }
    let mut request = Cow::Borrowed(request);
    if findings
        .iter()
        .any(|it| it.code == Code::OtherCertificates.name())
        && let Some(status) = &mut request.to_mut().status
    {
        status.certificate = Some(chain.issuing(leaf).to_pem().into());
    }
    Ok(Issued {
        request,
        leaf: leaf.clone(),
        warnings: findings
            .into_iter()
            .filter(|finding| finding.level == Level::Warning)
            .collect(),
    })
}

fn not_as_asked(name: &Label, findings: &[Finding]) -> Failure {
    let failure = Failure::not_good(text!("{}: the certificate is not what was asked for", name));
    let errors = findings.iter();
    let errors = errors.filter(|finding| finding.level == Level::Error);
    let failure = errors.fold(failure, |failure, finding| failure.say(finding.show()));
    failure.say("nothing is sent back; ask who approved it and how it was signed")
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
        cluster.way()
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
    contents: &[u8],
    console: &Console,
) -> Result<Vec<CertificateSigningRequest>, Failure> {
    match outcome::read_reply(input, contents, Want::Issued, console)? {
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
