#define _GNU_SOURCE
#include "burn_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct burn_client {
    int descriptor;
    int64_t deadline;
    gnutls_certificate_credentials_t trust;
    gnutls_session_t session;
};

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* Whether the socket is ready before the deadline; else errno says why. */
static bool wait_for(const struct burn_client *client, short events) {
    for (;;) {
        int64_t left = client->deadline - now();
        if (left <= 0) {
            errno = ETIMEDOUT;
            return false;
        }
        struct pollfd entry = {.fd = client->descriptor, .events = events};
        int count = poll(&entry, 1, (int)left);
        if (count > 0) return true;
        if (count < 0 && errno != EINTR) return false;
    }
}

static ssize_t pull(gnutls_transport_ptr_t pointer, void *bytes, size_t length) {
    struct burn_client *client = pointer;
    for (;;) {
        ssize_t count = recv(client->descriptor, bytes, length, 0);
        if (count >= 0 || (errno != EAGAIN && errno != EINTR)) return count;
        if (!wait_for(client, POLLIN)) return -1;
    }
}

static ssize_t push(gnutls_transport_ptr_t pointer, const void *bytes, size_t length) {
    struct burn_client *client = pointer;
    for (;;) {
        ssize_t count = send(client->descriptor, bytes, length, MSG_NOSIGNAL);
        if (count >= 0 || (errno != EAGAIN && errno != EINTR)) return count;
        if (!wait_for(client, POLLOUT)) return -1;
    }
}

static int pull_timeout(gnutls_transport_ptr_t pointer, unsigned milliseconds) {
    struct burn_client *client = pointer;
    struct pollfd entry = {.fd = client->descriptor, .events = POLLIN};
    int64_t left = client->deadline - now();
    if (left < 0) left = 0;
    return poll(&entry, 1, (int64_t)milliseconds < left ? (int)milliseconds : (int)left);
}

/* The first of the host's addresses that answers. */
static bool connect_socket(struct burn_client *client, const char *host, uint16_t port, char *text, size_t capacity) {
    char service[8];
    snprintf(service, sizeof service, "%u", (unsigned)port);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    int status = getaddrinfo(host, service, &hints, &found);
    if (status != 0) {
        snprintf(text, capacity, "its address is not found: %s", gai_strerror(status));
        return false;
    }
    int64_t whole = client->deadline;
    for (struct addrinfo *entry = found; entry != NULL && client->descriptor < 0; entry = entry->ai_next) {
        /* One that swallows packets leaves the others time. */
        client->deadline = entry->ai_next == NULL ? whole : now() + (whole - now()) / 2;
        client->descriptor =
            socket(entry->ai_family, entry->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, entry->ai_protocol);
        if (client->descriptor < 0) continue;
        int fault = connect(client->descriptor, entry->ai_addr, entry->ai_addrlen) == 0 ? 0 : errno;
        if (fault == EINPROGRESS) {
            socklen_t size = sizeof fault;
            if (!wait_for(client, POLLOUT)) fault = errno;
            else if (getsockopt(client->descriptor, SOL_SOCKET, SO_ERROR, &fault, &size) != 0) fault = errno;
        }
        if (fault == 0) break;
        errno = fault;
        close(client->descriptor);
        client->descriptor = -1;
        errno = fault;
    }
    if (client->descriptor < 0) snprintf(text, capacity, "no connection: %s", strerror(errno));
    client->deadline = whole;
    freeaddrinfo(found);
    return client->descriptor >= 0;
}

