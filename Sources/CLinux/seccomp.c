#define _GNU_SOURCE
#include "confinement.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/fs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

#ifndef ARCHITECTURE

int burn_seccomp_available(void) { return 0; }
int burn_seccomp(void) { return ENOSYS; }

#else

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#endif
#ifndef __NR_futex_waitv
#define __NR_futex_waitv 449
#endif

/// Beyond the calls that were known when this list was made. Libraries expect ENOSYS from a kernel older
/// than they are, and then do without the call; EPERM would be a failure to them.
enum { FIRST_UNKNOWN = 470 };

/// What files, memory, threads, time and event loops need. Measured on imports, probes, scans and
/// purifications, with the near relatives that other versions of the same libraries use instead.
static const int allowed[] = {
    // Frequent ones first.
    __NR_futex, __NR_pread64, __NR_read, __NR_write, __NR_mmap, __NR_munmap, __NR_mprotect, __NR_madvise,
    __NR_brk, __NR_mremap, __NR_sched_yield, __NR_clock_gettime, __NR_clock_nanosleep, __NR_nanosleep,
    // Files, which landlock narrows down to the worker's own. Modes, owners, times and locks are changed with no right
    // to write, so that nothing here changes them.
    __NR_readv, __NR_writev, __NR_pwrite64, __NR_preadv, __NR_pwritev, __NR_lseek, __NR_close,
    __NR_fsync, __NR_fdatasync, __NR_sync_file_range, __NR_ftruncate, __NR_fallocate, __NR_fadvise64,
    __NR_fstat, __NR_newfstatat, __NR_statx, __NR_faccessat, __NR_faccessat2,
    __NR_readlinkat, __NR_getdents64, __NR_getcwd, __NR_mkdirat, __NR_unlinkat, __NR_renameat,
    __NR_umask, __NR_statfs, __NR_fstatfs, __NR_dup, __NR_dup3,
    __NR_pipe2, __NR_msync, __NR_mincore,
    // Threads and signals of its own.
    __NR_futex_waitv, __NR_set_robust_list, __NR_get_robust_list, __NR_rseq, __NR_set_tid_address,
    __NR_exit, __NR_exit_group, __NR_sched_getaffinity, __NR_sched_getparam, __NR_sched_getscheduler,
    __NR_sched_get_priority_max, __NR_sched_get_priority_min, __NR_getpriority, __NR_membarrier,
    __NR_rt_sigaction, __NR_rt_sigprocmask, __NR_rt_sigreturn, __NR_rt_sigtimedwait, __NR_sigaltstack,
    __NR_restart_syscall, __NR_get_mempolicy,
    // Itself, the machine, time.
    __NR_gettid, __NR_getpid, __NR_getppid, __NR_getuid, __NR_geteuid, __NR_getgid, __NR_getegid,
    __NR_getpgid, __NR_getrusage, __NR_getcpu, __NR_getrandom, __NR_sysinfo, __NR_uname, __NR_times,
    __NR_gettimeofday, __NR_clock_getres,
    // Event loops.
    __NR_epoll_create1, __NR_epoll_ctl, __NR_epoll_pwait, __NR_epoll_pwait2, __NR_ppoll, __NR_pselect6,
    __NR_eventfd2, __NR_timerfd_create, __NR_timerfd_settime, __NR_timerfd_gettime, __NR_signalfd4,
#if defined(__x86_64__)
    __NR_arch_prctl, __NR_stat, __NR_lstat, __NR_access, __NR_readlink, __NR_mkdir, __NR_rmdir,
    __NR_unlink, __NR_rename, __NR_dup2, __NR_pipe, __NR_getrlimit, __NR_getpgrp, __NR_time, __NR_poll,
    __NR_select, __NR_epoll_create, __NR_epoll_wait, __NR_eventfd, __NR_signalfd, __NR_pause,
#endif
};

enum { ALLOWED = sizeof allowed / sizeof allowed[0], CAPACITY = 2 * ALLOWED + 128 };

struct program {
    struct sock_filter code[CAPACITY];
    size_t count;
};

static void add(struct program *program, struct sock_filter instruction) {
    if (program->count < CAPACITY) program->code[program->count] = instruction;
    program->count++;
}

static void load(struct program *program, size_t offset) {
    add(program, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}

static void answer(struct program *program, uint32_t action) {
    add(program, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action));
}

/// Returns `action` where the loaded word equals `value`.
static void answer_if_equal(struct program *program, uint32_t value, uint32_t action) {
    add(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1));
    answer(program, action);
}

/// The low half of a call's argument; both architectures are little-endian.
static size_t argument(int index) { return offsetof(struct seccomp_data, args) + 8 * (size_t)index; }

/// `call` is allowed where the low half of its argument is one of the values, and denied elsewhere.
static void allow_where(struct program *program, int call, int index, const uint32_t values[], size_t count) {
    // To be jumped over: the load, two instructions for each value, the refusal.
    add(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0,
                                              (uint8_t)(2 + 2 * count)));
    load(program, argument(index));
    for (size_t position = 0; position < count; position++)
        answer_if_equal(program, values[position], SECCOMP_RET_ALLOW);
    answer(program, SECCOMP_RET_ERRNO | EPERM);
}

