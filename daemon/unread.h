/*
 * Who leaves answers unread. All answers of a socket share one buffer of the kernel's, and a sender
 * that has connected to us may leave as much of it unread as there is. How much somebody leaves
 * nobody can ask; only how much all do. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define N_UNREAD_ADDRESSES 256
#define N_UNREAD_USERS     32

/* Of an address, or of a user: what it has been given, and by how much what all leave unread has
 * grown meanwhile. */
struct unread_trial {
        uint64_t whose;      /* 0: nobody's */
        size_t n_given;      /* bytes */
        size_t n_before;     /* bytes that all had left unread when it began */
        uint64_t not_before; /* ns: it does not read, and gets nothing until then */
        uint64_t backoff_ns; /* of the next verdict like that; 0: it was never found not to read */
};

struct unread {
        size_t n_room; /* bytes, for all answers */
        bool is_tight; /* so much of it is unread that it has to be known who reads */
        struct unread_trial *retrial; /* that goes on; there is one at a time */
        uint64_t retrial_until;       /* ns: if it has not ended by then, others may have one */
        struct unread_trial addresses[N_UNREAD_ADDRESSES], users[N_UNREAD_USERS];
};

/* To whom an answer goes. */
struct unread_reader {
        uint64_t address; /* hashed */
        uint64_t user;    /* 0: one who is not judged by what his other sockets do */
};

void unread_init(struct unread *unread, size_t n_room);

/* So much is unread now. Decides whether it is tight. */
void unread_look(struct unread *unread, size_t n_unread);

/* Whether to answer, if it is tight. */
bool unread_may_answer(struct unread *unread, const struct unread_reader *reader, uint64_t now_ns);
/* An answer was given while it was tight: so much was unread before and after. True: with this one
 * the reader has been found not to read. */
bool unread_answered(struct unread *unread, const struct unread_reader *reader, size_t n_before,
                     size_t n_after, uint64_t now_ns);
