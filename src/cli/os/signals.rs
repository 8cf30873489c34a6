//! Signals that would end this process while something is half done: a terminal that does not echo, a
//! file under a temporary name. They are held back until that is put right, and then do what they always do.

use std::fs;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use rustix::process::{Pid, getppid};
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGXFSZ};
use signal_hook::flag;
use signal_hook::low_level::raise;

/// How the process was started.
struct Start {
    /// A bit for each signal that is ignored, the lowest for number one (`proc_pid_status(5)`, `SigIgn`).
    ignored: u64,
    parent: Option<Pid>,
}

static START: OnceLock<Start> = OnceLock::new();

/// Looks at what cannot be known later. What is ignored stays so, as under nohup(1).
pub fn look() {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mut lines = status.lines();
    let ignored = lines.find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    START.get_or_init(|| Start {
        ignored: ignored.unwrap_or_default(),
        parent: getppid(),
    });
}

/// Whether whoever started this process has ended: nobody waits for it any more.
fn is_orphaned() -> bool {
    START.get().is_some_and(|start| start.parent != getppid())
}

fn is_ignored(signal: i32) -> bool {
    let bit = u32::try_from(signal - 1).unwrap_or(u32::MAX);
    let mask = 1_u64.checked_shl(bit).unwrap_or_default();
    START.get().is_some_and(|start| start.ignored & mask != 0)
}

struct Signals {
    /// Whether nothing is held back: signals that end a process do.
    idle: Arc<AtomicBool>,
    /// Whether nobody is asked: Ctrl-Z stops the process.
    quiet: Arc<AtomicBool>,
    /// The signal that came, or none.
    ended: Arc<AtomicUsize>,
    stopped: Arc<AtomicBool>,
    continued: Arc<AtomicBool>,
    holders: Mutex<usize>,
}

impl Signals {
    fn get() -> io::Result<&'static Self> {
        static SIGNALS: OnceLock<Signals> = OnceLock::new();
        static ONE: Mutex<()> = Mutex::new(());
        let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        match SIGNALS.get() {
            Some(signals) => Ok(signals),
            None => {
                let new = Self::register()?;
                Ok(SIGNALS.get_or_init(|| new))
            }
        }
    }

    fn register() -> io::Result<Self> {
        let signals = Self {
            idle: Arc::new(true.into()),
            quiet: Arc::new(true.into()),
            ended: Arc::default(),
            stopped: Arc::default(),
            continued: Arc::default(),
            holders: Mutex::default(),
        };
        for signal in [SIGINT, SIGTERM, SIGHUP, SIGQUIT] {
            if !is_ignored(signal) {
                flag::register_conditional_default(signal, Arc::clone(&signals.idle))?;
                let number = usize::try_from(signal).unwrap_or_default();
                flag::register_usize(signal, Arc::clone(&signals.ended), number)?;
            }
        }
        if !is_ignored(SIGTSTP) {
            flag::register_conditional_default(SIGTSTP, Arc::clone(&signals.quiet))?;
            flag::register(SIGTSTP, Arc::clone(&signals.stopped))?;
        }
        flag::register(SIGCONT, Arc::clone(&signals.continued))?;
        // A file that may not grow is then an error of the write, which is told.
        flag::register(SIGXFSZ, Arc::<AtomicBool>::default())?;
        Ok(signals)
    }

    fn holders(&self) -> MutexGuard<'_, usize> {
        self.holders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Signals that would end this process are held back until it is dropped, and those that hold beside it.
pub struct Held(Option<&'static Signals>);

impl Held {
    /// Where signals cannot be held back, they are not: nothing else is left undone for want of it.
    pub fn new() -> Self {
        Self::begin().unwrap_or(Self(None))
    }

    fn begin() -> io::Result<Self> {
        let signals = Signals::get()?;
        let mut holders = signals.holders();
        if *holders == 0 {
            signals.ended.store(0, Ordering::SeqCst);
            signals.idle.store(false, Ordering::SeqCst);
        }
        *holders += 1;
        Ok(Self(Some(signals)))
    }

    /// Whether one came.
    pub fn is_ended(&self) -> bool {
        let came = |signals: &Signals| signals.ended.load(Ordering::SeqCst) != 0;
        self.0.is_some_and(came)
    }
}

impl Drop for Held {
    /// What was held back comes through once nothing is half done.
    fn drop(&mut self) {
        let Some(signals) = self.0 else { return };
        let mut holders = signals.holders();
        *holders -= 1;
        if *holders > 0 {
            return;
        }
        signals.idle.store(true, Ordering::SeqCst);
        let signal = signals.ended.swap(0, Ordering::SeqCst);
        if let Some(signal) = i32::try_from(signal).ok().filter(|signal| *signal != 0) {
            let _ = raise(signal);
        }
    }
}

/// The same while a person is asked, who may also stop the question (Ctrl-Z).
pub struct Asking {
    held: Held,
    signals: &'static Signals,
}

impl Asking {
    /// Until it is dropped.
    pub fn begin() -> io::Result<Self> {
        let held = Held::begin()?;
        let signals = Signals::get()?;
        for flag in [&signals.stopped, &signals.continued, &signals.quiet] {
            flag.store(false, Ordering::SeqCst);
        }
        Ok(Self { held, signals })
    }

    /// Whether a signal ends it, or nobody is there any more who would take the answer.
    pub fn is_ended(&self) -> bool {
        self.held.is_ended() || is_orphaned()
    }

    pub fn is_stopped(&self) -> bool {
        self.signals.stopped.load(Ordering::SeqCst)
    }

    /// Whether somebody called back meanwhile.
    pub fn is_continued(&self) -> bool {
        self.signals.continued.load(Ordering::SeqCst)
    }
}

impl Drop for Asking {
    /// Whoever asked says that it was interrupted, unless there are files to put right.
    fn drop(&mut self) {
        self.signals.quiet.store(true, Ordering::SeqCst);
        if *self.signals.holders() == 1 {
            self.signals.ended.store(0, Ordering::SeqCst);
        }
    }
}
