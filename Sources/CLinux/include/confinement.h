#ifndef BURN_CONFINEMENT_H
#define BURN_CONFINEMENT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// What one process may use. 0 stands for no limit of ours.
struct burn_limits {
    uint64_t cpu_seconds;
    /// Of one file.
    uint64_t file_bytes;
    /// Heap, stacks and private writable mappings; what is only reserved does not count.
    uint64_t data_bytes;
    uint64_t open_files;
    /// Processes and threads of the user, where that user is not root.
    uint64_t processes;
};

/// The steps below each return 0, or the errno of the first call that failed. All are final: nothing in
/// the process can take them back.

/// Gives up new privileges, core dumps, and a life beyond the parent thread.
int burn_give_up_privileges(void);

/// Lowers the limits; none is ever raised.
int burn_limit(const struct burn_limits *limits);

/// The kernel's landlock version, or 0 when it has none (or does not let this process use it).
int burn_landlock_abi(void);

/// Lets the process open what is readable for reading and what is writable for both, with everything below
/// folders; nothing else, and nothing for execution. A readable path that is not there is passed over.
/// From version 4 it also closes TCP, from 6 signals to others and abstract sockets. The calling thread and
/// those that it starts later are held: call it while the process has one thread.
int burn_landlock(const char *const readable[], size_t readable_count, const char *const writable[],
                  size_t writable_count);

/// Whether this build and this kernel know the system call filter.
int burn_seccomp_available(void);

/// Denies every system call that is not on the list of what a worker needs, on all threads: no sockets, no
/// program or process started, no other process touched, no kernel interface beyond files, memory and time.
/// Denied calls fail with EPERM, those newer than this list with ENOSYS.
int burn_seccomp(void);

enum {
    BURN_PROBE_PRIVILEGES = 1,
    BURN_PROBE_LANDLOCK = 2,
    BURN_PROBE_SECCOMP = 4,
};

/// Confines a child process as a worker confines itself and lets it try what should be denied.
/// A set of the flags above: what held. -1 with errno set when no child could be made.
int burn_confinement_probe(void);

#endif
