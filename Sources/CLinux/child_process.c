// glibc declares pipe2, closefrom and chdir actions for _GNU_SOURCE only, which Swift's import lacks.
#define _GNU_SOURCE
#include "child_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <unistd.h>

int cspawn_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

int cspawn_start(const char *path, char *const arguments[], char *const environment[],
                 const int standard[3], pid_t *pid) {
    posix_spawn_file_actions_t actions;
    int code = posix_spawn_file_actions_init(&actions);
    if (code != 0) return code;
    posix_spawnattr_t attributes;
    code = posix_spawnattr_init(&attributes);
    if (code != 0) {
        posix_spawn_file_actions_destroy(&actions);
        return code;
    }
    for (int target = 0; target < 3 && code == 0; target++)
        code = posix_spawn_file_actions_adddup2(&actions, standard[target], target);
    if (code == 0) code = posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    if (code == 0) code = posix_spawn_file_actions_addchdir_np(&actions, "/");

    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    if (code == 0) code = posix_spawnattr_setsigmask(&attributes, &none);
    if (code == 0) code = posix_spawnattr_setsigdefault(&attributes, &all);
    if (code == 0) code = posix_spawnattr_setpgroup(&attributes, 0);
    if (code == 0)
        code = posix_spawnattr_setflags(
            &attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    if (code == 0) code = posix_spawn(pid, path, &actions, &attributes, arguments, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return code;
}

/// In the child. Only system calls: other threads of the parent may have held locks when it was copied.
static void become(const char *path, char *const arguments[], char *const environment[],
                   const int standard[3], int signal_of_death, pid_t parent) {
    sigset_t none;
    sigemptyset(&none);
    struct sigaction initial = {.sa_handler = SIG_DFL};
    for (int number = 1; number < NSIG; number++) sigaction(number, &initial, NULL);
    for (int target = 0; target < 3; target++)
        if (dup2(standard[target], target) < 0) return;
    if (close_range(3, ~0U, 0) != 0) return;
    if (setpgid(0, 0) != 0 || chdir("/") != 0) return;
    if (prctl(PR_SET_PDEATHSIG, signal_of_death) != 0) return;
    // It may have died before it was asked for.
    if (getppid() != parent) return;
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve(path, arguments, environment);
}

int cspawn_start_bound(const char *path, char *const arguments[], char *const environment[],
                       const int standard[3], int signal_of_death, pid_t *pid) {
    pid_t parent = getpid();
    pid_t child = fork();
    if (child < 0) return errno;
    if (child == 0) {
        become(path, arguments, environment, standard, signal_of_death, parent);
        _exit(127);
    }
    // Both do it: whoever comes first. Its group is there before anybody sends it a signal.
    setpgid(child, child);
    *pid = child;
    return 0;
}
