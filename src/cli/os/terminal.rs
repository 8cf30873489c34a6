//! The terminal that a person sits before, whatever the standard streams are, as ssh asks on it
//! (tty(4)): only in its foreground, and one process at a time.

use std::fs::{self, File, OpenOptions};
use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::path::PathBuf;
use std::sync::OnceLock;

use kube_enroll::secret::Passphrase;
use kube_enroll::text::{Show, Text};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FlockOperation, flock};
use rustix::io::{Errno, retry_on_intr};
use rustix::process::getpgrp;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetpgrp, tcsetattr};
use signal_hook::consts::SIGSTOP;
use signal_hook::low_level::raise;
use zeroize::Zeroizing;

use super::super::failure::{self, Failure};
use super::signals::Asking;

/// The terminal of this process, by whatever name.
pub const TERMINAL: &str = "/dev/tty";

/// What a terminal hands over at once, in bytes (termios(3), canonical mode).
const LINE: usize = 4096;

/// A terminal on which a person may be asked.
pub struct Terminal(File);

/// Why nobody can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unattended {
    /// A service, cron, a build.
    NoTerminal,
    /// Started with `&`, or stopped and continued there: an answer would go to somebody else.
    Background,
    /// Somebody reads it key by key: a full-screen program, or a shell that completes a word.
    InUse,
}

/// The clause that says so.
impl Show for Unattended {
    fn show(&self) -> Text {
        match self {
            Self::NoTerminal => "there is no terminal".into(),
            Self::Background => {
                "this runs in the background of its terminal, which is no place".into()
            }
            Self::InUse => {
                "another program has taken over the terminal, which leaves no way".into()
            }
        }
    }
}

impl Terminal {
    /// The terminal, if this process is in its foreground.
    pub fn open() -> Result<Self, Unattended> {
        let file = OpenOptions::new().read(true).write(true).open(TERMINAL);
        let file = file.map_err(|_| Unattended::NoTerminal)?;
        let foreground = tcgetpgrp(&file).map_err(|_| Unattended::NoTerminal)?;
        let modes = tcgetattr(&file).map_err(|_| Unattended::NoTerminal)?;
        if foreground != getpgrp() {
            return Err(Unattended::Background);
        }
        if !modes.local_modes.contains(LocalModes::ICANON) {
            return Err(Unattended::InUse);
        }
        Ok(Self(file))
    }

    /// Waits until no other process asks here, as two would in `kubectl get | kubectl apply`. This one
    /// then asks until it ends.
    pub fn take_turn(&self) {
        if let Some(turn) = turn() {
            // Where it cannot be locked, both ask.
            let _ = retry_on_intr(|| flock(turn, FlockOperation::LockExclusive));
        }
    }

    /// Shows a secret here and nowhere else.
    pub fn reveal(&self, what: &'static str, secret: &Passphrase) -> Result<(), Failure> {
        let parts = [what.as_bytes(), b":\n\n  ", secret.expose(), b"\n\n"];
        let all = Zeroizing::new(parts.concat());
        let written = (&self.0).write_all(&all);
        written.map_err(|error| Failure::io("write to", "the terminal", &error))
    }

    /// Asks for one line without showing what is typed.
    pub fn ask(&self, prompt: &Text) -> Result<Passphrase, Failure> {
        match self.ask_until_answered(prompt) {
            Ok(Asked::Line(line)) => Ok(line),
            Ok(Asked::Nothing) => Err(Failure::could_not_run("no passphrase was given")),
            Ok(Asked::Stopped | Asked::Ended) => Err(Failure::interrupted()),
            Err(error) => Err(Failure::io(
                "read a passphrase from",
                "the terminal",
                &error,
            )),
        }
    }

