/* A stream over a socketpair, in a loop that the test runs: the test is the other end. */
#pragma once

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <uv.h>

#include "daemon/stream.h"
#include "lib/buffer.h"

#define MAX_LINE    1000
#define MAX_OUT     10000
#define MAX_UNSENT  400000
#define MAX_UNTAKEN 400000

struct end {
        struct stream stream;
        int fd;              /* the other end */
        struct buffer heard; /* lines, each followed by "|" */
        unsigned int n_lines, n_too_long, n_drained, n_ended, n_again;
        size_t n_max; /* of the last line that was too long */
        int error;    /* of the last end */
        bool closed;
        bool close_on_line, stop_on_line, refuse;
        bool echo;      /* answers each line with itself */
        size_t n_reply; /* answers each line with so many bytes */
        size_t n_held;  /* bytes that fill() adds, one a line */
};

extern uv_loop_t loop;
extern struct stream_set set;
extern const struct stream_ops ops;

void begin(void);
void finish(void);
void end_init(struct end *end, int type);
void end_deinit(struct end *end);
/* Both, for a test with one stream. */
void begin_with(struct end *end, int type);
void finish_with(struct end *end);
/* The socket of the stream holds little of what the test does not read. */
void end_send_little(struct end *end);

void say_bytes(struct end *end, const char *bytes, size_t n);
void say(struct end *end, const char *text);
/* Turns until the loop has nothing to do; a few more do no harm. */
void turn(void);
const char *heard(struct end *end);
/* Everything that is there to read, -1 at the end. */
ssize_t drain(struct end *end);
