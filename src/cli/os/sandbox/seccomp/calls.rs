//! The system calls that are allowed, each with the place that needs it. What is not here fails.

/// The kernel's flags for a new thread, as glibc's and musl's `pthread_create` give them: nothing
/// else can be cloned, no process and no namespace (clone(2)).
pub const NEW_THREAD: [i32; 2] = [THREAD, THREAD | libc::CLONE_DETACHED];

const THREAD: i32 = libc::CLONE_VM
    | libc::CLONE_FS
    | libc::CLONE_FILES
    | libc::CLONE_SIGHAND
    | libc::CLONE_THREAD
    | libc::CLONE_SYSVSEM
    | libc::CLONE_SETTLS
    | libc::CLONE_PARENT_SETTID
    | libc::CLONE_CHILD_CLEARTID;

/// Options of `prctl`: names for threads and memory (std, glibc's allocator), what
/// `--version -v` asks, and what Landlock's crate sets before it restricts. Becoming dumpable again
/// is not one of them.
pub const PRCTL: &[i32] = &[
    libc::PR_SET_NAME,
    libc::PR_SET_VMA,
    libc::PR_GET_DUMPABLE,
    libc::PR_GET_SECCOMP,
    libc::PR_GET_NO_NEW_PRIVS,
    libc::PR_SET_NO_NEW_PRIVS,
];

/// Requests of `ioctl` (`asm-generic/ioctls.h`): whether it is a terminal, how wide it is, whether
/// this process is in its foreground, and its echo for a prompt. Nothing that types at it.
pub const IOCTL: &[u32] = &[
    0x5401,      // TCGETS: isatty(3), a prompt
    0x5402,      // TCSETS: a prompt, TCSANOW
    0x5403,      // TCSETSW: a prompt, TCSADRAIN
    0x5404,      // TCSETSF: a prompt, TCSAFLUSH
    0x802C_542A, // TCGETS2, and the three above as glibc 2.42 and later ask them
    0x402C_542B,
    0x402C_542C,
    0x402C_542D,
    0x540F, // TIOCGPGRP: a prompt, where it is in the foreground
    0x5413, // TIOCGWINSZ: the width of reports and help
];

/// Commands of `fcntl`: `File::try_clone`, checks of std when a file is closed, and pipes that are
/// opened without waiting (`cli/file.rs`). No signals on input (`F_SETOWN`).
pub const FCNTL: &[i32] = &[
    libc::F_GETFD,
    libc::F_SETFD,
    libc::F_GETFL,
    libc::F_SETFL,
    libc::F_DUPFD_CLOEXEC,
];

/// Operations of `keyctl`, for commands that use the kernel's keyring (`cli/unlocked.rs`).
pub const KEYCTL: &[u32] = &[
    libc::KEYCTL_GET_KEYRING_ID,
    libc::KEYCTL_SEARCH,
    libc::KEYCTL_READ,
    libc::KEYCTL_DESCRIBE,
    libc::KEYCTL_SET_TIMEOUT,
    libc::KEYCTL_LINK,
    libc::KEYCTL_INVALIDATE,
];

/// The rights that `KEYCTL_SETPERM` may give, and no others: those of the owner to view, read, search
/// and link (`os/kernel_keyring.rs`).
pub const KEY_RIGHTS: u32 = 0x001b_0000;

/// Flags of `open` that make or change a file (open(2)); only for commands that write files.
/// `O_TMPFILE` has that of folders in it, which are opened to be listed.
pub const CHANGES: i32 = libc::O_CREAT | libc::O_TRUNC | libc::O_TMPFILE & !libc::O_DIRECTORY;

/// The set-user-ID and set-group-ID bits, which no file gets.
pub const SET_ID: u32 = libc::S_ISUID | libc::S_ISGID;

/// What no file or folder is made with.
pub const SPECIAL: u32 = SET_ID | libc::S_ISVTX;

/// What one thread could have another one do (`landlock.rs`, for the thread that looks first).
pub const ACROSS_THREADS: &[i64] = &[libc::SYS_rt_sigaction, libc::SYS_kill, libc::SYS_tgkill];

/// Allowed, with any arguments. Others are allowed with some: see `filter.rs`.
pub const NEEDED: &[i64] = &[
    // Memory: the allocator, and the stacks of threads
    libc::SYS_brk,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    // Threads: `parallel.rs`, `stack.rs`, and what std and the C library do for each
    libc::SYS_set_robust_list,
    libc::SYS_set_tid_address,
    libc::SYS_rseq,
    libc::SYS_futex,
    libc::SYS_gettid,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_exit,
    libc::SYS_exit_group,
    // Signals: the stack overflow guard of std, Ctrl-C at a prompt, abort(3)
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_restart_syscall,
    // Time: now, and the pause between two pictures of a progress bar
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    // Open files: input, output, the terminal, folders that are listed
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_lseek,
    libc::SYS_close,
    libc::SYS_fstat,
    libc::SYS_getdents64,
    // One process at a time asks on a terminal
    libc::SYS_flock,
    libc::SYS_ppoll,
    // Names, within what Landlock leaves of their files: `Path::exists`, `canonicalize`
    libc::SYS_newfstatat,
    libc::SYS_statx,
    libc::SYS_readlinkat,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_getcwd,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_stat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_lstat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_access,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_readlink,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_poll,
    // Who this is: whose a file is (`cli/file/privacy.rs`), the home folder, abort(3), the terminal,
    // whether who had a person asked is still there
    libc::SYS_getpid,
    libc::SYS_getuid,
    libc::SYS_geteuid,
    libc::SYS_getppid,
    libc::SYS_getegid,
    libc::SYS_getpgid,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_getpgrp,
    // Randomness: keys, signatures, names of temporary files
    libc::SYS_getrandom,
    // Landlock, which only ever restricts (`cli/sandbox/landlock.rs`)
    libc::SYS_landlock_create_ruleset,
    libc::SYS_landlock_add_rule,
    libc::SYS_landlock_restrict_self,
];

/// Besides, for commands that write files (`cli/to/files.rs`): files that get their names when they
/// are whole, folders, their removal, and one's turn to change a file, within what Landlock leaves. Nothing has its mode or owner
/// changed by its name.
pub const WRITING: &[i64] = &[
    libc::SYS_fsync,
    libc::SYS_flock,
    libc::SYS_fchown,
    libc::SYS_unlinkat,
    libc::SYS_linkat,
    libc::SYS_renameat,
    libc::SYS_renameat2,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_rmdir,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_unlink,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_link,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_rename,
];
