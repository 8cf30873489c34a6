/* What somebody with a hand in the process would try. Built as a library that is loaded before the
 * C library, it acts when the file that TRIGGER names is opened, once system calls are filtered;
 * built as a program (with -DCONTROL), at once. Each attempt is a line on standard error:
 * "attempt NAME RESULT", where a result from 0 on is a success. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

static int count;

static void report(const char *name, long result) {
    char line[128];
    int length = snprintf(line, sizeof line, "attempt %s %ld\n", name, result < 0 ? -(long)errno : result);
    count++;
    syscall(SYS_write, 2, line, length);
}

#define TRY(name, ...) do { errno = 0; report(name, syscall(__VA_ARGS__)); } while (0)

static const char *in(const char *name) {
    static char paths[4][4096];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", getenv("OUTSIDE"), name);
    return path;
}

static void files(int writes) {
    const char *trigger = getenv("TRIGGER");
    TRY("read", SYS_openat, AT_FDCWD, in("read"), O_RDONLY);
    TRY("list", SYS_openat, AT_FDCWD, getenv("OUTSIDE"), O_RDONLY | O_DIRECTORY);
    TRY("write", SYS_openat, AT_FDCWD, in("write"), O_WRONLY);
    TRY("append", SYS_openat, AT_FDCWD, in("write"), O_WRONLY | O_APPEND);
    TRY("empty", SYS_openat, AT_FDCWD, in("write"), O_WRONLY | O_TRUNC);
    TRY("create", SYS_openat, AT_FDCWD, in("created"), O_WRONLY | O_CREAT, 0600);
    TRY("create-unnamed", SYS_openat, AT_FDCWD, getenv("OUTSIDE"), O_WRONLY | O_TMPFILE, 0600);
    TRY("truncate", SYS_truncate, in("write"), 0);
    TRY("openat2", 437, AT_FDCWD, in("read"), &(unsigned long long[3]){0, 0, 0}, 24);
    TRY("write-input", SYS_openat, AT_FDCWD, trigger, O_WRONLY);
    TRY("chmod-input", SYS_fchmodat, AT_FDCWD, trigger, 0666);
    TRY("fchmodat", SYS_fchmodat, AT_FDCWD, in("mode"), 0666);
    TRY("fchmodat2", SYS_fchmodat2, AT_FDCWD, in("mode"), 0666, 0);
    TRY("fchownat", SYS_fchownat, AT_FDCWD, in("mode"), getuid(), getgid(), 0);
    TRY("linkat", SYS_linkat, AT_FDCWD, in("read"), AT_FDCWD, in("linked"), 0);
    TRY("symlinkat", SYS_symlinkat, in("read"), AT_FDCWD, in("symlinked"));
    TRY("renameat2", SYS_renameat2, AT_FDCWD, in("rename"), AT_FDCWD, in("renamed"), 0);
    TRY("exchange", SYS_renameat2, AT_FDCWD, in("read"), AT_FDCWD, in("write"), 2);
    TRY("unlinkat", SYS_unlinkat, AT_FDCWD, in("unlink"), 0);
    TRY("remove-folder", SYS_unlinkat, AT_FDCWD, in("folder"), AT_REMOVEDIR);
    TRY("mkdirat", SYS_mkdirat, AT_FDCWD, in("made"), 0700);
    TRY("mknodat", SYS_mknodat, AT_FDCWD, in("fifo"), S_IFIFO | 0600, 0);
    TRY("utimensat", SYS_utimensat, AT_FDCWD, in("mode"), NULL, 0);
    TRY("setxattr", SYS_setxattr, in("mode"), "user.a", "b", 1, 0);
    TRY("chdir", SYS_chdir, getenv("OUTSIDE"));
    TRY("chroot", SYS_chroot, "/");
#ifdef __x86_64__
    TRY("open", SYS_open, in("read"), O_RDONLY);
    TRY("creat", SYS_creat, in("created"), 0600);
    TRY("chmod", SYS_chmod, in("mode"), 0666);
    TRY("chown", SYS_chown, in("mode"), getuid(), getgid());
    TRY("lchown", SYS_lchown, in("mode"), getuid(), getgid());
    TRY("link", SYS_link, in("read"), in("linked"));
    TRY("symlink", SYS_symlink, in("read"), in("symlinked"));
    TRY("rename", SYS_rename, in("rename"), in("renamed"));
    TRY("unlink", SYS_unlink, in("unlink"));
    TRY("mkdir", SYS_mkdir, in("made"), 0700);
    TRY("rmdir", SYS_rmdir, in("folder"));
#endif
    TRY("create-here", SYS_openat, AT_FDCWD, "created", O_WRONLY | O_CREAT, 0600);
    TRY("rename-input", SYS_renameat2, AT_FDCWD, trigger, AT_FDCWD, "renamed", 0);
    TRY("unlink-input", SYS_unlinkat, AT_FDCWD, trigger, 0);
    if (!writes) {
        int input = open(trigger, O_RDONLY);
        TRY("fchmod", SYS_fchmod, input, 0666);
        TRY("fchown", SYS_fchown, input, getuid(), getgid());
        close(input);
    } else {
        int input = syscall(SYS_openat, AT_FDCWD, trigger, O_RDONLY);
        TRY("create-set-id", SYS_openat, AT_FDCWD, "out/set-id", O_WRONLY | O_CREAT, 06755);
        TRY("create-set-id-made", SYS_openat, AT_FDCWD, "made/set-id", O_WRONLY | O_CREAT, 02755);
        TRY("create-sticky", SYS_openat, AT_FDCWD, "out/sticky", O_WRONLY | O_CREAT, 01755);
        TRY("create-unnamed-set-id", SYS_openat, AT_FDCWD, "out", O_WRONLY | O_TMPFILE, 04755);
        TRY("mkdir-sticky", SYS_mkdirat, AT_FDCWD, "out/folder", 01777);
        TRY("fchmod-setuid", SYS_fchmod, input, 04755);
        close(input);
    }
}

/* Another thread of this process may be allowed more: a signal would have it do this. */
static const char *wanted;
static volatile long stolen;
static volatile int handled;

