/* poke.sock: a line of text for each send, a line of answer for those who want one. Loop thread. */
#pragma once

#include <stdint.h>

struct core;
struct poke;

/* Takes a bound datagram socket (closes it in the end, does not remove its path). */
int poke_new_consume_fd(struct core *core, int fd, struct poke **ret);
/* Takes what has arrived, all of it, and nothing after it. */
void poke_shut_down(struct poke *poke);
/* The memory goes when the loop has closed the socket's handle. Accepts and returns NULL. */
struct poke *poke_close(struct poke *poke);
/* Before a reload, which may give rights to fewer: from now on the kernel says who sends, and what
 * it holds from before is taken. */
void poke_ask_who(struct poke *poke);
/* After a reload: learns the new rights, and forgets who belongs to which group. */
void poke_configured(struct poke *poke);

struct poke_stats {
        uint64_t datagrams, sends, errors, replies_lost;
};
/* All 0 if poke is NULL. */
void poke_get_stats(const struct poke *poke, struct poke_stats *ret);
