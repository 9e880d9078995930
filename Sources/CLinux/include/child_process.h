#ifndef BURN_CHILD_PROCESS_H
#define BURN_CHILD_PROCESS_H

#include <sys/types.h>

/// A pipe whose ends no other child inherits. 0, or -1 with errno set.
int cspawn_pipe(int ends[2]);

/// Starts `path` with `standard` as its descriptors 0, 1 and 2 and no others, in "/" and in a process group
/// of its own, with no signal blocked or ignored. 0, or an error number.
int cspawn_start(const char *path, char *const arguments[], char *const environment[],
                 const int standard[3], pid_t *pid);

#endif
