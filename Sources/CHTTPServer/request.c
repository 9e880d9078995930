/* One request's way through libmicrohttpd's callbacks. */
#define _GNU_SOURCE
#include <errno.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "internal.h"

void *burn_http_on_target(void *context, const char *target, struct MHD_Connection *mhd) {
    burn_http_server *server = context;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    if (info == NULL || info->socket_context == NULL || target == NULL) return NULL;
    burn_http_request *request = calloc(1, sizeof *request);
    if (request == NULL) return NULL;
    request->target = strdup(target);
    if (request->target == NULL) {
        free(request);
        return NULL;
    }
    request->server = server;
    request->mhd = mhd;
    request->target_at = target;
    request->connection = info->socket_context;
    pthread_mutex_lock(&server->registry);
    request->connection->request = request;
    request->connection->head_deadline = burn_http_now_ms() + server->options.header_deadline_ms;
    pthread_mutex_unlock(&server->registry);
    return request;
}

bool burn_http_suspend(burn_http_request *request) {
    burn_http_server *server = request->server;
    pthread_mutex_lock(&server->suspension);
    bool allowed = !server->closed && !request->suspended;
    if (allowed) {
        request->suspended = true;
        server->suspended_count++;
        MHD_suspend_connection(request->mhd);
    }
    pthread_mutex_unlock(&server->suspension);
    return allowed;
}

void burn_http_resume(burn_http_request *request) {
    burn_http_server *server = request->server;
    pthread_mutex_lock(&server->suspension);
    /* The flag makes a second resume harmless; after MHD_resume_connection the request may be gone. */
    if (request->suspended) {
        request->suspended = false;
        MHD_resume_connection(request->mhd);
        if (--server->suspended_count == 0) pthread_cond_broadcast(&server->all_resumed);
    }
    pthread_mutex_unlock(&server->suspension);
}

typedef struct {
    burn_http_field *fields;
    size_t count, capacity;
} field_list;

static enum MHD_Result append_field(
    void *context, enum MHD_ValueKind kind, const char *name, const char *value
) {
    (void)kind;
    field_list *list = context;
    if (list->count == list->capacity) return MHD_NO;
    list->fields[list->count++] = (burn_http_field){name, value == NULL ? "" : value};
    return MHD_YES;
}

static enum MHD_Result begin(burn_http_request *request, const char *method, const char *version) {
    burn_http_server *server = request->server;
    int capacity = MHD_get_connection_values(request->mhd, MHD_HEADER_KIND, NULL, NULL);
    if (capacity < 0) return MHD_NO;
    field_list list = {calloc((size_t)capacity + 1, sizeof(burn_http_field)), 0, (size_t)capacity};
    if (list.fields == NULL) return MHD_NO;
    MHD_get_connection_values(request->mhd, MHD_HEADER_KIND, append_field, &list);

