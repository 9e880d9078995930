/*
 * The monitor: one thread that accepts connections, closes those past their deadlines, notices peers that
 * left a suspended stream or an unanswered upload, and lingers on sockets whose upload was refused. Accepting
 * here rather than in libmicrohttpd avoids MHD_quiesce_daemon, which can race with its event threads and abort
 * the process.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "internal.h"

enum { LINGER_IDLE_MS = 2000, LINGER_TOTAL_MS = 10000, SWEEP_MS = 500, DRAIN_SWEEP_MS = 20 };

int64_t burn_http_now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void burn_http_wake(burn_http_server *server) {
    char byte = 0;
    /* A full pipe wakes the monitor just as well. */
    if (write(server->wake[1], &byte, 1) < 0) return;
}

static void print_address(const struct sockaddr *address, socklen_t size, char text[INET6_ADDRSTRLEN]) {
    if (getnameinfo(address, size, text, INET6_ADDRSTRLEN, NULL, 0, NI_NUMERICHOST) != 0) text[0] = 0;
    /* An IPv4 peer of a socket that listens on IPv6. */
    if (strncmp(text, "::ffff:", 7) == 0 && strchr(text, '.') != NULL)
        memmove(text, text + 7, strlen(text + 7) + 1);
}

void burn_http_on_connection(
    void *context, struct MHD_Connection *mhd, void **slot, enum MHD_ConnectionNotificationCode code
) {
    burn_http_server *server = context;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
        const union MHD_ConnectionInfo *address =
            MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
        connection *peer = fd == NULL ? NULL : calloc(1, sizeof *peer);
        *slot = peer;
        if (peer == NULL) return; /* its requests are refused in on_target */
        peer->server = server;
        peer->fd = fd->connect_fd;
        peer->head_deadline = burn_http_now_ms() + server->options.header_deadline_ms;
        if (address != NULL && address->client_addr != NULL) {
            socklen_t size = address->client_addr->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                                                         : sizeof(struct sockaddr_in);
            print_address(address->client_addr, size, peer->address);
        }
        pthread_mutex_lock(&server->registry);
        peer->next = server->connections;
        if (peer->next != NULL) peer->next->previous = peer;
        server->connections = peer;
        server->connection_count++;
        pthread_mutex_unlock(&server->registry);
        return;
    }
    connection *peer = *slot;
    *slot = NULL;
    if (peer == NULL) return;
    /* libmicrohttpd has ended its sending side and is about to close. Bytes that were not read, or that are
       still to come, would turn this into a reset and destroy the reply on its way: keep a duplicate. */
    int unread = 0;
    bool linger = peer->linger || (ioctl(peer->fd, FIONREAD, &unread) == 0 && unread > 0);
    pthread_mutex_lock(&server->registry);
    if (peer->previous != NULL) peer->previous->next = peer->next;
    else server->connections = peer->next;
    if (peer->next != NULL) peer->next->previous = peer->previous;
    server->connection_count--;
    if (linger && server->leaving_count < LINGERING_MAXIMUM && !server->stopping) {
        int fd = fcntl(peer->fd, F_DUPFD_CLOEXEC, 0);
        if (fd >= 0) server->leaving[server->leaving_count++] = fd;
    }
    pthread_mutex_unlock(&server->registry);
    free(peer);
    burn_http_wake(server);
}

static bool is_limited(const burn_http_server *server, const char *address) {
    if (server->options.maximum_connections_per_address == 0) return false;
    for (size_t i = 0; i < server->options.unlimited_address_count; i++)
        if (strcmp(server->unlimited[i], address) == 0) return false;
    return true;
}

/*
 * The limit of one address. libmicrohttpd's own knows no exceptions, and a proxy's connections are those of
 * all of its clients.
 */
static bool address_is_full(burn_http_server *server, const struct sockaddr *address, socklen_t size) {
    char text[INET6_ADDRSTRLEN];
    print_address(address, size, text);
    if (!is_limited(server, text)) return false;
    size_t count = 0;
    pthread_mutex_lock(&server->registry);
    for (const connection *peer = server->connections; peer != NULL; peer = peer->next)
        if (strcmp(peer->address, text) == 0) count++;
    bool full = count >= server->options.maximum_connections_per_address;
    if (full) server->rejected_connections++;
    pthread_mutex_unlock(&server->registry);
    return full;
}

/* False when the process is out of descriptors or memory for now. */
static bool accept_connections(burn_http_server *server) {
    for (int i = 0; i < 64; i++) {
        struct sockaddr_storage address;
        socklen_t size = sizeof address;
        int fd = accept4(
            server->listener, (struct sockaddr *)&address, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0) return errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM;
        if (address_is_full(server, (struct sockaddr *)&address, size)) {
            close(fd);
            continue;
        }
        /* Takes the socket in any case. */
        (void)MHD_add_connection(server->daemon, fd, (struct sockaddr *)&address, size);
    }
    return true;
}

