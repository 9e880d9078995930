#ifndef BURN_CTHREADSTAT_H
#define BURN_CTHREADSTAT_H

#include <stddef.h>

/// For "/proc/N/stat": writes "/proc/self/task/N/stat" and returns 1. For every other path: 0.
int burn_thread_stat_path(const char *path, char *own, size_t size);

#endif
