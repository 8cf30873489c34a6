//! Commands that are killed on their way and started again.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::{Folder, executable};

/// So often each command is killed.
const KILLS: usize = 5;

/// A number below this one.
pub fn random(below: usize) -> usize {
    getrandom::u32().unwrap() as usize % below
}

/// The names of the files in a folder.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.collect()
}

/// Runs a command that is killed once so many files are in `output`, and tells whether it was before
/// it ended by itself.
fn is_killed(folder: &Folder, words: &[&str], output: &Path, files: usize) -> bool {
    let mut program = Command::new(executable())
        .args(words)
        .current_dir(folder.path())
        .env("HOME", folder.path())
        .env_remove("KUBECONFIG")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while program.try_wait().unwrap().is_none() && names(output).len() < files {
        std::thread::sleep(Duration::from_micros(200));
    }
    std::thread::sleep(Duration::from_micros(random(3000) as u64));
    program.kill().unwrap();
    let status = program.wait().unwrap();
    assert!(status.success() || status.code().is_none(), "{status}");
    !status.success()
}

/// Kills a command that makes so many files in `output` at any moment, starts it again, and looks at
/// what is there each time. Then it comes to its end.
pub fn kill_and_go_on(
    folder: &Folder,
    words: &[&str],
    output: &str,
    files: usize,
    mut look: impl FnMut(&Path),
) {
    let output = folder.file(output);
    let kills = (0..KILLS).filter(|kill| {
        let share = files / KILLS;
        let moment = kill * share + random(share);
        let is_killed = is_killed(folder, words, &output, moment);
        look(&output);
        is_killed
    });
    let kills = kills.count();
    folder.run(words).good();
    look(&output);
    let names = names(&output);
    assert_eq!(names.len(), files, "{names:?}");
    assert!(kills > 0, "{words:?} was too fast to be killed");
}

/// Whether files can be without a name until they are whole.
#[cfg(target_os = "linux")]
pub fn has_nameless_files(folder: &Folder) -> bool {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).custom_flags(libc::O_TMPFILE);
    options.open(folder.path()).is_ok()
}

#[cfg(not(target_os = "linux"))]
pub fn has_nameless_files(_: &Folder) -> bool {
    false
}
