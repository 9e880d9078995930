#ifndef BURN_EMBEDDED_FILES_H
#define BURN_EMBEDDED_FILES_H

#include <stddef.h>

/// Files of the repository that are compiled into the programs. C, since its compiler takes a file's bytes as they
/// are; Swift's would read them as literals, for minutes.

struct burn_embedded_file {
    /// As the C source names it, relative to that source.
    const char *path;
    const unsigned char *bytes;
    size_t size;
};

/// They last as long as the process.
struct burn_embedded_files {
    const struct burn_embedded_file *first;
    size_t count;
};

/// openapi.json and the dashboard's files.
struct burn_embedded_files burn_embedded_web_assets(void);
/// In the order that they are applied.
struct burn_embedded_files burn_embedded_migrations(void);
/// Sorted by name.
struct burn_embedded_files burn_embedded_graphs(void);
/// The file VERSION.
struct burn_embedded_file burn_embedded_version(void);
/// architectures/small_cnn.pt2.
struct burn_embedded_file burn_embedded_small_network(void);

#endif
