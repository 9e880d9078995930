#ifndef BURN_CTHREADSTAT_H
#define BURN_CTHREADSTAT_H

/// From here on "/proc/N/stat" means "/proc/self/task/N/stat" to this process's `open`. Call it while the process has one
/// thread.
void burn_find_own_thread_states(void);

#endif
