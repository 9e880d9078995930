#define _GNU_SOURCE
#include "confinement.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// The kernel's interface (linux/landlock.h), spelt out: headers are often older than the kernel.
struct ruleset {
    uint64_t handled_fs;
    uint64_t handled_net;
    uint64_t scoped;
};
struct path_beneath {
    uint64_t allowed;
    int32_t parent;
} __attribute__((packed));
_Static_assert(sizeof(struct ruleset) == 24, "landlock_ruleset_attr");
_Static_assert(sizeof(struct path_beneath) == 12, "landlock_path_beneath_attr");

#ifndef __NR_landlock_create_ruleset
#define __NR_landlock_create_ruleset 444
#define __NR_landlock_add_rule 445
#define __NR_landlock_restrict_self 446
#endif

enum {
    CREATE_VERSION = 1,
    RULE_PATH_BENEATH = 1,

    WRITE_FILE = 1 << 1,
    READ_FILE = 1 << 2,
    READ_DIR = 1 << 3,
    REMOVE_DIR = 1 << 4,
    REMOVE_FILE = 1 << 5,
    MAKE_DIR = 1 << 7,
    MAKE_REG = 1 << 8,
    TRUNCATE = 1 << 14,

    OF_FILES = WRITE_FILE | READ_FILE | TRUNCATE,
    TO_READ = READ_FILE | READ_DIR,
    // No links, devices, pipes or sockets: whoever reads the folder later meets plain files only.
    TO_WRITE = TO_READ | WRITE_FILE | TRUNCATE | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG,
};

/// What a version can restrict: 13 rights, then moves (2), truncation (3), device ioctls (5).
static uint64_t rights(int abi) {
    int count = abi >= 5 ? 16 : abi >= 3 ? 15 : abi >= 2 ? 14 : 13;
    return (UINT64_C(1) << count) - 1;
}

int burn_landlock_abi(void) {
    long abi = syscall(__NR_landlock_create_ruleset, NULL, 0, CREATE_VERSION);
    return abi < 0 ? 0 : (int)abi;
}

static int allow(int ruleset, const char *path, uint64_t allowed) {
    struct stat status;
    struct path_beneath rule = {.allowed = allowed, .parent = open(path, O_PATH | O_CLOEXEC)};
    if (rule.parent < 0) return errno;
    int code = fstat(rule.parent, &status) == 0 ? 0 : errno;
    if (!S_ISDIR(status.st_mode)) rule.allowed &= OF_FILES;
    if (code == 0 && syscall(__NR_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule, 0) != 0) code = errno;
    // A rule is about an inode. Of procfs, whose inodes are made anew once the kernel has forgotten them for want of
    // memory, it would be about none then: the open descriptor keeps them. Dispatch ends a process that cannot read the
    // state of its own threads.
    if (strncmp(path, "/proc/", 6) != 0) close(rule.parent);
    return code;
}

int burn_landlock(const char *const readable[], size_t readable_count, const char *const writable[],
                  size_t writable_count) {
    int abi = burn_landlock_abi();
    if (abi == 0) return ENOSYS;
    uint64_t handled = rights(abi);
    struct ruleset rules = {
        .handled_fs = handled, .handled_net = abi >= 4 ? 3 : 0, .scoped = abi >= 6 ? 3 : 0};
    // An older kernel refuses a longer structure only where the part that it does not know is not zero.
    int ruleset = (int)syscall(__NR_landlock_create_ruleset, &rules, sizeof rules, 0);
    if (ruleset < 0) return errno;
    fcntl(ruleset, F_SETFD, FD_CLOEXEC);
    int code = 0;
    for (size_t index = 0; index < readable_count && code == 0; index++) {
        code = allow(ruleset, readable[index], TO_READ & handled);
        if (code == ENOENT || code == ENOTDIR || code == EACCES) code = 0;
    }
    for (size_t index = 0; index < writable_count && code == 0; index++)
        code = allow(ruleset, writable[index], TO_WRITE & handled);
    if (code == 0 && syscall(__NR_landlock_restrict_self, ruleset, 0) != 0) code = errno;
    close(ruleset);
    return code;
}
