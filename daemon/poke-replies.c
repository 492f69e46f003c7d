/*
 * What does not fit the receiver's queue is lost: its sender does not read. But the kernel bounds
 * the queue of one that has connected to us only by our own buffer, out of which all are answered;
 * so whoever leaves much of that unread is answered no more, see unread.h. Root and we ourselves
 * are judged by each socket alone.
 */

#include "daemon/poke-replies.h"

#include <linux/sockios.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/log.h"
#include "lib/clock.h"
#include "lib/random.h"

/* What the kernel needs for a small datagram, about. */
#define REPLY_OVERHEAD 768

/* Of what one trial of an address is: how much is given without a look. */
#define LOOK_PART 64

void poke_replies_init(struct poke_replies *replies, int fd) {
        uint64_t random[2];
        int n_room = 0;
        socklen_t n = sizeof(n_room);

        (void)getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &n_room, &n);
        *replies = (struct poke_replies){.fd = fd};
        rouse__random(random, 2);
        key_hash_init(&replies->hash, random);
        unread_init(&replies->unread, (size_t)n_room);
}

/* 0 if nobody can say. */
static size_t n_unread(const struct poke_replies *replies) {
        int n = 0;

        return ioctl(replies->fd, SIOCOUTQ, &n) < 0 || n < 0 ? 0 : (size_t)n;
}

static void look(struct poke_replies *replies) {
        replies->n_unseen = 0;
        unread_look(&replies->unread, n_unread(replies));
}

static struct unread_reader reader_of(const struct poke_replies *replies,
                                      const struct msghdr *header, const struct ucred *sender) {
        struct unread_reader reader = {
                .address = key_hash(&replies->hash, header->msg_name, header->msg_namelen) | 1,
                .user = UINT64_MAX, /* all that are not known */
        };

        if (sender && (sender->uid == 0 || sender->uid == geteuid()))
                reader.user = 0;
        else if (sender)
                reader.user = (uint64_t)sender->uid + 1;
        return reader;
}

const char *poke_sender_name(const struct ucred *sender, char buffer[POKE_SENDER_NAME]) {
        if (!sender)
                return "an unknown process";
        snprintf(buffer, POKE_SENDER_NAME, "process %d of user %u", (int)sender->pid,
                 (unsigned int)sender->uid);
        return buffer;
}

static void complain(struct poke_replies *replies, const struct ucred *sender, uint64_t now_ns) {
        char name[POKE_SENDER_NAME];

        if (log_limit_count(&replies->deaf, now_ns) > 0)
                log_warning("poke.sock: %s does not read its answers; it gets no more for a while, "
                            "lest others get none",
                            poke_sender_name(sender, name));
}

static bool give(struct poke_replies *replies, const struct msghdr *header, const char *text,
                 size_t n_text) {
        if (sendto(replies->fd, text, n_text, MSG_DONTWAIT | MSG_NOSIGNAL, header->msg_name,
                   header->msg_namelen) >= 0)
                return true;
        replies->n_lost++;
        return false;
}

static void give_on_trial(struct poke_replies *replies, const struct msghdr *header,
                          const struct ucred *sender, const char *text, size_t n_text) {
        struct unread_reader reader = reader_of(replies, header, sender);
        uint64_t now_ns = clock_now_ns();
        size_t n_before = n_unread(replies);

        unread_look(&replies->unread, n_before);
        if (!unread_may_answer(&replies->unread, &reader, now_ns)) {
                replies->n_lost++;
                return;
        }
        if (give(replies, header, text, n_text) &&
            unread_answered(&replies->unread, &reader, n_before, n_unread(replies), now_ns))
                complain(replies, sender, now_ns);
}

void poke_replies_give(struct poke_replies *replies, const struct msghdr *header,
                       const struct ucred *sender, const char *text, size_t n_text) {
        if (replies->unread.is_tight) {
                give_on_trial(replies, header, sender, text, n_text);
                return;
        }
        (void)give(replies, header, text, n_text);
        replies->n_unseen += n_text + REPLY_OVERHEAD;
        if (replies->n_unseen >= replies->unread.n_room / LOOK_PART)
                look(replies);
}