static void steal(int signal) {
    long file = syscall(SYS_openat, AT_FDCWD, wanted, O_RDONLY);
    stolen = file < 0 ? -(long)errno : file;
    handled = 1;
}

static void threads(void) {
    struct sigaction action = {.sa_handler = steal};
    wanted = in("read");
    stolen = -ENOSYS;
    if (sigaction(SIGUSR2, &action, NULL) == 0 && syscall(SYS_tgkill, getpid(), getpid(), SIGUSR2) == 0)
        for (int i = 0; i < 100 && !handled; i++) usleep(10000);
    errno = stolen < 0 ? -stolen : 0;
    report("read-in-the-first-thread", stolen < 0 ? -1 : stolen);
}

static void processes(void) {
    pid_t other = atoi(getenv("OTHER"));
    char byte;
    struct iovec here = {&byte, 1}, there = {(void *)environ, 1};
    TRY("kill", SYS_kill, other, 0);
    TRY("kill-group", SYS_kill, 0, 0);
    TRY("kill-all", SYS_kill, -1, 0);
    TRY("tkill", SYS_tkill, other, 0);
    TRY("tgkill", SYS_tgkill, other, other, 0);
    TRY("rt_sigqueueinfo", SYS_rt_sigqueueinfo, other, 0, &(siginfo_t){.si_code = SI_QUEUE});
    TRY("pidfd_open", SYS_pidfd_open, other, 0);
    TRY("signal-on-input", SYS_fcntl, 0, F_SETOWN, other);
    TRY("ptrace", SYS_ptrace, PTRACE_SEIZE, other, 0, 0);
    TRY("process_vm_readv", SYS_process_vm_readv, other, &here, 1, &there, 1, 0);
    TRY("process_vm_writev", SYS_process_vm_writev, other, &here, 1, &there, 1, 0);
    TRY("limits-of-another", SYS_prlimit64, other, RLIMIT_NOFILE, NULL, &(struct rlimit){0});
    TRY("own-limits", SYS_prlimit64, 0, RLIMIT_CORE, &(struct rlimit){0, 0}, NULL);
    TRY("dumpable", SYS_prctl, PR_SET_DUMPABLE, 1);
    TRY("priority", SYS_setpriority, PRIO_PROCESS, other, 0);
    TRY("setuid", SYS_setuid, getuid());
    TRY("memfd_create", SYS_memfd_create, "code", 0);
    TRY("executable-memory", SYS_mmap, NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    TRY("mprotect-executable", SYS_mprotect, page, 4096, PROT_READ | PROT_EXEC);
}

static void doors(void) {
    TRY("socket-inet", SYS_socket, AF_INET, SOCK_STREAM, 0);
    TRY("socket-unix", SYS_socket, AF_UNIX, SOCK_STREAM, 0);
    TRY("socket-netlink", SYS_socket, AF_NETLINK, SOCK_RAW, 0);
    TRY("socketpair", SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, (int[2]){0});
    TRY("io_uring_setup", 425, 1, &(char[120]){0});
    TRY("userfaultfd", SYS_userfaultfd, 1);
    TRY("bpf", SYS_bpf, 0, &(char[72]){0}, 72);
    TRY("perf_event_open", SYS_perf_event_open, &(char[112]){0}, 0, -1, -1, 0);
    TRY("unshare", SYS_unshare, CLONE_FS);
    TRY("inotify", SYS_inotify_init1, 0);
    TRY("type-at-terminal", SYS_ioctl, 0, TIOCSTI, "x");
    TRY("bytes-waiting", SYS_ioctl, 2, FIONREAD, &(int){0});
}

static void keys(int keyring) {
    /* Of the thread's own keyring, which nobody else has, where that can be had. */
    TRY("keyctl-join-session", SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);
    TRY("keyctl-setperm", SYS_keyctl, KEYCTL_SETPERM, KEY_SPEC_PROCESS_KEYRING, 0x3f3f0000);
    TRY("keyctl-chown", SYS_keyctl, KEYCTL_CHOWN, KEY_SPEC_PROCESS_KEYRING, getuid(), -1);
    TRY("keyctl-clear", SYS_keyctl, KEYCTL_CLEAR, KEY_SPEC_PROCESS_KEYRING);
    TRY("keyctl-get-persistent", SYS_keyctl, KEYCTL_GET_PERSISTENT, -1, KEY_SPEC_PROCESS_KEYRING);
    TRY("keyctl-capabilities", SYS_keyctl, 31, &(char[2]){0}, 2);
    TRY("keyctl-revoke", SYS_keyctl, KEYCTL_REVOKE, KEY_SPEC_PROCESS_KEYRING);
    TRY("request_key", SYS_request_key, "user", "kube-enroll:none", NULL, 0);
    if (!keyring) {
        TRY("add_key", SYS_add_key, "user", "kube-enroll:test", "x", 1, KEY_SPEC_PROCESS_KEYRING);
        TRY("keyctl-get-id", SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_PROCESS_KEYRING, 1);
    }
}

/* A success of these would make another process, or another program of this one. */
static void programs(void) {
    char *arguments[] = {"/bin/true", NULL};
    long child = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (child == 0) _exit(0);
    report("clone", child);
    child = syscall(SYS_clone3, &(unsigned long long[8]){[4] = SIGCHLD}, 64);
    if (child == 0) _exit(0);
    report("clone3", child);
#ifndef CONTROL
    TRY("execve", SYS_execve, "/bin/true", arguments, arguments + 1);
    TRY("execveat", SYS_execveat, AT_FDCWD, "/bin/true", arguments, arguments + 1, 0);
#endif
}

static void attempts(void) {
    const char *needs = getenv("NEEDS");
    files(strstr(needs, "files") != NULL);
    threads();
    processes();
    doors();
    keys(strstr(needs, "keyring") != NULL);
    programs();
    char line[32];
    int length = snprintf(line, sizeof line, "attempts %d\n", count);
    syscall(SYS_write, 2, line, length);
}

#ifdef CONTROL
int main(void) {
    attempts();
    return 0;
}
#else
static int opened(const char *path, int flags, mode_t mode) {
    static int done;
    const char *trigger = getenv("TRIGGER");
    if (!done && trigger && strcmp(path, trigger) == 0 && prctl(PR_GET_SECCOMP) == 2) {
        done = 1;
        attempts();
    }
    return syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    mode_t mode = va_arg(more, mode_t);
    va_end(more);
    return opened(path, flags, mode);
}
#endif
