/* The answers of poke.sock. Loop thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "daemon/key-hash.h"
#include "daemon/log-limit.h"
#include "daemon/unread.h"

#define POKE_SENDER_NAME 64

/* For people; NULL: it is not known who it was. */
const char *poke_sender_name(const struct ucred *sender, char buffer[POKE_SENDER_NAME]);

struct poke_replies {
        int fd; /* borrowed */
        uint64_t n_lost;
        size_t n_unseen; /* bytes given since it was looked how much is unread */
        struct unread unread;
        struct key_hash hash; /* of addresses */
        struct log_limit deaf;
};

void poke_replies_init(struct poke_replies *replies, int fd);

/* Whether it has to be known who sends, because so many answers are unread. */
static inline bool poke_replies_are_tight(const struct poke_replies *replies) {
        return replies->unread.is_tight;
}

/* Answers the sender of a datagram, which was received with this header. `sender` is who that was,
 * NULL if that is not known. What cannot be given now is lost. */
void poke_replies_give(struct poke_replies *replies, const struct msghdr *header,
                       const struct ucred *sender, const char *text, size_t n_text);