static bool is_address(const char *host) {
    unsigned char bytes[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

static bool fail(const struct burn_client *client, int status, char *text, size_t capacity) {
    if (now() >= client->deadline) snprintf(text, capacity, "no answer in time");
    else snprintf(text, capacity, "TLS: %s", gnutls_strerror(status));
    return false;
}

static bool begin_tls(struct burn_client *client, const char *host, const char *trust, char *text, size_t capacity) {
    int status = gnutls_certificate_allocate_credentials(&client->trust);
    if (status < 0) return fail(client, status, text, capacity);
    (void)gnutls_certificate_set_x509_system_trust(client->trust);
    if (trust != NULL) {
        status = gnutls_certificate_set_x509_trust_file(client->trust, trust, GNUTLS_X509_FMT_PEM);
        if (status < 0) return fail(client, status, text, capacity);
    }
    if ((status = gnutls_init(&client->session, GNUTLS_CLIENT)) < 0
        || (status = gnutls_priority_set_direct(client->session, "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2", NULL)) < 0
        || (status = gnutls_credentials_set(client->session, GNUTLS_CRD_CERTIFICATE, client->trust)) < 0
        || (!is_address(host)
            && (status = gnutls_server_name_set(client->session, GNUTLS_NAME_DNS, host, strlen(host))) < 0))
        return fail(client, status, text, capacity);
    gnutls_session_set_verify_cert(client->session, host, 0);
    gnutls_transport_set_ptr(client->session, client);
    gnutls_transport_set_pull_function(client->session, pull);
    gnutls_transport_set_push_function(client->session, push);
    gnutls_transport_set_pull_timeout_function(client->session, pull_timeout);
    do {
        status = gnutls_handshake(client->session);
    } while (status < 0 && !gnutls_error_is_fatal(status));
    if (status >= 0) return true;
    gnutls_datum_t reason = {0};
    if (status == GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR
        && gnutls_certificate_verification_status_print(
               gnutls_session_get_verify_cert_status(client->session), GNUTLS_CRT_X509, &reason, 0) >= 0) {
        snprintf(text, capacity, "its certificate: %.*s", (int)reason.size, reason.data);
        gnutls_free(reason.data);
        return false;
    }
    return fail(client, status, text, capacity);
}

struct burn_client *burn_client_open(const char *host, uint16_t port, bool tls, const char *trust, int milliseconds,
                                     char *text, size_t capacity) {
    struct burn_client *client = calloc(1, sizeof *client);
    if (client == NULL) {
        snprintf(text, capacity, "no memory");
        return NULL;
    }
    client->descriptor = -1;
    client->deadline = now() + milliseconds;
    if (connect_socket(client, host, port, text, capacity) && (!tls || begin_tls(client, host, trust, text, capacity)))
        return client;
    burn_client_close(client);
    return NULL;
}

int burn_client_send(struct burn_client *client, const void *bytes, size_t length, char *text, size_t capacity) {
    const char *rest = bytes;
    while (length > 0) {
        ssize_t count = client->session != NULL ? gnutls_record_send(client->session, rest, length)
                                                : push(client, rest, length);
        if (count < 0 && client->session != NULL && !gnutls_error_is_fatal((int)count)) continue;
        if (count <= 0) {
            if (client->session != NULL) (void)fail(client, (int)count, text, capacity);
            else snprintf(text, capacity, "sending: %s", strerror(errno));
            return -1;
        }
        rest += count;
        length -= (size_t)count;
    }
    return 0;
}

ssize_t burn_client_receive(struct burn_client *client, void *bytes, size_t length, char *text, size_t capacity) {
    if (client->session == NULL) {
        ssize_t count = pull(client, bytes, length);
        if (count < 0) snprintf(text, capacity, errno == ETIMEDOUT ? "no answer in time" : "receiving: %s", strerror(errno));
        return count;
    }
    for (;;) {
        ssize_t count = gnutls_record_recv(client->session, bytes, length);
        /* Many servers close without saying so; what was read until then counts. */
        if (count >= 0 || count == GNUTLS_E_PREMATURE_TERMINATION) return count < 0 ? 0 : count;
        if (!gnutls_error_is_fatal((int)count)) {
            if (now() < client->deadline) continue;
        }
        (void)fail(client, (int)count, text, capacity);
        return -1;
    }
}

void burn_client_close(struct burn_client *client) {
    if (client->session != NULL) gnutls_deinit(client->session);
    if (client->trust != NULL) gnutls_certificate_free_credentials(client->trust);
    if (client->descriptor >= 0) close(client->descriptor);
    free(client);
}
