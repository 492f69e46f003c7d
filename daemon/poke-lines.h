/* The lines of datagrams: each is a send, and may want a line of answer. Lines gather until there
 * are some, or whoever gives them wants them taken. Loop thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/names.h"

struct core;
struct peer;

/* Where answers are written to. */
#define N_POKE_REPLY (192U << 10) /* the kernel takes no datagram of 208 KiB, as it is set up */

/* What is known of one datagram. */
struct poke_message {
        const struct peer *peer; /* NULL: nobody knows who sent it */
        bool may_all;            /* send to every handle */
        char *reply;             /* of N_POKE_REPLY bytes; NULL: not wanted */
        size_t n_reply;
        bool is_full; /* there is no room for more answers: its lines are not taken any more */
};

/* One line of a datagram, but for its name. */
struct poke_line {
        struct poke_message *message;
        struct rouse__text key;
};

/* Zeroed but for the core: none was read. */
struct poke_lines {
        struct core *core;
        uint64_t n_sends, n_errors;
        struct poke_line lines[NAMES_AT_ONCE];   /* that were not taken yet */
        struct rouse__text names[NAMES_AT_ONCE]; /* theirs, with a NUL behind */
        size_t n;
};

/* Reads all lines of a message, which lasts, as its text does, until they are taken; the last one
 * needs no newline. text[n_text] may be written. */
void poke_lines_read(struct poke_lines *lines, struct poke_message *message, char *text,
                     size_t n_text);
/* Takes those that were read, in order. */
void poke_lines_take(struct poke_lines *lines);
/* Another answer to the message, for what is no line. */
void poke_lines_fail(struct poke_lines *lines, struct poke_message *message, const char *reason);
