#define _GNU_SOURCE
#include "ConfinedActions.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/fs.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
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
#include <sys/file.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

static int done(long result) { return result < 0 ? errno : 0; }

static int opened(const char *path, int flags) {
    int descriptor = open(path, flags, 0600);
    char byte = 'x';
    if (descriptor < 0) return errno;
    int code = (flags & O_ACCMODE) == O_RDONLY ? done(read(descriptor, &byte, 1)) : done(write(descriptor, &byte, 1));
    close(descriptor);
    return code;
}

static int read_file(const char *path, pid_t other) { return (void)other, opened(path, O_RDONLY); }
static int write_file(const char *path, pid_t other) { return (void)other, opened(path, O_WRONLY | O_CREAT); }
static int append_file(const char *path, pid_t other) { return (void)other, opened(path, O_WRONLY | O_APPEND); }
static int truncate_file(const char *path, pid_t other) { return (void)other, done(truncate(path, 0)); }
static int remove_file(const char *path, pid_t other) { return (void)other, done(unlink(path)); }
static int list_folder(const char *path, pid_t other) {
    return (void)other, done(open(path, O_RDONLY | O_DIRECTORY));
}
static int make_symlink(const char *path, pid_t other) { return (void)other, done(symlink("/etc/passwd", path)); }
static int make_link(const char *path, pid_t other) {
    return (void)other, done(linkat(AT_FDCWD, "/proc/self/exe", AT_FDCWD, path, AT_SYMLINK_FOLLOW));
}
static int make_pipe(const char *path, pid_t other) { return (void)other, done(mkfifo(path, 0600)); }
static int change_mode(const char *path, pid_t other) { return (void)other, done(chmod(path, 0666)); }

/// What can be done to a file that was opened for reading alone.
static int change_open_mode(const char *path, pid_t other) {
    return (void)other, done(fchmod(open(path, O_RDONLY), 0666));
}
static int change_open_owner(const char *path, pid_t other) {
    return (void)other, done(fchown(open(path, O_RDONLY), getuid(), getgid()));
}
static int change_times(const char *path, pid_t other) {
    return (void)other, done(utimensat(AT_FDCWD, path, NULL, 0));
}
static int change_open_times(const char *path, pid_t other) {
    return (void)other, done(futimens(open(path, O_RDONLY), NULL));
}
static int lock_file(const char *path, pid_t other) { return (void)other, done(flock(open(path, O_RDONLY), LOCK_EX)); }
static int lock_region(const char *path, pid_t other) {
    struct flock region = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
    return (void)other, done(fcntl(open(path, O_RDONLY), F_SETLK, &region));
}
static int lease(const char *path, pid_t other) {
    return (void)other, done(fcntl(open(path, O_RDONLY), F_SETLEASE, F_RDLCK));
}
static int notify(const char *path, pid_t other) {
    return (void)other, done(fcntl(open(path, O_RDONLY | O_DIRECTORY), F_NOTIFY, DN_CREATE));
}
static int cut_when_opened(const char *path, pid_t other) {
    return (void)other, done(open(path, O_RDONLY | O_TRUNC));
}
static int open_for_nothing(const char *path, pid_t other) { return (void)other, done(open(path, O_ACCMODE)); }

