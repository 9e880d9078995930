#include "embedded_files.h"

#pragma clang diagnostic ignored "-Wc23-extensions" // #embed

static const struct burn_embedded_file files[] = {
#define FILE "../../VERSION"
#include "one_file.h"
#define FILE "../../architectures/small_cnn.pt2"
#include "one_file.h"
};

struct burn_embedded_file burn_embedded_version(void) { return files[0]; }

struct burn_embedded_file burn_embedded_small_network(void) { return files[1]; }
