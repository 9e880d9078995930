/*
 * The framing gate. libmicrohttpd 0.9.75 takes Transfer-Encoding beside Content-Length, repeated lengths,
 * control bytes, folded lines, bare line feeds and zero bytes in lines; a proxy in front may read such a
 * request differently (request smuggling), so all of them are refused. What is said here of the library's
 * buffers holds for that version; FramingSelfTest.swift asks the one that runs.
 */
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "internal.h"

static bool is_token(const char *text) {
    if (*text == 0) return false;
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && strchr("!#$%&'*+-.^_`|~", c) == NULL) return false;
    }
    return true;
}

static bool is_field_value(const char *text) {
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if ((c < 0x20 && c != '\t') || c == 0x7F) return false;
    }
    return true;
}

/* Plain decimal digits without overflow. */
static bool parse_length(const char *text, uint64_t *length) {
    uint64_t value = 0;
    if (*text == 0) return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9') return false;
        if (__builtin_mul_overflow(value, 10, &value)) return false;
        if (__builtin_add_overflow(value, (uint64_t)(*text - '0'), &value)) return false;
    }
    *length = value;
    return true;
}

/*
 * libmicrohttpd cuts lines in place and hands out zero-terminated strings, so a zero byte within a line
 * hides its rest. The addresses give it away: every string must end just before CR LF and the next
 * line. Beside the head's last four bytes nothing is read through them. A line's end in zero byte and LF stays
 * unseen: cut, it is the same as CR LF. It ends the line for every reader that takes it at all. So does a
 * head's end of LF, zero byte, CR and LF, of the length of two line ends; a reader that follows RFC 9110
 * (section 5.5) takes no zero byte in a head. And a head's end of a colon and LF, for libmicrohttpd ends the head
 * at a line whose name is empty: a proxy that passes such a field on writes its line with CR LF, which is seen.
 */
static bool lines_are_whole(const burn_http_request *request, const burn_http_lines *lines) {
    uintptr_t at = (uintptr_t)lines->method + strlen(lines->method) + 1;
    if (at != (uintptr_t)lines->target) return false;
    at += strlen(request->target) + 1;
    if (at != (uintptr_t)lines->version) return false;
    at += strlen(lines->version) + 2;
    for (size_t i = 0; i < lines->count; i++) {
        const burn_http_field *field = &lines->fields[i];
        uintptr_t name_end = (uintptr_t)field->name + strlen(field->name) + 1;
        if ((uintptr_t)field->name != at || (uintptr_t)field->value < name_end) return false;
        at = (uintptr_t)field->value + strlen(field->value) + 2;
    }
    if (at + 2 != (uintptr_t)lines->method + lines->size) return false;
    /* Of a line that begins with a zero byte, which ends the head, what follows the byte was not cut. */
    return memcmp(lines->method + lines->size - 4, "\0\0\0", 4) == 0;
}

/*
 * libmicrohttpd passes over lines before the request line that are empty or begin with a zero byte, whatever
 * follows it, and leaves no trace of which it was. Every request is read to the start of its connection's pool,
 * which begins a page (BURN_HTTP_MAPPED_POOL), so what was passed over shows in the method's address. That an
 * empty line should be let pass (RFC 9112, section 2.2) is given up for it.
 */
static bool is_first_in_pool(const char *method) {
    long page = sysconf(_SC_PAGESIZE);
    return page > 0 && (uintptr_t)method % (uintptr_t)page == 0;
}

burn_http_framing burn_http_check_framing(
    const burn_http_request *request, const burn_http_lines *lines, bool *has_length, uint64_t *length
) {
    const char *method = lines->method, *version = lines->version;
    size_t hosts = 0, encodings = 0;
    const char *encoding = NULL;
    *has_length = false;
    size_t limit = request->server->options.header_bytes;
    if (strlen(request->target) > limit / 4) return BURN_HTTP_LONG_TARGET;
    if (lines->size == 0 || lines->size > limit) return BURN_HTTP_LARGE_HEADER;
    if (!is_first_in_pool(method)) return BURN_HTTP_BYTES_BEFORE;
    if (!is_token(method)) return BURN_HTTP_BAD_REQUEST_LINE;
    bool is_old = strcmp(version, "HTTP/1.0") == 0;
    if (!is_old && strcmp(version, "HTTP/1.1") != 0) return BURN_HTTP_UNKNOWN_VERSION;
    for (size_t i = 0; i < lines->count; i++) {
        const char *name = lines->fields[i].name, *value = lines->fields[i].value;
        if (!is_token(name) || !is_field_value(value)) return BURN_HTTP_BAD_FIELD;
        if (strcasecmp(name, "Content-Length") == 0) {
            if (*has_length || !parse_length(value, length)) return BURN_HTTP_BAD_LENGTH;
            *has_length = true;
        } else if (strcasecmp(name, "Transfer-Encoding") == 0) {
            encodings++;
            encoding = value;
        } else if (strcasecmp(name, "Host") == 0) {
            if (*value == 0) return BURN_HTTP_BAD_HOST;
            hosts++;
        } else if (strcasecmp(name, "Expect") == 0 && strcasecmp(value, "100-continue") != 0) {
            return BURN_HTTP_BAD_EXPECT;
        }
    }
    if (encodings > 0 && *has_length) return BURN_HTTP_LENGTH_AND_ENCODING;
    if (encodings > 1) return BURN_HTTP_UNKNOWN_ENCODING;
    if (encodings == 1)
        return strcasecmp(encoding, "chunked") == 0 ? BURN_HTTP_CHUNKED : BURN_HTTP_UNKNOWN_ENCODING;
    if (hosts > 1 || (hosts == 0 && !is_old)) return BURN_HTTP_BAD_HOST;
    if (!lines_are_whole(request, lines)) return BURN_HTTP_BAD_REQUEST_LINE;
    return BURN_HTTP_FRAMING_OK;
}
