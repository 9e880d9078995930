/* Shared by the shim's C files. */
#ifndef BURN_HTTP_INTERNAL_H
#define BURN_HTTP_INTERNAL_H

#include <microhttpd.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>

#include "burn_http.h"

enum { LINGERING_MAXIMUM = 256 };

/* Connections' pools that are larger than 32 KiB are mapped, so each begins a page; the framing gate rests on it. */
enum { BURN_HTTP_MAPPED_POOL = 36 << 10 };

/* One TCP connection, in the server's list from accept to close; guarded by server->registry. */
typedef struct connection {
    struct connection *previous, *next;
    burn_http_server *server;
    int fd;
    char address[INET6_ADDRSTRLEN];
    int64_t head_deadline; /* 0 while a request is being served */
    int64_t body_started;  /* 0 outside a body */
    burn_http_request *request;
    bool linger;
} connection;

typedef enum { REQUEST_LINE, DECIDING, BODY, ANSWERING, REPLYING } request_phase;

struct burn_http_request {
    burn_http_server *server;
    struct MHD_Connection *mhd;
    connection *connection;
    void *exchange;
    request_phase phase;
    char *target;          /* the raw request target */
    const char *target_at; /* where it stood in the connection's buffer, for the framing gate */
    uint64_t received;     /* body bytes; guarded by server->registry */
    struct MHD_Response *response;
    unsigned status;
    bool read_body, close;
    _Atomic bool streamed;
    _Atomic bool answering; /* the body is there, the answer is not */
    _Atomic bool suspended; /* written under server->suspension */
};

struct burn_http_server {
    struct MHD_Daemon *daemon;
    burn_http_callbacks callbacks;
    burn_http_options options;
    char **unlimited; /* a copy of options.unlimited_addresses */
    uint16_t port;
    int listener;
    int wake[2];
    pthread_t monitor;

    pthread_mutex_t registry;
    connection *connections;
    size_t connection_count;
    uint64_t rejected_connections;
    bool draining, stopping;
    int leaving[LINGERING_MAXIMUM]; /* duplicates of closed sockets, for the monitor to linger on */
    size_t leaving_count;

    pthread_mutex_t suspension;
    pthread_cond_t all_resumed;
    size_t suspended_count;
    bool closed; /* no further suspension */
};

int64_t burn_http_now_ms(void);
void burn_http_wake(burn_http_server *server);
void *burn_http_monitor(void *server);

/* A request's head as libmicrohttpd cut it: where in the connection's buffer each part lies. */
typedef struct {
    const char *method, *target, *version;
    burn_http_field *fields; /* in order */
    size_t count;
    size_t size; /* of the whole head; 0: not known */
} burn_http_lines;

/* The framing gate. */
burn_http_framing burn_http_check_framing(
    const burn_http_request *request, const burn_http_lines *lines, bool *has_length, uint64_t *length);
/* Lays the head out in other memory, as another version of libmicrohttpd might; in the buffer the target is cut at its
   query by now, so that it comes as `target`. NULL: memory ran out. To be freed. */
void *burn_http_simulate_layout(burn_http_layout layout, burn_http_lines *lines, const char *target);

/* libmicrohttpd's callbacks. */
void *burn_http_on_target(void *server, const char *target, struct MHD_Connection *mhd);
enum MHD_Result burn_http_on_request(
    void *server, struct MHD_Connection *mhd, const char *url, const char *method, const char *version,
    const char *upload, size_t *upload_size, void **request);
void burn_http_on_completed(
    void *server, struct MHD_Connection *mhd, void **request, enum MHD_RequestTerminationCode code);
void burn_http_on_connection(
    void *server, struct MHD_Connection *mhd, void **context, enum MHD_ConnectionNotificationCode code);

#endif