/// Signals of input and output, which the kernel sends to whoever F_SETOWN names.
static int set_signal_owner(const char *argument, pid_t other) {
    return (void)argument, done(fcntl(STDIN_FILENO, F_SETOWN, other));
}
static int set_signal_owner_ex(const char *argument, pid_t other) {
    struct f_owner_ex owner = {F_OWNER_PID, other};
    return (void)argument, done(fcntl(STDIN_FILENO, F_SETOWN_EX, &owner));
}
static int set_signal(const char *argument, pid_t other) {
    return (void)argument, (void)other, done(fcntl(STDIN_FILENO, F_SETSIG, SIGUSR1));
}
static int asynchronous(const char *argument, pid_t other) {
    return (void)argument, (void)other, done(fcntl(STDIN_FILENO, F_SETFL, O_ASYNC));
}
static int signal_by_input(const char *argument, pid_t other) {
    int ends[2];
    char byte = 'x';
    (void)argument;
    if (pipe(ends) != 0 || fcntl(ends[0], F_SETOWN, other) != 0 || fcntl(ends[0], F_SETSIG, SIGKILL) != 0
        || fcntl(ends[0], F_SETFL, O_ASYNC) != 0 || write(ends[1], &byte, 1) != 1)
        return errno;
    int status = 0;
    return waitpid(other, &status, 0) == other && WIFSIGNALED(status) ? 0 : -1;
}
static int pipe_size(const char *argument, pid_t other) {
    return (void)argument, (void)other, done(fcntl(STDIN_FILENO, F_SETPIPE_SZ, 1 << 20));
}
/// What programs do with descriptors all the time.
static int descriptor_flags(const char *argument, pid_t other) {
    (void)argument, (void)other;
    int copy = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 10);
    if (copy < 0 || fcntl(copy, F_GETFD) != FD_CLOEXEC || fcntl(copy, F_SETFD, 0) != 0) return errno;
    int flags = fcntl(copy, F_GETFL);
    return flags < 0 ? errno : done(fcntl(copy, F_SETFL, flags | O_NONBLOCK));
}

static int internet(const char *argument, pid_t other) {
    return (void)argument, (void)other, done(socket(AF_INET, SOCK_STREAM, 0));
}
static int datagram(const char *argument, pid_t other) {
    return (void)argument, (void)other, done(socket(AF_INET, SOCK_DGRAM, 0));
}
static int local(const char *argument, pid_t other) {
    return (void)argument, (void)other, done(socket(AF_UNIX, SOCK_STREAM, 0));
}
static int netlink(const char *argument, pid_t other) {
    return (void)argument, (void)other, done(socket(AF_NETLINK, SOCK_RAW, 0));
}
static int pair(const char *argument, pid_t other) {
    int ends[2];
    return (void)argument, (void)other, done(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
}

static int execute(const char *argument, pid_t other) {
    char *const arguments[] = {"sh", "-c", "printf done", NULL}, *const none[] = {NULL};
    (void)argument;
    kill(other, SIGKILL);
    return done(execve("/bin/sh", arguments, none));
}
static int execute_descriptor(const char *argument, pid_t other) {
    char *const arguments[] = {"sh", "-c", "printf done", NULL}, *const none[] = {NULL};
    int descriptor = open("/bin/sh", O_PATH);
    (void)argument;
    kill(other, SIGKILL);
    return done(syscall(SYS_execveat, descriptor, "", arguments, none, AT_EMPTY_PATH));
}
static int duplicate(const char *argument, pid_t other) {
    (void)argument, (void)other;
    pid_t child = fork();
    if (child == 0) _exit(0);
    if (child > 0) waitpid(child, NULL, 0);
    return done(child);
}
static int duplicate_3(const char *argument, pid_t other) {
    uint64_t arguments[11] = {[4] = SIGCHLD};
    (void)argument, (void)other;
    long child = syscall(SYS_clone3, arguments, sizeof arguments);
    if (child == 0) _exit(0);
    if (child > 0) waitpid((pid_t)child, NULL, 0);
    return done(child);
}

static int trace(const char *argument, pid_t other) {
    return (void)argument, done(ptrace(PTRACE_SEIZE, other, NULL, NULL));
}
static int read_memory(const char *argument, pid_t other) {
    char byte, source = 0;
    struct iovec here = {&byte, 1}, there = {&source, 1};
    return (void)argument, done(process_vm_readv(other, &here, 1, &there, 1, 0));
}
static int signal_other(const char *argument, pid_t other) { return (void)argument, done(kill(other, SIGCONT)); }
static int signal_group(const char *argument, pid_t other) {
    return (void)argument, (void)other, done(kill(-getpgrp(), 0));
}
static int nice_other(const char *argument, pid_t other) {
    return (void)argument, done(setpriority(PRIO_PROCESS, (id_t)other, 19));
}
static int nice_group(const char *argument, pid_t other) {
    return (void)argument, (void)other, done(setpriority(PRIO_PGRP, 0, getpriority(PRIO_PGRP, 0)));
}
static int whiteout(const char *argument, pid_t other) {
    char target[4096];
    (void)other;
    if (snprintf(target, sizeof target, "%s-moved", argument) >= (int)sizeof target) return ENAMETOOLONG;
    return done(syscall(SYS_renameat2, AT_FDCWD, argument, AT_FDCWD, target, RENAME_WHITEOUT));
}
static int raise_limit(const char *argument, pid_t other) {
    struct rlimit limit = {64, 64};
    return (void)argument, (void)other, done(setrlimit(RLIMIT_NOFILE, &limit));
}
static int undumpable(const char *argument, pid_t other) {
    return (void)argument, (void)other, done(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0));
}

