/*
 * A datagram has some lines. A sender whose socket has an address gets one datagram back, a line
 * for each of its lines.
 *
 * The kernel attaches the sender's credentials to each datagram (SO_PASSCRED), which costs it as
 * much as a tenth of a send. It is asked to only where rights differ: not where everybody may send
 * to every handle. What was sent while nobody asked says "nobody" as its sender, so a reload first
 * asks, then takes what is there by the old rights, then changes them.
 *
 * Where pokes come singly a turn of the loop is one datagram and one system call, and epoll says
 * whether there are more. Where they come in numbers, many come with one system call, and fewer
 * than were asked for say that there are no more. The names of all whose senders want no answer are
 * looked up together, in order. Buffers are large and mostly untouched: the kernel gives them
 * memory as far as they are written.
 *
 * A turn of the loop takes about LINES_PER_TURN, so that pokes without end leave room for the rest,
 * and so that the wakes that follow find in the processor's caches what the sends have brought
 * there. What waits in the kernel makes its senders wait, and nothing is dropped.
 */

#include "daemon/poke.h"

#include <errno.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#include "daemon/access.h"
#include "daemon/core.h"
#include "daemon/handle.h"
#include "daemon/limits.h"
#include "daemon/log-limit.h"
#include "daemon/log.h"
#include "daemon/peer-cache.h"
#include "daemon/poke-lines.h"
#include "daemon/poke-replies.h"
#include "daemon/registry.h"
#include "lib/cleanup.h"
#include "lib/clock.h"
#include "lib/names.h"

#define DATAGRAMS_AT_ONCE  16 /* as many as a queue of the usual length holds */
#define DATAGRAMS_PER_TURN 256
#define LINES_PER_TURN     512
#define LONELY_TURNS       16 /* with one datagram each: then the next will not ask for a second */
#define NOBODY_ID          65534 /* what the kernel says where it knows no user or group */
#define TEXT_ROOM          (LIMIT_POKE_BYTES + 64) /* begins at another line of the cache each */
#define DATAGRAMS_AT_END \
        4096 /* more than any queue holds; a sender that goes on is not waited for */

/* Where one datagram goes. */
struct slot {
        alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct ucred)) +
                                             CMSG_SPACE(16 * sizeof(int))];
        struct sockaddr_un address;
        struct iovec iov;
        struct poke_message message;
};

struct poke {
        struct core *core;
        int fd;
        uv_poll_t poll;
        struct poke_stats stats; /* without those of the lines, and of the replies */
        struct poke_replies replies;
        struct log_limit cut;
        struct peer_cache peers;
        unsigned int n_lonely;  /* turns in a row, as far as it was asked */
        unsigned int n_at_once; /* datagrams: as many as have been about LINES_PER_TURN */
        bool is_open;           /* everybody may send to every handle */
        bool is_asking;         /* the kernel, who sends */
        struct poke_lines lines;
        char reply[N_POKE_REPLY];
        struct mmsghdr headers[DATAGRAMS_AT_ONCE];
        struct slot slots[DATAGRAMS_AT_ONCE];
        char texts[DATAGRAMS_AT_ONCE][TEXT_ROOM];
};

static const struct cached_peer *find_peer(struct poke *poke, const struct ucred *ucred,
                                           uint64_t now_ms) {
        const struct cached_peer *found = peer_cache_find(&poke->peers, ucred, now_ms);

        if (found)
                return found;
        poke_lines_take(&poke->lines); /* some may be of whoever has to go now */
        return peer_cache_add(&poke->peers, core_access(poke->core), ucred);
}

/* Descriptors that a sender attached would be ours to close. */
static void refuse_fds(const struct cmsghdr *c) {
        for (size_t i = 0; CMSG_LEN((i + 1) * sizeof(int)) <= c->cmsg_len; i++) {
                int fd;

                memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
                close(fd);
        }
}

/* What came beside the text; false: nobody knows who sent it. */
static bool read_control(struct msghdr *header, struct ucred *ret) {
        bool is_known = false;

        for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
                if (c->cmsg_level != SOL_SOCKET)
                        continue;
                if (c->cmsg_type == SCM_RIGHTS)
                        refuse_fds(c);
                if (c->cmsg_type != SCM_CREDENTIALS || c->cmsg_len != CMSG_LEN(sizeof(*ret)))
                        continue;
                memcpy(ret, CMSG_DATA(c), sizeof(*ret));
                is_known = ret->pid != 0 || ret->uid != NOBODY_ID || ret->gid != NOBODY_ID;
                if (header->msg_controllen <= CMSG_SPACE(sizeof(*ret)))
                        break; /* as it is nearly always: there is nothing else */
        }
        return is_known;
}

