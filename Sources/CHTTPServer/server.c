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

const char *burn_http_library_version(void) { return MHD_get_version(); }

bool burn_http_has_tls(void) { return MHD_is_feature_supported(MHD_FEATURE_TLS) == MHD_YES; }

/* TLS 1.2 with forward secrecy and authenticated ciphers, and TLS 1.3. */
static const char tls_priorities[] =
    "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-RSA:-CIPHER-ALL:+AES-256-GCM:+AES-128-GCM:+CHACHA20-POLY1305";

static struct MHD_Daemon *start_daemon(burn_http_server *server) {
    const burn_http_options *options = &server->options;
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)options->certificate},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)options->private_key},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)tls_priorities},
        {MHD_OPTION_END, 0, NULL},
    };
    struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};
    bool is_tls = options->certificate != NULL;
    /* Twice what the gate lets pass: the gate's refusal is a problem document, the library's is HTML. */
    size_t pool = 2 * options->header_bytes;
    if (pool < BURN_HTTP_MAPPED_POOL) pool = BURN_HTTP_MAPPED_POOL;
    unsigned flags = MHD_USE_AUTO_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_NO_LISTEN_SOCKET
        | MHD_USE_ERROR_LOG;
    if (strchr(options->host, ':') != NULL) flags |= MHD_USE_IPv6;
    if (is_tls) flags |= MHD_USE_TLS;
    return MHD_start_daemon(
        flags, 0, NULL, NULL, burn_http_on_request, server,
        MHD_OPTION_EXTERNAL_LOGGER, log_nothing, NULL,
        MHD_OPTION_THREAD_POOL_SIZE, options->threads < 2 ? 2u : (unsigned)options->threads,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)options->maximum_connections + 64u,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, pool,
        MHD_OPTION_ARRAY, is_tls ? tls : none,
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
    for (size_t i = 0; server->unlimited != NULL && i < server->options.unlimited_address_count; i++)
        free(server->unlimited[i]);
    free(server->unlimited);
    free(server);
}

/* Keeps what the caller's options point to, as far as it is needed later. */
static bool copy_addresses(burn_http_server *server, const burn_http_options *options) {
    server->unlimited = calloc(options->unlimited_address_count + 1, sizeof *server->unlimited);
    for (size_t i = 0; server->unlimited != NULL && i < options->unlimited_address_count; i++) {
        server->unlimited[i] = strdup(options->unlimited_addresses[i]);
        if (server->unlimited[i] == NULL) return false;
    }
    return server->unlimited != NULL;
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
    bool ready = copy_addresses(server, options);
    if (ready) server->listener = listen_on(options->host, options->port, &server->port);
    ready = ready && server->listener >= 0 && pipe2(server->wake, O_CLOEXEC | O_NONBLOCK) == 0;
    if (ready) {
        errno = 0;
        server->daemon = start_daemon(server);
        ready = server->daemon != NULL;
        if (!ready && (errno == 0 || options->certificate != NULL)) errno = EBADMSG;
        /* The caller's strings. */
        server->options.host = server->options.certificate = server->options.private_key = NULL;
        server->options.unlimited_addresses = NULL;
    }
    if (ready && pthread_create(&server->monitor, NULL, burn_http_monitor, server) != 0) {
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

uint64_t burn_http_rejected_connections(burn_http_server *server) {
    pthread_mutex_lock(&server->registry);
    uint64_t count = server->rejected_connections;
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
    pthread_join(server->monitor, NULL);
    /* libmicrohttpd aborts the process when it is stopped with a suspended connection. */
    pthread_mutex_lock(&server->suspension);
    server->closed = true;
    while (server->suspended_count > 0) pthread_cond_wait(&server->all_resumed, &server->suspension);
    pthread_mutex_unlock(&server->suspension);
    MHD_stop_daemon(server->daemon);
    destroy(server);
}