static int memory_file(const char *argument, pid_t other) {
    return (void)argument, (void)other, done(memfd_create("x", 0));
}
static int ring(const char *argument, pid_t other) {
    char parameters[120] = {0};
    return (void)argument, (void)other, done(syscall(SYS_io_uring_setup, 1, parameters));
}
static int keys(const char *argument, pid_t other) {
    return (void)argument, (void)other, done(syscall(SYS_keyctl, 0, -1, 1));
}
static int program_kernel(const char *argument, pid_t other) {
    char attributes[120] = {0};
    return (void)argument, (void)other, done(syscall(SYS_bpf, 0, attributes, sizeof attributes));
}
static int namespaces(const char *argument, pid_t other) {
    return (void)argument, (void)other, done(unshare(CLONE_NEWUSER));
}
static int mounts(const char *argument, pid_t other) {
    return (void)other, done(syscall(SYS_mount, "none", argument, "tmpfs", 0, NULL));
}
static int root(const char *argument, pid_t other) { return (void)other, done(chroot(argument)); }
static int page_faults(const char *argument, pid_t other) {
    return (void)argument, (void)other, done(syscall(SYS_userfaultfd, 0));
}
static int second_numbers(const char *argument, pid_t other) {
    return (void)argument, (void)other, done(syscall(0x40000000 | SYS_getpid));
}
static int unknown_call(const char *argument, pid_t other) {
    return (void)argument, (void)other, done(syscall(9999));
}