static void prepare(struct poke *poke) {
        for (size_t i = 0; i < DATAGRAMS_AT_ONCE; i++) {
                struct slot *slot = &poke->slots[i];

                slot->iov = (struct iovec){poke->texts[i], LIMIT_POKE_BYTES};
                poke->headers[i].msg_hdr = (struct msghdr){
                        .msg_name = &slot->address,
                        .msg_namelen = sizeof(slot->address),
                        .msg_iov = &slot->iov,
                        .msg_iovlen = 1,
                        .msg_control = slot->control,
                        .msg_controllen = sizeof(slot->control),
                };
        }
}

static void complain_of_cut(struct poke *poke, const struct ucred *sender) {
        unsigned int n = log_limit_count(&poke->cut, clock_now_ns());
        char name[POKE_SENDER_NAME];

        if (n > 0)
                log_warning(
                        "poke.sock: what %s sent was longer than %u bytes, and was cut (%u such "
                        "since this was last said)",
                        poke_sender_name(sender, name), LIMIT_POKE_BYTES, n);
}

/* Lines that were read before it and want no answer are taken first. */
static void take_datagram(struct poke *poke, struct slot *slot, struct mmsghdr *received,
                          uint64_t now_ms) {
        struct msghdr *header = &received->msg_hdr;
        struct poke_message *message = &slot->message;
        char *text = slot->iov.iov_base;
        size_t n_text = received->msg_len;
        bool is_cut = header->msg_flags & MSG_TRUNC, is_known;
        struct ucred ucred;

        *message = (struct poke_message){.may_all = poke->is_open};
        poke->stats.datagrams++;
        is_known = read_control(header, &ucred);
        if (is_known && !poke->is_open) {
                const struct cached_peer *sender = find_peer(poke, &ucred, now_ms);

                message->peer = &sender->peer;
                message->may_all = sender->is_master;
        }
        if (header->msg_namelen > sizeof(sa_family_t)) {
                poke_lines_take(&poke->lines);
                message->reply = poke->reply;
        }
        if (is_cut) {
                /* Whole lines count; the cut one and what is lost behind it does not. */
                const char *last = memrchr(text, '\n', n_text);

                n_text = last ? (size_t)(last + 1 - text) : 0;
                complain_of_cut(poke, is_known ? &ucred : NULL);
        }
        poke_lines_read(&poke->lines, message, text, n_text);
        if (!is_cut && !message->reply)
                return;
        poke_lines_take(&poke->lines);
        if (is_cut || message->is_full)
                poke_lines_fail(&poke->lines, message, "too_long");
        if (message->n_reply)
                poke_replies_give(&poke->replies, header, is_known ? &ucred : NULL, poke->reply,
                                  message->n_reply);
}

static uint64_t n_lines(const struct poke *poke) {
        return poke->lines.n_sends + poke->lines.n_errors;
}

/* In how many datagrams there are LINES_PER_TURN, going by these; but one, and what there is room
 * for. */
static unsigned int n_that_fit(unsigned int n_datagrams, uint64_t n_read) {
        uint64_t n = n_read ? n_datagrams * (uint64_t)LINES_PER_TURN / n_read : DATAGRAMS_AT_ONCE;

        return n == 0 ? 1 : n < DATAGRAMS_AT_ONCE ? (unsigned int)n : DATAGRAMS_AT_ONCE;
}

