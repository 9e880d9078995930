// The C library's `open` for programs that confine themselves.
//
// Where work waits, Dispatch looks at the state of its threads in /proc/TID/stat, and ends the process when it cannot. No
// file access rule can name the folders of threads that start later, but those beneath /proc/self/task can be had, with the
// same files. A program that links this file answers Dispatch's call itself, once it has asked for that: the loader looks for
// a name in the program before it looks in the libraries.
#define _GNU_SOURCE
#include "CThreadStat.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

static int finds_own;

void burn_find_own_thread_states(void) { finds_own = 1; }

/// For "/proc/N/stat": writes "/proc/self/task/N/stat" and returns 1. For every other path: 0.
static int own_path(const char *path, char *own, size_t size) {
    if (strncmp(path, "/proc/", 6) != 0) return 0;
    const char *number = path + 6;
    size_t digits = strspn(number, "0123456789");
    if (digits == 0 || digits > 10 || strcmp(number + digits, "/stat") != 0) return 0;
    int length = snprintf(own, size, "/proc/self/task/%.*s/stat", (int)digits, number);
    return length > 0 && (size_t)length < size;
}

__attribute__((visibility("default"))) int open(const char *path, int flags, ...) {
    mode_t mode = 0;
    if ((flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE) {
        va_list arguments;
        va_start(arguments, flags);
        mode = va_arg(arguments, mode_t);
        va_end(arguments);
    }
    char own[64];
    if (finds_own && own_path(path, own, sizeof own)) path = own;
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}
