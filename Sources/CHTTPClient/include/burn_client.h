#ifndef BURN_CLIENT_H
#define BURN_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A connection to a server, over TCP or TLS 1.2 and later. Every call blocks, at most until the deadline that it was
   opened with, but for the lookup of the name. */
struct burn_client;

/* host: a name, or an address without brackets. trust: a PEM file of certificates that are trusted beside the
   system's, or NULL. milliseconds: for all that is done with the connection.
   NULL where there is none; text then says why. */
struct burn_client *burn_client_open(const char *host, uint16_t port, bool tls, const char *trust, int milliseconds,
                                     char *text, size_t capacity);

/* 0, or -1 with the reason in text. */
int burn_client_send(struct burn_client *, const void *bytes, size_t length, char *text, size_t capacity);

/* The number of bytes; 0 at the end; -1 with the reason in text. */
ssize_t burn_client_receive(struct burn_client *, void *bytes, size_t length, char *text, size_t capacity);

void burn_client_close(struct burn_client *);

#endif
