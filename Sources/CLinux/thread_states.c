// The C library's `open` for programs that confine themselves.
//
// Where work waits, Dispatch looks at the state of its threads in /proc/TID/stat, and ends the process when it cannot. No
// file access rule can name the folders of threads that start later, and one for /proc/self/task would open all that lies
// there: the machine's mounts and network, the environment. A program that links this file answers Dispatch's question
// itself, from the processor time that the thread has used, once it has asked for that: the loader looks for a name in the
// program before it looks in the libraries.
#define _GNU_SOURCE
#include "thread_states.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

static int answers_own;

void burn_answer_own_thread_states(void) { answers_own = 1; }

/// The N of "/proc/N/stat"; 0 for every other path.
static long thread_of(const char *path) {
    if (strncmp(path, "/proc/", 6) != 0) return 0;
    const char *number = path + 6;
    size_t digits = strspn(number, "0123456789");
    if (digits == 0 || digits > 9 || strcmp(number + digits, "/stat") != 0) return 0;
    return strtol(number, NULL, 10);
}

static int64_t nanoseconds(struct timespec time) { return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec; }

/// What was seen of a thread the last time.
struct look {
    long thread;
    int64_t used;
    int64_t at;
};

enum { LOOKS = 1024 };
static const int64_t STALE = 3000000000;

/// Whether a thread of this process seems to work ('R') or to wait ('S'): by whether it used a fiftieth of the time since
/// the last look. At a first look, and long after the last one, it works. 0 for a thread that is none of this process.
static char state_of(long thread) {
    static struct look looks[LOOKS];
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    struct timespec used, now;
    // The kernel's number for a thread's processor time (pthread_getcpuclockid makes the same).
    clockid_t clock = (clockid_t)(~(unsigned)thread << 3 | 6);
    if (clock_gettime(clock, &used) != 0 || clock_gettime(CLOCK_MONOTONIC, &now) != 0) return 0;
    pthread_mutex_lock(&lock);
    struct look *look = &looks[thread % LOOKS], before = *look;
    *look = (struct look){thread, nanoseconds(used), nanoseconds(now)};
    pthread_mutex_unlock(&lock);
    int64_t passed = nanoseconds(now) - before.at;
    if (before.thread != thread || passed > STALE) return 'R';
    return (nanoseconds(used) - before.used) * 50 >= passed ? 'R' : 'S';
}

/// A descriptor to read the beginning of such a file from, or -1.
static int answer(long thread) {
    char text[64], state = state_of(thread);
    int ends[2];
    if (state == 0) return errno = ENOENT, -1;
    int length = snprintf(text, sizeof text, "%ld (thread) %c 0\n", thread, state);
    if (pipe2(ends, O_CLOEXEC) != 0) return -1;
    int written = write(ends[1], text, (size_t)length) == length;
    close(ends[1]);
    if (written) return ends[0];
    close(ends[0]);
    return errno = EIO, -1;
}

__attribute__((visibility("default"))) int open(const char *path, int flags, ...) {
    mode_t mode = 0;
    if ((flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE) {
        va_list arguments;
        va_start(arguments, flags);
        mode = va_arg(arguments, mode_t);
        va_end(arguments);
    }
    long thread = answers_own ? thread_of(path) : 0;
    if (thread != 0) return answer(thread);
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}
