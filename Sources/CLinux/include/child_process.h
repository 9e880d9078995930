#ifndef BURN_CHILD_PROCESS_H
#define BURN_CHILD_PROCESS_H

#include <sys/types.h>

/// A pipe whose ends no other child inherits. 0, or -1 with errno set.
int cspawn_pipe(int ends[2]);

/// Starts `path` with `standard` as its descriptors 0, 1 and 2 and no others, in "/" and in a process group
/// of its own, with no signal blocked or ignored. 0, or an error number.
int cspawn_start(const char *path, char *const arguments[], char *const environment[],
                 const int standard[3], pid_t *pid);

/// The same, for a program that does not ask for it itself: it gets `signal_of_death` when the thread that started it
/// ends. Where the program cannot be started it exits with 127.
int cspawn_start_bound(const char *path, char *const arguments[], char *const environment[],
                       const int standard[3], int signal_of_death, pid_t *pid);

#endif
