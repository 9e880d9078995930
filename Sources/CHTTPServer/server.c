/* Starting and stopping. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "internal.h"

static int listen_on(const char *host, uint16_t port, uint16_t *bound) {
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    bool is_v4 = inet_pton(AF_INET, host, &v4.sin_addr) == 1;
    if (!is_v4 && inet_pton(AF_INET6, host, &v6.sin6_addr) != 1) {
        errno = EINVAL;
        return -1;
    }
    struct sockaddr *address = is_v4 ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6;
    socklen_t size = is_v4 ? sizeof v4 : sizeof v6;
    int on = 1;
    int fd = socket(is_v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -1;
    bool ready = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 && bind(fd, address, size) == 0
        && listen(fd, SOMAXCONN) == 0 && getsockname(fd, address, &size) == 0;
    if (!ready) {
        int reason = errno;
        close(fd);
        errno = reason;
        return -1;
    }
    *bound = ntohs(is_v4 ? v4.sin_port : v6.sin6_port);
    return fd;
}

/* Percent signs stay: Swift decodes the raw target itself, segment by segment. */
static size_t keep_encoded(void *context, struct MHD_Connection *mhd, char *text) {
    (void)context, (void)mhd;
    return strlen(text);
}

static void log_nothing(void *context, const char *format, va_list arguments) {
    (void)context, (void)format, (void)arguments;
}

static struct MHD_Daemon *start_daemon(burn_http_server *server) {
    const burn_http_options *options = &server->options;
    unsigned flags = MHD_USE_AUTO_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_NO_LISTEN_SOCKET
        | MHD_USE_ERROR_LOG;
    if (strchr(options->host, ':') != NULL) flags |= MHD_USE_IPv6;
    return MHD_start_daemon(
        flags, 0, NULL, NULL, burn_http_on_request, server,
        MHD_OPTION_EXTERNAL_LOGGER, log_nothing, NULL,
        MHD_OPTION_THREAD_POOL_SIZE, options->threads < 2 ? 2u : (unsigned)options->threads,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)options->maximum_connections + 64u,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)options->maximum_connections_per_address,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, options->header_bytes,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)options->idle_timeout_s,
        MHD_OPTION_UNESCAPE_CALLBACK, keep_encoded, NULL,
        MHD_OPTION_URI_LOG_CALLBACK, burn_http_on_target, server,
        MHD_OPTION_NOTIFY_COMPLETED, burn_http_on_completed, server,
        MHD_OPTION_NOTIFY_CONNECTION, burn_http_on_connection, server,
        MHD_OPTION_END);
}

static void destroy(burn_http_server *server) {
    if (server->listener >= 0) close(server->listener);
    if (server->wake[0] >= 0) close(server->wake[0]);
    if (server->wake[1] >= 0) close(server->wake[1]);
    for (size_t i = 0; i < server->leaving_count; i++) close(server->leaving[i]);
    pthread_mutex_destroy(&server->registry);
    pthread_mutex_destroy(&server->suspension);
    pthread_cond_destroy(&server->all_resumed);
    free(server);
}

burn_http_server *burn_http_start(const burn_http_options *options, const burn_http_callbacks *callbacks) {
    burn_http_server *server = calloc(1, sizeof *server);
    if (server == NULL) return NULL;
    server->options = *options;
    server->callbacks = *callbacks;
    server->listener = server->wake[0] = server->wake[1] = -1;
    pthread_mutex_init(&server->registry, NULL);
    pthread_mutex_init(&server->suspension, NULL);
    pthread_cond_init(&server->all_resumed, NULL);
    server->listener = listen_on(options->host, options->port, &server->port);
    bool ready = server->listener >= 0 && pipe2(server->wake, O_CLOEXEC | O_NONBLOCK) == 0;
    if (ready) {
        server->daemon = start_daemon(server);
        server->options.host = NULL; /* the caller's string */
        ready = server->daemon != NULL;
    }
    if (ready && pthread_create(&server->keeper, NULL, burn_http_keeper, server) != 0) {
        MHD_stop_daemon(server->daemon);
        ready = false;
    }
    if (ready) return server;
    int reason = errno;
    destroy(server);
    errno = reason;
    return NULL;
}

uint16_t burn_http_port(const burn_http_server *server) { return server->port; }

size_t burn_http_connections(burn_http_server *server) {
    pthread_mutex_lock(&server->registry);
    size_t count = server->connection_count;
    pthread_mutex_unlock(&server->registry);
    return count;
}

void burn_http_drain(burn_http_server *server) {
    pthread_mutex_lock(&server->registry);
    server->draining = true;
    pthread_mutex_unlock(&server->registry);
    burn_http_wake(server);
}

void burn_http_sever(burn_http_server *server) {
    pthread_mutex_lock(&server->registry);
    for (connection *peer = server->connections; peer != NULL; peer = peer->next)
        shutdown(peer->fd, SHUT_RDWR);
    pthread_mutex_unlock(&server->registry);
}

void burn_http_stop(burn_http_server *server) {
    pthread_mutex_lock(&server->registry);
    server->draining = server->stopping = true;
    pthread_mutex_unlock(&server->registry);
    burn_http_wake(server);
    pthread_join(server->keeper, NULL);
    /* libmicrohttpd aborts the process when it is stopped with a suspended connection. */
    pthread_mutex_lock(&server->suspension);
    server->closed = true;
    while (server->suspended_count > 0) pthread_cond_wait(&server->all_resumed, &server->suspension);
    pthread_mutex_unlock(&server->suspension);
    MHD_stop_daemon(server->daemon);
    destroy(server);
}