/* A socket whose reply is out, kept open so that unread upload bytes do not reset the connection. */
typedef struct {
    int fd;
    int64_t idle_deadline, deadline;
} lingering_socket;

typedef struct {
    lingering_socket sockets[LINGERING_MAXIMUM];
    size_t count;
} lingering_list;

/* Reads and drops what still comes; true when the socket is done. */
static bool linger_is_over(lingering_socket *socket, int64_t now) {
    char scratch[16 << 10];
    for (int i = 0; i < 16; i++) {
        ssize_t count = recv(socket->fd, scratch, sizeof scratch, MSG_DONTWAIT);
        if (count == 0) return true;
        if (count < 0) {
            if (errno != EAGAIN && errno != EINTR) return true;
            break;
        }
        socket->idle_deadline = now + LINGER_IDLE_MS;
    }
    return now >= socket->idle_deadline || now >= socket->deadline;
}

static void linger(lingering_list *list, int64_t now) {
    for (size_t i = 0; i < list->count;) {
        if (linger_is_over(&list->sockets[i], now)) {
            close(list->sockets[i].fd);
            list->sockets[i] = list->sockets[--list->count];
        } else {
            i++;
        }
    }
}

/* Takes over the sockets that event threads left; called with the registry locked. */
static void take_leaving(burn_http_server *server, lingering_list *list, int64_t now) {
    for (size_t i = 0; i < server->leaving_count; i++) {
        if (list->count < LINGERING_MAXIMUM)
            list->sockets[list->count++] =
                (lingering_socket){server->leaving[i], now + LINGER_IDLE_MS, now + LINGER_TOTAL_MS};
        else close(server->leaving[i]);
    }
    server->leaving_count = 0;
}

static bool peer_left(int fd) {
    struct pollfd state = {.fd = fd, .events = POLLRDHUP};
    return poll(&state, 1, 0) > 0 && (state.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

static bool too_slow(const burn_http_server *server, const connection *peer, int64_t now) {
    if (peer->body_started == 0 || peer->request == NULL || peer->request->suspended) return false;
    int64_t elapsed = now - peer->body_started - server->options.header_deadline_ms;
    return elapsed > 0
        && peer->request->received < server->options.minimum_upload_rate * (uint64_t)elapsed / 1000;
}

/* Closing is left to the connection's event thread: shutting the socket down wakes it. */
static void sweep(burn_http_server *server, int64_t now) {
    for (connection *peer = server->connections; peer != NULL; peer = peer->next) {
        bool expired = peer->head_deadline != 0 && now >= peer->head_deadline;
        if (expired || too_slow(server, peer, now))
            shutdown(peer->fd, SHUT_RDWR);
        else if (server->draining && peer->request == NULL)
            shutdown(peer->fd, SHUT_RD);
        else if (peer->request != NULL && peer->request->exchange != NULL
                 && (peer->request->streamed || (peer->request->answering && peer->request->suspended))
                 && peer_left(peer->fd))
            server->callbacks.gone(peer->request->exchange);
    }
}

void *burn_http_monitor(void *context) {
    burn_http_server *server = context;
    lingering_list lingering = {.count = 0};
    struct pollfd polled[2 + LINGERING_MAXIMUM];
    int64_t next_sweep = 0, next_accept = 0;
    for (;;) {
        int64_t now = burn_http_now_ms();
        pthread_mutex_lock(&server->registry);
        bool stopping = server->stopping, draining = server->draining;
        bool full = server->connection_count >= server->options.maximum_connections;
        take_leaving(server, &lingering, now);
        if (now >= next_sweep) {
            sweep(server, now);
            next_sweep = now + (draining ? DRAIN_SWEEP_MS : SWEEP_MS);
        }
        pthread_mutex_unlock(&server->registry);
        if (stopping) break;
        if (draining && server->listener >= 0) {
            close(server->listener);
            server->listener = -1;
        }
        linger(&lingering, now);

        bool accepting = !full && now >= next_accept;
        polled[0] = (struct pollfd){.fd = server->wake[0], .events = POLLIN};
        polled[1] = (struct pollfd){.fd = accepting ? server->listener : -1, .events = POLLIN};
        for (size_t i = 0; i < lingering.count; i++)
            polled[2 + i] = (struct pollfd){.fd = lingering.sockets[i].fd, .events = POLLIN};
        (void)poll(polled, 2 + lingering.count, (int)(next_sweep - now));

        char scratch[256];
        while (read(server->wake[0], scratch, sizeof scratch) > 0) continue;
        if ((polled[1].revents & POLLIN) != 0 && !accept_connections(server))
            next_accept = burn_http_now_ms() + SWEEP_MS;
    }
    for (size_t i = 0; i < lingering.count; i++) close(lingering.sockets[i].fd);
    return NULL;
}
