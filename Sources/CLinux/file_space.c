#define _GNU_SOURCE
#include "file_space.h"

#include <errno.h>
#include <fcntl.h>

_Static_assert(sizeof(off_t) == sizeof(int64_t), "sizes of files have 64 bits");

int burn_reserve(int descriptor, int64_t length) {
    while (fallocate(descriptor, FALLOC_FL_KEEP_SIZE, 0, length) == -1) {
        if (errno != EINTR) return errno;
    }
    return 0;
}