static void *nothing(void *argument) { return argument; }
static int thread(const char *argument, pid_t other) {
    pthread_t thread;
    (void)argument, (void)other;
    int code = pthread_create(&thread, NULL, nothing, NULL);
    return code == 0 ? pthread_join(thread, NULL) : code;
}
static int machine_code(const char *argument, pid_t other) {
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    (void)argument, (void)other;
    return page == MAP_FAILED ? errno : done(mprotect(page, 4096, PROT_READ | PROT_EXEC));
}
static int large_file(const char *path, pid_t other) {
    int descriptor = open(path, O_WRONLY | O_CREAT, 0600);
    return (void)other, descriptor < 0 ? errno : done(ftruncate(descriptor, 8 << 20));
}
static int large_allocation(const char *argument, pid_t other) {
    (void)argument, (void)other;
    void *memory = mmap(NULL, 8UL << 30, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory == MAP_FAILED ? errno : 0;
}
/// Says that it waits, and does so until standard input has ended.
static void wait_for_end(void) {
    char byte = '.';
    if (write(STDOUT_FILENO, &byte, 1) != 1) return;
    while (read(STDIN_FILENO, &byte, 1) > 0) continue;
}
static int read_later(const char *path, pid_t other) { return wait_for_end(), read_file(path, other); }
static int many_files(const char *argument, pid_t other) {
    (void)argument, (void)other;
    for (int count = 0; count < 500; count++)
        if (dup(0) < 0) return errno;
    return 0;
}

static const struct {
    const char *name;
    int (*perform)(const char *, pid_t);
} actions[] = {
    {"read", read_file}, {"write", write_file}, {"append", append_file}, {"truncate", truncate_file},
    {"remove", remove_file}, {"list", list_folder}, {"symlink", make_symlink}, {"link", make_link},
    {"pipe", make_pipe}, {"mode", change_mode}, {"mode-open", change_open_mode}, {"owner-open", change_open_owner},
    {"times", change_times}, {"times-open", change_open_times}, {"lock", lock_file}, {"lock-region", lock_region},
    {"lease", lease}, {"notify", notify}, {"cut-open", cut_when_opened}, {"open-for-nothing", open_for_nothing},
    {"signal-owner", set_signal_owner}, {"signal-owner-ex", set_signal_owner_ex}, {"signal-choice", set_signal},
    {"asynchronous", asynchronous}, {"signal-by-input", signal_by_input}, {"pipe-size", pipe_size},
    {"descriptor-flags", descriptor_flags}, {"internet", internet}, {"datagram", datagram},
    {"local", local}, {"netlink", netlink}, {"pair", pair}, {"exec", execute},
    {"exec-descriptor", execute_descriptor}, {"fork", duplicate}, {"clone3", duplicate_3}, {"trace", trace},
    {"read-memory", read_memory}, {"signal-other", signal_other}, {"signal-group", signal_group},
    {"nice-other", nice_other}, {"nice-group", nice_group}, {"whiteout", whiteout}, {"limit", raise_limit}, {"undumpable", undumpable},
    {"memory-file", memory_file}, {"ring", ring}, {"keys", keys}, {"bpf", program_kernel},
    {"namespaces", namespaces}, {"mount", mounts}, {"root", root}, {"page-faults", page_faults},
    {"second-numbers", second_numbers}, {"unknown-call", unknown_call}, {"thread", thread},
    {"machine-code", machine_code}, {"large-file", large_file}, {"large-allocation", large_allocation},
    {"many-files", many_files}, {"read-later", read_later},
};

pid_t actions_start_other(void) {
    int ends[2];
    char byte;
    if (pipe(ends) != 0) return -1;
    pid_t child = fork();
    if (child != 0) {
        close(ends[0]);
        return child;
    }
    // Until the other end is closed, with its process; nothing else of that process is kept open.
    close(ends[1]);
    close(STDOUT_FILENO);
    while (read(ends[0], &byte, 1) < 0) continue;
    _exit(0);
}

int actions_perform(const char *action, const char *argument, pid_t other) {
    for (size_t index = 0; index < sizeof actions / sizeof actions[0]; index++)
        if (strcmp(actions[index].name, action) == 0) return actions[index].perform(argument, other);
    return -1;
}

int actions_hide_landlock(void) {
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_landlock_create_ruleset, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof rules / sizeof *rules, .filter = rules};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno;
    return done(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program));
}

static long pretended_version;

/// The filter stops the question for the version; this is its answer.
static void answer_version(int signal, siginfo_t *info, void *context) {
    ucontext_t *state = context;
    (void)signal, (void)info;
#if defined(__x86_64__)
    state->uc_mcontext.gregs[REG_RAX] = pretended_version;
#elif defined(__aarch64__)
    state->uc_mcontext.regs[0] = (unsigned long)pretended_version;
#endif
}

int actions_pretend_landlock(int version) {
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_landlock_create_ruleset, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
        // LANDLOCK_CREATE_RULESET_VERSION
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof rules / sizeof *rules, .filter = rules};
    struct sigaction action = {.sa_sigaction = answer_version, .sa_flags = SA_SIGINFO};
    pretended_version = version;
    if (sigaction(SIGSYS, &action, NULL) != 0) return errno;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno;
    return done(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program));
}
