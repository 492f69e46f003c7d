/* A client of attach that the test plays with the raw descriptors. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/attach-words.h"
#include "tests/control-fixture.h"

/* What a client gets. */
struct attached {
        int fd; /* its connection */
        int memory_fd, bell_fd;
        struct attach_memory *memory;
        size_t size;
};

extern struct daemon attached_daemon; /* with handles a, b, c, and ours, which is root's */

void attached_begin(void);
void attached_finish(void);

/* A line as it comes, and the descriptors that come with its first byte; -1: none. */
void attached_hear(int fd, char *line, size_t size, int fds[2]);

/* Names as JSON has them; on a connection, or on a new one. */
struct attached attached_on(int fd, const char *names);
struct attached attached_new(const char *names);
/* Leaves the connection open; or not. */
void attached_let_go(struct attached *attached);
void attached_detach(struct attached *attached);

void attached_ring(const struct attached *attached, uint64_t n);
/* As a client that keeps the protocol. */
enum attach_sent attached_send(const struct attached *attached, size_t i);
void attached_expect_sends(const char *name, uint64_t sends, uint64_t wakes);
/* Its first word is a's, which nobody has sent to: it takes a send, and all ends. */
void attached_finish_with_a_send(struct attached *attached);
