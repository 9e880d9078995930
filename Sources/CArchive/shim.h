// libarchive, with inline functions where its macros do not reach Swift.
#pragma once
#include <archive.h>
#include <archive_entry.h>
#include <locale.h>

/// The kinds of entry that the importer tells apart.
enum carchive_kind {
    CARCHIVE_FILE,
    CARCHIVE_DIRECTORY,
    CARCHIVE_SYMLINK,
    CARCHIVE_HARDLINK,
    CARCHIVE_SPECIAL,
};

static inline enum carchive_kind carchive_entry_kind(struct archive_entry *entry) {
    // A hard link may carry any file type: ask for it first.
    if (archive_entry_hardlink(entry) != NULL) return CARCHIVE_HARDLINK;
    if (archive_entry_symlink(entry) != NULL) return CARCHIVE_SYMLINK;
    switch (archive_entry_filetype(entry)) {
    case AE_IFREG: return CARCHIVE_FILE;
    case AE_IFDIR: return CARCHIVE_DIRECTORY;
    case AE_IFLNK: return CARCHIVE_SYMLINK;
    default: return CARCHIVE_SPECIAL;
    }
}

static inline void carchive_set_regular_file(struct archive_entry *entry) {
    archive_entry_set_filetype(entry, AE_IFREG);
}

/// Makes the calling thread read names as UTF-8, whatever the process's locale is; libarchive converts
/// names by the thread's locale. Returns the previous locale for carchive_restore_locale.
static inline locale_t carchive_use_utf8(locale_t *owned) {
    *owned = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    return *owned != (locale_t)0 ? uselocale(*owned) : uselocale((locale_t)0);
}

static inline void carchive_restore_locale(locale_t previous, locale_t owned) {
    uselocale(previous);
    if (owned != (locale_t)0) freelocale(owned);
}
