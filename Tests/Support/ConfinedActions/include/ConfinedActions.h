#ifndef BURN_CONFINED_ACTIONS_H
#define BURN_CONFINED_ACTIONS_H

#include <sys/types.h>

/// A child that sleeps: another process, for actions to reach for.
pid_t actions_start_other(void);

/// Does what `action` names with `argument` (a path, where it takes one) or `other`. 0, or the errno.
/// `exec` does not return when it succeeds: the shell says `done` in its place.
int actions_perform(const char *action, const char *argument, pid_t other);

/// From here on the kernel seems to have no landlock, for this process and all that it starts. 0, or the errno.
int actions_hide_landlock(void);

/// From here on the kernel's landlock says that it is of an older version, for this process alone. Whoever believes it asks
/// for no more than that version has, and gets no more. 0, or the errno.
int actions_pretend_landlock(int version);

#endif
