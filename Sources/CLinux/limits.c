#include "confinement.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

static int lower(int resource, uint64_t value) {
    struct rlimit limit;
    if (getrlimit((__rlimit_resource_t)resource, &limit) != 0) return errno;
    // RLIM_INFINITY is the largest value, so that it compares as it should.
    if (limit.rlim_max > value) limit.rlim_max = value;
    if (limit.rlim_cur > limit.rlim_max) limit.rlim_cur = limit.rlim_max;
    return setrlimit((__rlimit_resource_t)resource, &limit) == 0 ? 0 : errno;
}

int burn_give_up_privileges(void) {
    umask(0077);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) return errno;
    return lower(RLIMIT_CORE, 0);
}

int burn_limit(const struct burn_limits *limits) {
    const struct {
        int resource;
        uint64_t value;
    } wanted[] = {
        {RLIMIT_CPU, limits->cpu_seconds},  {RLIMIT_FSIZE, limits->file_bytes},
        {RLIMIT_DATA, limits->data_bytes},  {RLIMIT_NOFILE, limits->open_files},
        {RLIMIT_NPROC, limits->processes},
    };
    for (size_t index = 0; index < sizeof wanted / sizeof wanted[0]; index++) {
        int code = wanted[index].value == 0 ? 0 : lower(wanted[index].resource, wanted[index].value);
        if (code != 0) return code;
    }
    // A file that grows too large is an error of the write, not a death.
    return signal(SIGXFSZ, SIG_IGN) == SIG_ERR ? errno : 0;
}
