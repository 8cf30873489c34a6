//! The files that are left (landlock(7)).

use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, LandlockStatus, PathBeneath, PathFd,
    RestrictionStatus, Ruleset, RulesetAttr as _, RulesetCreated, RulesetCreatedAttr as _,
    RulesetError, RulesetStatus, Scope, make_bitflags,
};

use super::Restriction;
use kube_enroll::text;
use kube_enroll::text::Text;

use super::super::super::from::file::Stream;
use super::super::super::from::{cluster, credentials};
use super::Reach;

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
/// users, anywhere. So where these are read too, everything is readable until that kubeconfig is
/// read, and nothing else has been read by then. A cluster's kubeconfig that comes through a pipe can
/// be read only once, by the command; then everything stays readable.
pub fn confine(mut reach: Reach) -> Result<RestrictionStatus, RulesetError> {
    let cluster = reach.cluster.take();
    let credentials = std::mem::take(&mut reach.credentials);
    if cluster.is_none() && credentials.is_empty() {
        return restrict(&reach);
    }
    let named = std::mem::replace(&mut reach.read, vec![PathBuf::from("/")]);
    let listed = reach.list.clone();
    reach.list.push(PathBuf::from("/"));
    let first = restrict(&reach);
    let mut files = credentials::named_by(&credentials);
    if let Some((kubeconfigs, context)) = cluster {
        if !kubeconfigs.iter().all(|kubeconfig| kubeconfig.is_file()) {
            return first;
        }
        let authority = cluster::authority_file(&kubeconfigs, context.as_deref());
        files.extend(kubeconfigs.into_iter().chain(authority));
    }
    reach.read = named;
    reach.list = listed;
    let files: Vec<_> = files.into_iter().map(Stream::from).collect();
    restrict(&reach.read(&files))
}

/// Leaves `reach` and nothing else: no other file, no TCP, no abstract socket, no signal.
fn restrict(reach: &Reach) -> Result<RestrictionStatus, RulesetError> {
    let mut ruleset = Ruleset::default()
        .handle_access(AccessFs::from_all(NEWEST))?
        .handle_access(AccessNet::from_all(NEWEST))?
        .scope(Scope::from_all(NEWEST))?
        .create()?;
    allow(&mut ruleset, &[PathBuf::from("/dev/tty")], PROMPT);
    allow(&mut ruleset, &reach.read, AccessFs::ReadFile.into());
    allow(&mut ruleset, &reach.list, AccessFs::ReadDir.into());
    let create = reach.create.iter().filter_map(|folder| existing(folder));
    allow(&mut ruleset, &create.collect::<Vec<_>>(), CREATE);
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

/// The folder, or the nearest above it that is there, in which it will be made.
fn existing(folder: &Path) -> Option<PathBuf> {
    let folder = std::path::absolute(folder).ok()?;
    let existing = folder.ancestors().find(|folder| folder.is_dir())?;
    Some(existing.to_owned())
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
