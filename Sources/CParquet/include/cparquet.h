// A narrow C ABI over Apache Parquet's C++ library: labelled images, row by row, in bounded memory.
//
// Every function that can fail returns a `cparquet_status`; no C++ exception leaves this library. A file is used by
// one thread at a time.
#ifndef CPARQUET_H
#define CPARQUET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct cparquet_file cparquet_file;

enum {
    CPARQUET_OK = 0,
    /// Damaged, or of a form that the library does not read.
    CPARQUET_DAMAGED = 1,
    /// It asks for more memory than it may have.
    CPARQUET_TOO_LARGE = 2,
    /// The operating system could not read the file.
    CPARQUET_UNREADABLE = 3,
    /// Whole, but not the kind of column that is asked for.
    CPARQUET_UNSUPPORTED = 4,
    /// Whole, with a label that names no class.
    CPARQUET_LABEL = 5,
};

/// `message` is to be released with `cparquet_free`; null when `code` is CPARQUET_OK.
typedef struct {
    int32_t code;
    char *message;
} cparquet_status;

/// What a column's cells are.
enum {
    CPARQUET_OTHER = 0,
    /// Whole numbers, or booleans.
    CPARQUET_NUMBER = 1,
    CPARQUET_TEXT = 2,
    /// Image files: binary, or a struct with a binary field `bytes` (Hugging Face's Image).
    CPARQUET_FILE = 3,
    /// Pixels: whole numbers in lists, one to three deep.
    CPARQUET_PIXELS = 4,
    /// Numbers with a point, which are labels where all are whole.
    CPARQUET_REAL = 5,
};

/// The strings live as long as the file.
typedef struct {
    const char *name;
    size_t name_length;
    int32_t kind;
    /// Such as `struct<bytes: binary, path: string>`.
    const char *type;
    size_t type_length;
} cparquet_column;

/// The pointers live until the next row is read or the file is closed.
typedef struct {
    /// The image file's content, or the pixels, one byte each. Null for a cell without content.
    const uint8_t *bytes;
    size_t count;
    /// Of pixels: the lengths of the lists from the outermost on; 0 for an image file.
    int32_t rank;
    int64_t shape[3];
    /// Where an image file's cell names a file and has no content.
    const char *path;
    size_t path_length;
    bool has_label;
    /// The label, where `text` is null.
    int64_t number;
    const char *text;
    size_t text_length;
} cparquet_row;

void cparquet_free(void *memory);

/// Such as "26.0.1": the version of the library that was loaded.
const char *cparquet_version(void);

/// Reads the footer. The descriptor stays the caller's, and open until the file is closed.
/// - `memory_limit`: bytes that reading may take beside the footer's own structures.
cparquet_status cparquet_open(int descriptor, int64_t length, int64_t memory_limit, cparquet_file **file);
void cparquet_close(cparquet_file *file);

int64_t cparquet_row_count(const cparquet_file *file);
int32_t cparquet_column_count(const cparquet_file *file);
/// All zero for an index out of range.
cparquet_column cparquet_column_at(const cparquet_file *file, int32_t index);
/// The value of a key of the file's metadata; null where there is none.
const char *cparquet_metadata(const cparquet_file *file, const char *key, size_t *length);

/// Begins to read two columns from the first row on.
cparquet_status cparquet_begin(cparquet_file *file, int32_t image, int32_t label);
/// The next row; `*at_end` is set where there is none.
cparquet_status cparquet_next(cparquet_file *file, cparquet_row *row, bool *at_end);

#ifdef __cplusplus
}
#endif

#endif
