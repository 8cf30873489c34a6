//! Programs by name, as kubectl finds them.

use std::env;
use std::path::PathBuf;

use kube_enroll::shell;
use rustix::fs::{Access, access};

/// The names under which this program may be installed: its own, and that of a plugin of kubectl.
const NAMES: [&str; 2] = ["kube-enroll", "kubectl-enroll"];

/// The file that a command without a slash in it runs: the first that the path leads to. If its folder is
/// named from where one is, kubectl runs nothing (Go `exec.ErrDot`).
pub fn look_path(command: &str) -> Option<PathBuf> {
    if command.contains('/') {
        let path = PathBuf::from(command);
        return can_be_run(&path).then_some(path);
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let mut found = env::split_paths(&path).map(|folder| folder.join(command));
    found.find(can_be_run).filter(|found| found.is_absolute())
}

fn can_be_run(file: &PathBuf) -> bool {
    file.is_file() && access(file, Access::EXEC_OK).is_ok()
}

/// How others run this program: by a name where that finds this very program, as after an upgrade;
/// else by its path.
pub fn own_command() -> String {
    let Ok(own) = env::current_exe() else {
        return NAMES[0].to_owned();
    };
    let is_own = |name: &&str| {
        let found = look_path(name).and_then(|path| path.canonicalize().ok());
        found.as_ref() == Some(&own)
    };
    let mut names = NAMES;
    if shell::is_plugin() {
        names.reverse();
    }
    match names.into_iter().find(is_own) {
        Some(name) => name.to_owned(),
        None => own.display().to_string(),
    }
}
