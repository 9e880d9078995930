#ifndef BURN_FILE_SPACE_H
#define BURN_FILE_SPACE_H

#include <stdint.h>

/// Reserves space for `length` bytes of the file without changing its size: fallocate(2), which Glibc's Swift
/// module does not have. Returns 0 or an errno.
int burn_reserve(int descriptor, int64_t length);

#endif
