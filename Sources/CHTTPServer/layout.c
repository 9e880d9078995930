/* Other layouts of a request's head, for the tests of what proves the framing gate. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"

/* Copies a string to *at, and moves *at behind it and `gap` further bytes. */
static const char *place(char **at, const char *text, size_t gap) {
    char *begin = *at;
    size_t size = strlen(text) + 1;
    memcpy(begin, text, size);
    *at += size + gap;
    return begin;
}

void *burn_http_simulate_layout(burn_http_layout layout, burn_http_lines *lines, const char *text) {
    enum { GAP = 64 };
    size_t total = strlen(lines->method) + strlen(text) + strlen(lines->version) + 4 * GAP;
    for (size_t i = 0; i < lines->count; i++)
        total += strlen(lines->fields[i].name) + strlen(lines->fields[i].value) + 3 * GAP;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *block = aligned_alloc(page, (total / page + 1) * page);
    if (block == NULL) return NULL;
    memset(block, 0, (total / page + 1) * page);
    /* Behind a part of a line one byte was cut, behind a whole line two, its CR LF. */
    size_t part = layout == BURN_HTTP_LAYOUT_SCATTERED ? GAP : 0, line = part + 1;
    char *at = block, *target;
    lines->method = place(&at, lines->method, part);
    target = at;
    lines->target = place(&at, text, part);
    if (layout == BURN_HTTP_LAYOUT_ALTERED && *target != 0) target[strlen(target) - 1] ^= 1;
    lines->version = place(&at, lines->version, line);
    for (size_t i = 0; i < lines->count; i++) {
        lines->fields[i].name = place(&at, lines->fields[i].name, part);
        lines->fields[i].value = place(&at, lines->fields[i].value, line);
    }
    lines->size = (size_t)(at - block) + 2;
    return block;
}
