//! The files that are left (landlock(7)).

use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, BitFlags, LandlockStatus, PathBeneath, PathFd,
    RestrictionStatus, Ruleset, RulesetAttr as _, RulesetCreated, RulesetCreatedAttr as _,
    RulesetError, RulesetStatus, Scope, make_bitflags,
};

use super::Restriction;
use super::reach::Reach;

/// What is handled, and so refused unless a rule allows it. Older kernels handle less.
const NEWEST: ABI = ABI::V6;

/// What new files in a folder take: a temporary file, a folder on the way there, their removal,
/// and the folder itself opened to be synced.
const CREATE: BitFlags<AccessFs> =
    make_bitflags!(AccessFs::{MakeReg | MakeDir | WriteFile | RemoveFile | RemoveDir | ReadDir});

/// What a prompt without echo takes of the terminal.
const PROMPT: BitFlags<AccessFs> = make_bitflags!(AccessFs::{ReadFile | WriteFile | IoctlDev});

/// Leaves `reach` and nothing else: no other file, no TCP, no abstract socket, no signal.
pub fn restrict(reach: &Reach) -> Result<RestrictionStatus, RulesetError> {
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
        Err(error) => format!("NOT RESTRICTED: {error}"),
    };
    Restriction {
        name: "files (landlock)",
        state,
    }
}

fn describe(status: &RestrictionStatus) -> String {
    let restricted = match status.ruleset {
        RulesetStatus::FullyEnforced => "restricted",
        RulesetStatus::PartiallyEnforced => "restricted in part",
        RulesetStatus::NotEnforced => "NOT RESTRICTED",
    };
    match status.landlock {
        LandlockStatus::NotEnabled => format!("{restricted}: not enabled in this kernel"),
        LandlockStatus::NotImplemented => format!("{restricted}: not known to this kernel"),
        LandlockStatus::Available {
            effective_abi,
            kernel_abi,
        } => {
            let abi = kernel_abi.unwrap_or(effective_abi as i32);
            format!("{restricted} (ABI {abi})")
        }
    }
}