    /// Ctrl-Z gives the terminal back to the shell, and the question comes again afterwards.
    fn ask_until_answered(&self, prompt: &Text) -> io::Result<Asked> {
        let before = tcgetattr(&self.0)?;
        loop {
            self.take_turn();
            let signals = Asking::begin()?;
            let asked = silence(&self.0, &before).and_then(|()| self.line(prompt, &signals));
            if matches!(asked, Ok(Asked::Ended)) && !self.is_ours() {
                return asked;
            }
            if !matches!(asked, Ok(Asked::Stopped)) {
                let restored = tcsetattr(&self.0, OptionalActions::Flush, &before);
                if !matches!(asked, Ok(Asked::Line(_))) {
                    // The key that ended it was not shown either. Where the shell has the terminal
                    // again, neither this nor the restoring is needed.
                    let _ = (&self.0).write_all(b"\n");
                    return asked;
                }
                return restored.map_err(io::Error::from).and(asked);
            }
            if let Some(turn) = turn() {
                let _ = flock(turn, FlockOperation::Unlock);
            }
            // Once the shell has taken the terminal over, it is no longer to be changed here.
            if self.is_ours() {
                let _ = tcsetattr(&self.0, OptionalActions::Flush, &before);
            }
            if !signals.is_continued() && !signals.is_ended() {
                stop();
            }
            // Continued in the background; a terminal that is gone fails below.
            while tcgetpgrp(&self.0).is_ok() && !self.is_ours() && !signals.is_ended() {
                stop();
            }
            if signals.is_ended() {
                return Ok(Asked::Ended);
            }
        }
    }

    /// Whether this process is in the foreground.
    fn is_ours(&self) -> bool {
        tcgetpgrp(&self.0) == Ok(getpgrp())
    }

    fn line(&self, prompt: &Text, signals: &Asking) -> io::Result<Asked> {
        // Signals reach another thread than this one.
        const PAUSE: Timespec = Timespec {
            tv_sec: 0,
            tv_nsec: 100_000_000,
        };
        (&self.0).write_all(prompt.as_str().as_bytes())?;
        let mut typed = Zeroizing::new(Vec::with_capacity(LINE));
        let mut buffer = Zeroizing::new(vec![0; LINE]);
        while typed.last() != Some(&b'\n') && typed.len() < LINE {
            let mut ready = [PollFd::new(&self.0, PollFlags::IN)];
            match poll(&mut ready, Some(&PAUSE)) {
                Ok(0) | Err(Errno::INTR) => {}
                // It is typed for the shell.
                Ok(_) if !self.is_ours() => {
                    return Ok(caught(signals).unwrap_or(Asked::Stopped));
                }
                Ok(_) => match (&self.0).read(&mut buffer) {
                    Ok(0) if typed.is_empty() => return Ok(Asked::Nothing),
                    Ok(0) => break,
                    Ok(read) => typed.extend_from_slice(buffer.get(..read).unwrap_or_default()),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                },
                Err(error) => return Err(error.into()),
            }
            if let Some(asked) = caught(signals) {
                return Ok(asked);
            }
        }
        if typed.last() == Some(&b'\n') {
            typed.pop();
        }
        // The kernel drops what is beyond, and says nothing.
        if typed.len() >= LINE - 1 {
            return Err(failure::io_error(
                "it is longer than the 4094 bytes that a terminal passes on",
            ));
        }
        Ok(Asked::Line(Passphrase::new(typed.to_vec())))
    }
}

/// How a question ended.
enum Asked {
    Line(Passphrase),
    /// Ctrl-D.
    Nothing,
    /// Ctrl-C, the end of the login, or of whoever had it asked.
    Ended,
    Stopped,
}

/// The file to lock for a turn: the terminal by its own name, where a standard stream has it.
/// `/dev/tty` is one file for all terminals.
fn turn() -> Option<&'static File> {
    static TURN: OnceLock<Option<File>> = OnceLock::new();
    let open = || File::open(own_name()?).ok();
    TURN.get_or_init(open).as_ref()
}

/// The name that this terminal alone has.
pub fn own_name() -> Option<PathBuf> {
    let streams = [
        (io::stderr().is_terminal(), "/proc/self/fd/2"),
        (io::stdin().is_terminal(), "/proc/self/fd/0"),
        (io::stdout().is_terminal(), "/proc/self/fd/1"),
    ];
    let mut terminals = streams.iter().filter(|(is_terminal, _)| *is_terminal);
    terminals.find_map(|(_, link)| fs::read_link(link).ok())
}

/// No echo, but for the end of the line; nothing that was typed before the question counts.
fn silence(terminal: &File, before: &Termios) -> io::Result<()> {
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    silent.local_modes.insert(LocalModes::ECHONL);
    Ok(tcsetattr(terminal, OptionalActions::Flush, &silent)?)
}

/// How the question is to end, if it is.
fn caught(signals: &Asking) -> Option<Asked> {
    if signals.is_ended() {
        return Some(Asked::Ended);
    }
    signals.is_stopped().then_some(Asked::Stopped)
}

/// Stops this process before the call returns, which a signal to all of its threads would not.
fn stop() {
    let _ = raise(SIGSTOP);
}