/// Of what fcntl does: copies of a descriptor, and its flags but O_ASYNC. The others have a signal sent to any process of
/// the user (F_SETOWN, F_SETSIG, F_NOTIFY), keep the service from opening a file (F_SETLEASE, locks), or take memory
/// (F_SETPIPE_SZ).
static void allow_file_control(struct program *program) {
    const uint32_t harmless[] = {F_GETFD, F_SETFD, F_GETFL, F_DUPFD, F_DUPFD_CLOEXEC};
    enum { HARMLESS = sizeof harmless / sizeof harmless[0] };
    add(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_fcntl, 0, 2 * HARMLESS + 6));
    load(program, argument(1));
    for (size_t position = 0; position < HARMLESS; position++)
        answer_if_equal(program, harmless[position], SECCOMP_RET_ALLOW);
    add(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, F_SETFL, 0, 3));
    load(program, argument(2));
    add(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_ASYNC, 1, 0));
    answer(program, SECCOMP_RET_ALLOW);
    answer(program, SECCOMP_RET_ERRNO | EPERM);
}

/// Landlock before version 3 does not see that opening for reading can cut a file to nothing, nor, in any version, the
/// fourth way of opening, which asks for neither reading nor writing.
static void allow_open(struct program *program, int call, int flags) {
    add(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, 7));
    load(program, argument(flags));
    add(program, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, O_ACCMODE | O_TRUNC));
    const uint32_t refused[] = {O_RDONLY | O_TRUNC, O_ACCMODE, O_ACCMODE | O_TRUNC};
    add(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, refused[0], 2, 0));
    add(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, refused[1], 1, 0));
    add(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, refused[2], 0, 1));
    answer(program, SECCOMP_RET_ERRNO | EPERM);
    answer(program, SECCOMP_RET_ALLOW);
}

static void compose(struct program *program, pid_t self) {
    load(program, offsetof(struct seccomp_data, arch));
    // Another architecture's numbers mean other calls.
    add(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0));
    answer(program, SECCOMP_RET_KILL_PROCESS);
    load(program, offsetof(struct seccomp_data, nr));
    for (size_t index = 0; index < ALLOWED; index++)
        answer_if_equal(program, (uint32_t)allowed[index], SECCOMP_RET_ALLOW);

    allow_open(program, __NR_openat, 2);
#if defined(__x86_64__)
    allow_open(program, __NR_open, 1);
#endif
    allow_file_control(program);

    // Signals and settings of the process itself, and of no other.
    const uint32_t own[] = {(uint32_t)self}, none[] = {0};
    allow_where(program, __NR_kill, 0, own, 1);
    allow_where(program, __NR_tgkill, 0, own, 1);
    allow_where(program, __NR_sched_setaffinity, 0, none, 1);
    // RENAME_WHITEOUT would make a device.
    const uint32_t plainRename[] = {0, RENAME_NOREPLACE};
    allow_where(program, __NR_renameat2, 4, plainRename, 2);
    const uint32_t processControl[] = {PR_SET_NAME, PR_GET_NAME, PR_GET_DUMPABLE, PR_SET_VMA};
    allow_where(program, __NR_prctl, 0, processControl, 4);
    // Of a terminal or pipe only what isatty and the like ask; TIOCSTI types into the terminal.
    const uint32_t deviceControl[] = {TCGETS, FIONREAD, FIONBIO, FIOCLEX, FIONCLEX};
    allow_where(program, __NR_ioctl, 1, deviceControl, 5);

    // Limits may be read: the address of new ones is null, in both halves.
    add(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_prlimit64, 0, 6));
    load(program, argument(2));
    add(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 3));
    load(program, argument(2) + 4);
    add(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1));
    answer(program, SECCOMP_RET_ALLOW);
    answer(program, SECCOMP_RET_ERRNO | EPERM);

    // Threads, no processes. clone3 keeps its flags in memory, where no filter can look: without it the C
    // library uses clone.
    add(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_clone, 0, 4));
    load(program, argument(0));
    add(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 0, 1));
    answer(program, SECCOMP_RET_ALLOW);
    answer(program, SECCOMP_RET_ERRNO | EPERM);
    answer_if_equal(program, __NR_clone3, SECCOMP_RET_ERRNO | ENOSYS);

    // Also the second set of numbers of x86-64 (x32), which starts at 1 << 30.
    add(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, FIRST_UNKNOWN, 0, 1));
    answer(program, SECCOMP_RET_ERRNO | ENOSYS);
    answer(program, SECCOMP_RET_ERRNO | EPERM);
}

int burn_seccomp_available(void) {
    uint32_t action = SECCOMP_RET_ERRNO;
    return syscall(__NR_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

int burn_seccomp(void) {
    struct program program = {.count = 0};
    compose(&program, getpid());
    if (program.count > CAPACITY) return E2BIG;
    const struct sock_fprog filter = {.len = (unsigned short)program.count, .filter = program.code};
    // A thread that cannot be held would be named instead of 0.
    long result = syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &filter);
    return result == 0 ? 0 : result > 0 ? EBUSY : errno;
}

#endif
