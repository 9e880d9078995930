#include "confinement.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/// In the child, which shares nothing writable with its parent. Only system calls: other threads of the
/// parent may have held locks when it was copied.
static int confine_and_try(void) {
    int held = 0;
    if (burn_give_up_privileges() == 0) held |= BURN_PROBE_PRIVILEGES;
    if (burn_landlock(NULL, 0, NULL, 0) == 0 && open("/etc/passwd", O_RDONLY) < 0 && errno == EACCES)
        held |= BURN_PROBE_LANDLOCK;
    if (burn_seccomp_available() && burn_seccomp() == 0 && socket(AF_UNIX, SOCK_STREAM, 0) < 0
        && errno == EPERM)
        held |= BURN_PROBE_SECCOMP;
    return held;
}

int burn_confinement_probe(void) {
    pid_t child = fork();
    if (child < 0) return -1;
    if (child == 0) _exit(confine_and_try());
    int status = 0;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR) return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 0;
}