    const union MHD_ConnectionInfo *size =
        MHD_get_connection_info(request->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    burn_http_lines lines = {
        method, request->target_at, version, list.fields, list.count, size == NULL ? 0 : size->header_size,
    };
    void *simulated = NULL;
    if (server->options.simulated_layout != BURN_HTTP_LAYOUT_REAL) {
        simulated = burn_http_simulate_layout(server->options.simulated_layout, &lines, request->target);
        if (simulated == NULL) {
            free(list.fields);
            return MHD_NO;
        }
    }

    burn_http_head head = {
        .method = lines.method,
        .target = simulated == NULL ? request->target : lines.target,
        .fields = list.fields,
        .field_count = list.count,
        .remote_address = request->connection->address,
    };
    head.framing = burn_http_check_framing(request, &lines, &head.has_length, &head.length);
    pthread_mutex_lock(&server->registry);
    request->connection->head_deadline = 0;
    pthread_mutex_unlock(&server->registry);
    request->phase = DECIDING;
    bool suspended = burn_http_suspend(request);
    if (suspended) {
        void *exchange = server->callbacks.begin(server->callbacks.context, request, &head);
        pthread_mutex_lock(&server->registry);
        request->exchange = exchange;
        pthread_mutex_unlock(&server->registry);
    }
    free(list.fields);
    free(simulated);
    return suspended ? MHD_YES : MHD_NO;
}

static enum MHD_Result send_reply(burn_http_request *request) {
    if (request->response == NULL) return MHD_NO;
    request->phase = REPLYING;
    request->answering = false;
    return MHD_queue_response(request->mhd, request->status, request->response);
}

static enum MHD_Result take_body(burn_http_request *request, const char *upload, size_t *size) {
    burn_http_server *server = request->server;
    if (*size == 0) {
        request->phase = ANSWERING;
        request->answering = true;
        pthread_mutex_lock(&server->registry);
        request->connection->body_started = 0;
        pthread_mutex_unlock(&server->registry);
        if (!burn_http_suspend(request)) return MHD_NO;
        server->callbacks.complete(request->exchange);
        return MHD_YES;
    }
    ssize_t taken = server->callbacks.body(request->exchange, upload, *size);
    if (taken < 0 || (size_t)taken > *size) return MHD_NO;
    pthread_mutex_lock(&server->registry);
    request->received += (uint64_t)taken;
    pthread_mutex_unlock(&server->registry);
    *size -= (size_t)taken;
    return MHD_YES;
}

enum MHD_Result burn_http_on_request(
    void *context, struct MHD_Connection *mhd, const char *url, const char *method, const char *version,
    const char *upload, size_t *upload_size, void **slot
) {
    (void)context, (void)mhd, (void)url;
    burn_http_request *request = *slot;
    if (request == NULL) return MHD_NO;
    switch (request->phase) {
    case REQUEST_LINE:
        return begin(request, method, version);
    case DECIDING:
        if (!request->read_body) {
            /* A reply queued in this first call always closes the connection. */
            if (request->close) return send_reply(request);
            request->phase = ANSWERING;
            return MHD_YES;
        }
        request->phase = BODY;
        pthread_mutex_lock(&request->server->registry);
        request->connection->body_started = burn_http_now_ms();
        pthread_mutex_unlock(&request->server->registry);
        return MHD_YES;
    case BODY:
        return take_body(request, upload, upload_size);
    case ANSWERING:
        return send_reply(request);
    case REPLYING:
        return MHD_YES;
    }
    return MHD_NO;
}

void burn_http_read_body(burn_http_request *request) {
    request->read_body = true;
    burn_http_resume(request);
}

static ssize_t read_stream(void *context, uint64_t position, char *buffer, size_t capacity) {
    (void)position;
    burn_http_request *request = context;
    ssize_t count = request->server->callbacks.read(request->exchange, buffer, capacity);
    if (count == -1) return MHD_CONTENT_READER_END_OF_STREAM;
    if (count < 0 || (size_t)count > capacity) return MHD_CONTENT_READER_END_WITH_ERROR;
    return count;
}

static struct MHD_Response *make_response(burn_http_request *request, const burn_http_reply_body *reply) {
    switch (reply->kind) {
    case BURN_HTTP_BYTES:
        return MHD_create_response_from_buffer(reply->length, (void *)reply->bytes, MHD_RESPMEM_MUST_COPY);
    case BURN_HTTP_FILE: {
        struct MHD_Response *response =
            MHD_create_response_from_fd_at_offset64(reply->length, reply->descriptor, reply->offset);
        if (response == NULL) close(reply->descriptor);
        return response;
    }
    case BURN_HTTP_STREAM:
        request->streamed = true;
        return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 32 << 10, read_stream, request, NULL);
    }
    return NULL;
}

bool burn_http_reply(burn_http_request *request, const burn_http_reply_body *reply) {
    struct MHD_Response *response = make_response(request, reply);
    bool made = response != NULL;
    for (size_t i = 0; made && i < reply->field_count; i++)
        made = MHD_add_response_header(response, reply->fields[i].name, reply->fields[i].value) == MHD_YES;
    if (made && reply->close) made = MHD_add_response_header(response, "Connection", "close") == MHD_YES;
    if (!made && response != NULL) {
        MHD_destroy_response(response);
        response = NULL;
    }
    request->response = response;
    request->status = reply->status;
    request->close = reply->close;
    burn_http_resume(request); /* the request may be gone from here on */
    return made;
}

void burn_http_refuse(burn_http_request *request, const void *bytes, size_t length) {
    burn_http_server *server = request->server;
    /* Everything before this request has been sent and nothing of it yet: the connection is ours to write,
       on its own event thread. The reply is far smaller than a socket's send buffer and than a TLS record,
       so one call takes it whole. */
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    if (info != NULL && info->tls_session != NULL)
        (void)gnutls_record_send(info->tls_session, bytes, length);
    else
        (void)send(request->connection->fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    pthread_mutex_lock(&server->registry);
    request->connection->linger = true;
    pthread_mutex_unlock(&server->registry);
}

void burn_http_on_completed(
    void *context, struct MHD_Connection *mhd, void **slot, enum MHD_RequestTerminationCode code
) {
    (void)mhd;
    burn_http_server *server = context;
    burn_http_request *request = *slot;
    *slot = NULL;
    if (request == NULL) return;
    pthread_mutex_lock(&server->registry);
    connection *peer = request->connection;
    peer->request = NULL;
    peer->body_started = 0;
    peer->head_deadline =
        burn_http_now_ms() + server->options.header_deadline_ms + 1000 * (int64_t)server->options.idle_timeout_s;
    if (request->close) peer->linger = true;
    bool draining = server->draining;
    pthread_mutex_unlock(&server->registry);
    if (request->exchange != NULL)
        server->callbacks.end(request->exchange, code == MHD_REQUEST_TERMINATED_COMPLETED_OK);
    if (request->response != NULL) MHD_destroy_response(request->response);
    free(request->target);
    free(request);
    if (draining) burn_http_wake(server);
}
