//! The files that are left (landlock(7)).

use std::io::{self, IsTerminal as _};
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, LandlockStatus, PathBeneath, PathFd,
    RestrictionStatus, Ruleset, RulesetAttr as _, RulesetCreated, RulesetCreatedAttr as _,
    RulesetError, RulesetStatus, Scope, make_bitflags,
};

use super::Restriction;
use kube_enroll::stack;
use kube_enroll::text;
use kube_enroll::text::Text;

use super::super::super::from::file::Stream;
use super::super::super::from::{cluster, credentials, requests};
use super::super::terminal::{self, TERMINAL};
use super::reach::STDIN;
use super::{Reach, seccomp};

/// What is handled, and so refused unless a rule allows it. Older kernels handle less.
const NEWEST: ABI = ABI::V6;

/// What new files in a folder take: a temporary file, a folder on the way there, their removal,
/// and the folder itself opened to be synced.
const CREATE: BitFlags<AccessFs> =
    make_bitflags!(AccessFs::{MakeReg | MakeDir | WriteFile | RemoveFile | RemoveDir | ReadDir});

/// What a prompt without echo takes of the terminal.
const PROMPT: BitFlags<AccessFs> = make_bitflags!(AccessFs::{ReadFile | WriteFile | IoctlDev});

/// Confines the process to what a command needs.
///
/// A kubeconfig may name the file of its certificate authority, or certificates and keys of its
/// users, anywhere. So where these are read too, a thread that can read nothing but what the command
/// was given, and sends no signals, reads the kubeconfig first. A cluster's kubeconfig that comes through
/// a pipe can be read only once, by the command; then everything is readable.
pub fn confine(mut reach: Reach) -> Result<RestrictionStatus, RulesetError> {
    let cluster = reach.cluster.take();
    let credentials = std::mem::take(&mut reach.credentials);
    let mut kubeconfigs = cluster.iter().flat_map(|(kubeconfigs, _)| kubeconfigs);
    if kubeconfigs.any(|kubeconfig| is_read_once(kubeconfig)) {
        reach.read = vec![PathBuf::from("/")];
        reach.list.push(PathBuf::from("/"));
        return restrict(&reach);
    }
    if cluster.is_some() || !credentials.is_empty() {
        let (kubeconfigs, context) = cluster.unwrap_or_default();
        reach.read.extend(kubeconfigs.iter().cloned());
        let only_reading = reach.only_reading();
        let look = || {
            // Where it fails, so will that of the process, which is told.
            let _ = restrict(&only_reading);
            seccomp::keep_to_thread();
            let mut named = credentials::named_by(&credentials);
            let objects = named.iter().flat_map(|path| requests::objects_beside(path));
            named.extend(objects.collect::<Vec<_>>());
            named.extend(cluster::authority_file(&kubeconfigs, context.as_deref()));
            named
        };
        let named = stack::own_thread(look).unwrap_or_default().into_iter();
        let named: Vec<_> = named.map(Stream::from).collect();
        reach = reach.read(&named);
    }
    restrict(&reach)
}

/// Whether it is a pipe, or typed. What is missing, or a folder, is none and opens nothing.
fn is_read_once(path: &Path) -> bool {
    let kind = path.metadata().map(|there| there.file_type());
    let is_typed = path == Path::new(STDIN) && io::stdin().is_terminal();
    is_typed || kind.is_ok_and(|kind| kind.is_fifo() || kind.is_socket())
}

/// Leaves `reach` and nothing else: no other file, no TCP, no abstract socket, no signal.
fn restrict(reach: &Reach) -> Result<RestrictionStatus, RulesetError> {
    let mut ruleset = Ruleset::default()
        .handle_access(AccessFs::from_all(NEWEST))?
        .handle_access(AccessNet::from_all(NEWEST))?
        .scope(Scope::from_all(NEWEST))?
        .create()?;
    let mut terminal = vec![PathBuf::from(TERMINAL)];
    terminal.extend(terminal::own_name());
    allow(&mut ruleset, &terminal, PROMPT);
    allow(&mut ruleset, &reach.read, AccessFs::ReadFile.into());
    allow(&mut ruleset, &reach.list, AccessFs::ReadDir.into());
    allow(&mut ruleset, &reach.create, CREATE);
    ruleset.restrict_self()
}

/// Adds a rule for each path that is there. What is missing needs none: the command will say so
/// itself. Pipes and their like take no rule, and are not restricted.
fn allow(ruleset: &mut RulesetCreated, paths: &[PathBuf], access: BitFlags<AccessFs>) {
    for path in paths {
        if let Ok(opened) = PathFd::new(path) {
            let _ = ruleset.add_rule(PathBeneath::new(opened, access));
        }
    }
}

/// What the kernel made of it.
pub fn in_force(result: &Result<RestrictionStatus, RulesetError>) -> Restriction {
    let state = match result {
        Ok(status) => describe(status),
        Err(_) => "NOT RESTRICTED: refused by the kernel".into(),
    };
    Restriction {
        name: "files (landlock)",
        state,
    }
}

fn describe(status: &RestrictionStatus) -> Text {
    let restricted = match status.ruleset {
        RulesetStatus::FullyEnforced => "restricted",
        RulesetStatus::PartiallyEnforced => "restricted in part",
        RulesetStatus::NotEnforced => "NOT RESTRICTED",
    };
    match status.landlock {
        LandlockStatus::NotEnabled => text!("{}: not enabled in this kernel", restricted),
        LandlockStatus::NotImplemented => text!("{}: not known to this kernel", restricted),
        LandlockStatus::Available {
            effective_abi,
            kernel_abi,
        } => {
            let abi = kernel_abi.unwrap_or(effective_abi as i32);
            text!("{} (ABI {})", restricted, abi)
        }
    }
}