/* Takes at most n datagrams with one system call, and returns how many there were. */
static int take_some(struct poke *poke, unsigned int n) {
        uint64_t now_ms = uv_now(poke->poll.loop), n_before = n_lines(poke);
        int n_taken;

        if (n == 1) {
                ssize_t n_text = recvmsg(poke->fd, &poke->headers[0].msg_hdr,
                                         MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

                poke->headers[0].msg_len = (unsigned int)n_text;
                n_taken = n_text >= 0;
        } else {
                n_taken =
                        recvmmsg(poke->fd, poke->headers, n, MSG_DONTWAIT | MSG_CMSG_CLOEXEC, NULL);
        }
        if (n_taken <= 0)
                return 0;
        for (int i = 0; i < n_taken; i++) {
                struct msghdr *header = &poke->headers[i].msg_hdr;

                take_datagram(poke, &poke->slots[i], &poke->headers[i], now_ms);
                /* The kernel has put there how much it has used. */
                header->msg_namelen = sizeof(poke->slots[i].address);
                header->msg_controllen = sizeof(poke->slots[i].control);
        }
        poke_lines_take(&poke->lines);
        poke->n_at_once = n_that_fit((unsigned int)n_taken, n_lines(poke) - n_before);
        return n_taken;
}

static bool turn_is_over(const struct poke *poke, int n_taken, uint64_t n_lines_before) {
        return n_taken >= DATAGRAMS_PER_TURN || n_lines(poke) - n_lines_before >= LINES_PER_TURN;
}

/* Whether to ask again after n_some came of n. */
static bool may_be_more(const struct poke *poke, int n_some, unsigned int n) {
        return ((unsigned int)n_some == n && n > 1) || poke->slots[n_some - 1].message.reply;
}

/* Whether to leave it to epoll to say if there is a second one. From time to time a turn asks. A
 * single turn with one datagram says nothing: where sender and daemon share a processor, it comes
 * about in the middle of thousands. */
static bool is_lonely(const struct poke *poke) {
        return poke->n_lonely >= LONELY_TURNS && poke->n_lonely % LONELY_TURNS != 0;
}

static int ask_who(struct poke *poke, bool on) {
        int value = on;

        if (setsockopt(poke->fd, SOL_SOCKET, SO_PASSCRED, &value, sizeof(value)) < 0)
                return -errno;
        poke->is_asking = on;
        return 0;
}

/* Where everybody may do everything, only while many answers are unread. A sender that nobody has
 * asked for is as good as one that nobody knows, so it does no harm if this fails. */
static void ask_if_needed(struct poke *poke) {
        bool on = !poke->is_open || poke_replies_are_tight(&poke->replies);

        if (poke->is_asking != on)
                (void)ask_who(poke, on);
}

/* Takes the datagram that there is, or many where there have been many. Who got an answer may have
 * run at once, and sent again. */
static void on_readable(uv_poll_t *poll, int status, int events) {
        struct poke *poke = poll->data;
        unsigned int n_most = is_lonely(poke) ? 1 : poke->n_at_once, n_asked;
        uint64_t n_before = n_lines(poke);
        int n = 0, n_some;

        (void)status;
        (void)events;
        rouse_hub_awake(poke->core->hub);
        do {
                n_asked = n_most;
                n_some = take_some(poke, n_asked);
                n += n_some;
                if (n_some == 1)
                        n_most = 1;
        } while (n_some > 0 && may_be_more(poke, n_some, n_asked) &&
                 !turn_is_over(poke, n, n_before));
        poke->n_lonely = n > 1 ? 0 : poke->n_lonely + 1;
        if (poke->is_open)
                ask_if_needed(poke);
}

static void consider(struct handle *handle, void *arg) {
        struct poke *poke = arg;

        poke->is_open = poke->is_open &&
                        access_is_open(core_access(poke->core), handle_access(handle), ACCESS_SEND);
}

/* A handle that is made later, over the control socket, has no rights of its own. */
static void learn_rights(struct poke *poke) {
        poke->is_open = access_is_open(core_access(poke->core), NULL, ACCESS_SEND);
        if (poke->is_open)
                registry_each(poke->core->registry, consider, poke);
        ask_if_needed(poke);
}

static void take_rest(struct poke *poke) {
        for (int i = 0; i < DATAGRAMS_AT_END / DATAGRAMS_AT_ONCE; i++)
                if (take_some(poke, DATAGRAMS_AT_ONCE) < DATAGRAMS_AT_ONCE)
                        break;
}

/* What comes from now on says who sent it. */
static void ask_again(struct poke *poke) {
        if (poke->is_open && ask_who(poke, true) < 0)
                log_error("cannot learn who sends to poke.sock: %m");
}

void poke_ask_who(struct poke *poke) {
        if (!poke->is_open)
                return;
        ask_again(poke);
        take_rest(poke);
}

void poke_configured(struct poke *poke) {
        peer_cache_clear(&poke->peers);
        learn_rights(poke);
}

int poke_new_consume_fd(struct core *core, int fd, struct poke **ret) {
        struct poke *poke = calloc(1, sizeof(*poke));
        int r = -ENOMEM;

        if (!poke)
                goto fail;
        poke->core = poke->lines.core = core;
        poke->fd = fd;
        r = ask_who(poke, true);
        if (r < 0)
                goto fail;
        r = uv_poll_init(&core->loop, &poke->poll, fd);
        if (r < 0)
                goto fail;
        poke->poll.data = poke;
        poke->n_at_once = DATAGRAMS_AT_ONCE;
        poke_replies_init(&poke->replies, fd);
        prepare(poke);
        learn_rights(poke);
        (void)uv_poll_start(&poke->poll, UV_READABLE, on_readable);
        *ret = poke;
        return 0;
fail:
        free(poke);
        close(fd);
        return r;
}

void poke_shut_down(struct poke *poke) {
        uv_poll_stop(&poke->poll);
        ask_again(poke); /* a socket of the service manager's has another daemon after this one */
        take_rest(poke);
}

static void on_closed(uv_handle_t *handle) {
        struct poke *poke = handle->data;

        peer_cache_clear(&poke->peers);
        close(poke->fd);
        free(poke);
}

struct poke *poke_close(struct poke *poke) {
        if (poke)
                uv_close((uv_handle_t *)&poke->poll, on_closed);
        return NULL;
}

void poke_get_stats(const struct poke *poke, struct poke_stats *ret) {
        *ret = (struct poke_stats){0};
        if (!poke)
                return;
        *ret = poke->stats;
        ret->sends = poke->lines.n_sends;
        ret->errors = poke->lines.n_errors;
        ret->replies_lost = poke->replies.n_lost;
}
