/*
 * A narrow HTTP/1.1 server over libmicrohttpd. All variadic calls, connection pointers and the framing
 * gate live on this side; Swift sees heads, body bytes and replies.
 *
 * Life of a request (the connection is suspended whenever Swift owes an answer):
 *   begin    -> burn_http_read_body or burn_http_reply, once, from any thread
 *   body     -> consume, or burn_http_suspend and later burn_http_resume
 *   complete -> burn_http_reply, once, from any thread
 *   read     -> fill, or burn_http_suspend and later burn_http_resume  (streamed replies only)
 *   end      -> the request is gone; its pointer must not be used any more
 */
#ifndef BURN_HTTP_H
#define BURN_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct burn_http_server burn_http_server;
typedef struct burn_http_request burn_http_request;

/* A header field: two C strings. */
typedef struct {
    const char *name;
    const char *value;
} burn_http_field;

/* Why the framing gate refuses a request before any handler sees it. */
typedef enum {
    BURN_HTTP_FRAMING_OK = 0,
    BURN_HTTP_LENGTH_AND_ENCODING,  /* Content-Length beside Transfer-Encoding */
    BURN_HTTP_BAD_LENGTH,           /* not one plain decimal number */
    BURN_HTTP_CHUNKED,              /* chunked body: a length is required */
    BURN_HTTP_UNKNOWN_ENCODING,     /* a transfer coding other than chunked */
    BURN_HTTP_BAD_FIELD,            /* name not a token, control byte in a value, folded or cut line */
    BURN_HTTP_BAD_REQUEST_LINE,     /* extra spaces, zero bytes, bare line feed */
    BURN_HTTP_BYTES_BEFORE,         /* something stands before the request line */
    BURN_HTTP_UNKNOWN_VERSION,      /* neither HTTP/1.1 nor HTTP/1.0 */
    BURN_HTTP_BAD_HOST,             /* Host missing, twice, or empty */
    BURN_HTTP_BAD_EXPECT,           /* an Expect other than 100-continue */
    BURN_HTTP_LONG_TARGET,          /* a request target of more than a quarter of header_bytes */
    BURN_HTTP_LARGE_HEADER,         /* a header section of more than header_bytes */
} burn_http_framing;

/* What begin is told. Every pointer is valid during the call only. */
typedef struct {
    burn_http_framing framing;
    const char *method;
    const char *target;
    const burn_http_field *fields;
    size_t field_count;
    bool has_length;
    uint64_t length;
    const char *remote_address;
} burn_http_head;

typedef struct {
    void *context;
    /* Returns the object passed to the other callbacks; called on an event thread, must not block. */
    void *(*begin)(void *context, burn_http_request *request, const burn_http_head *head);
    /* Returns the bytes consumed; fewer than length only after burn_http_suspend. -1: refuse the rest. */
    ssize_t (*body)(void *exchange, const void *bytes, size_t length);
    void (*complete)(void *exchange);
    /* Returns bytes written to buffer; 0 only after burn_http_suspend; -1 at the end, -2 on failure. */
    ssize_t (*read)(void *exchange, void *buffer, size_t capacity);
    /* The peer of a suspended streamed reply, or of a body that is not answered yet, has closed. The exchange is still
     * alive. May be called again. */
    void (*gone)(void *exchange);
    /* Last call for an exchange: completed tells whether the whole reply was handed to the kernel. */
    void (*end)(void *exchange, bool completed);
} burn_http_callbacks;

/* How a head lies in memory, for the tests of what proves the framing gate. */
typedef enum {
    BURN_HTTP_LAYOUT_REAL = 0,  /* as libmicrohttpd left it */
    BURN_HTTP_LAYOUT_SCATTERED, /* every line somewhere else */
    BURN_HTTP_LAYOUT_COMPACT,   /* line after line, whatever stood between them */
    BURN_HTTP_LAYOUT_ALTERED,   /* likewise, with another target */
} burn_http_layout;

typedef struct {
    const char *host; /* a numeric IPv4 or IPv6 address */
    uint16_t port;
    uint32_t threads;
    uint32_t maximum_connections;
    uint32_t maximum_connections_per_address; /* 0: no limit */
    const char *const *unlimited_addresses;   /* numeric; not held to the limit per address */
    size_t unlimited_address_count;
    /* PEM text of the certificate chain and of its private key; both NULL: no TLS. */
    const char *certificate, *private_key;
    size_t header_bytes;
    uint32_t header_deadline_ms;
    uint32_t idle_timeout_s;
    uint64_t minimum_upload_rate; /* bytes per second */
    burn_http_layout simulated_layout;
} burn_http_options;

/* The version of libmicrohttpd that runs. */
const char *burn_http_library_version(void);

/* Whether the library was built with TLS. */
bool burn_http_has_tls(void);
/* Starts listening. NULL on failure with errno set; EBADMSG: the certificate or its key is not usable. */
burn_http_server *burn_http_start(const burn_http_options *options, const burn_http_callbacks *callbacks);
uint16_t burn_http_port(const burn_http_server *server);
/* Connections that are open now. */
size_t burn_http_connections(burn_http_server *server);
/* Connections closed at once because their address had too many. */
uint64_t burn_http_rejected_connections(burn_http_server *server);
/* Closes the listening socket and lets idle connections go; open requests go on. */
void burn_http_drain(burn_http_server *server);
/* Cuts every connection that is left. Suspended requests must still be answered. */
void burn_http_sever(burn_http_server *server);
/* Waits until no connection is suspended, stops every thread, frees. Blocks. */
void burn_http_stop(burn_http_server *server);

/* Answers begin: the body may come. */
void burn_http_read_body(burn_http_request *request);

typedef enum { BURN_HTTP_BYTES, BURN_HTTP_FILE, BURN_HTTP_STREAM } burn_http_reply_kind;

typedef struct {
    unsigned status;
    const burn_http_field *fields; /* C strings without control bytes */
    size_t field_count;
    bool close; /* close the connection after the reply */
    burn_http_reply_kind kind;
    const void *bytes; /* BYTES: copied */
    uint64_t length;   /* BYTES, FILE */
    int descriptor;    /* FILE: closed by the server, also on failure */
    uint64_t offset;   /* FILE */
} burn_http_reply_body;

/* Answers begin or complete. False when memory ran out: the connection is closed instead. */
bool burn_http_reply(burn_http_request *request, const burn_http_reply_body *reply);

/* Inside body, before -1: a whole HTTP reply that is sent, over TLS where that is on, before the connection
   closes. libmicrohttpd takes no reply in mid-body, so this goes around it. */
void burn_http_refuse(burn_http_request *request, const void *bytes, size_t length);

/* Inside body and read: stop until resume. False while stopping: fail instead. */
bool burn_http_suspend(burn_http_request *request);
void burn_http_resume(burn_http_request *request);

#endif
