/*
 * The memory is the client's as much as ours, and so is its bell: he may write anything in there at
 * any time. attach-words.h has the protocol that both sides keep; this file is what holds when he
 * does not.
 *
 *   - What is read from the memory is a bit, whose place stands for an entry of ours, or a count.
 *     Nothing that is read decides where we read or write.
 *   - The memory cannot become shorter: it is sealed.
 *   - A turn takes WORDS_PER_TURN words and a few more, then the others come first. It goes on in
 *     the next turn, by a handle of the hub that all attachments share: the client could take
 *     anything back that he has a share in.
 *   - The bell is an eventfd whose description we share. He can make it block, or read it empty
 *     after the loop found it readable. So it is read with RWF_NOWAIT, which no flag of the
 *     description overrides, and never written.
 *   - A count is believed up to COUNT_MAX, so that nothing that adds counts up comes to an end.
 *
 * A bell need not be read at all, if epoll tells of each ring once (EPOLLET). libuv does not ask
 * for that, so we do, behind its back, when it has begun to poll. Nothing depends on it: a bell
 * that rings with nothing pending is read, and then another turn is taken; so one that goes on
 * ringing because epoll tells of it again costs that, and no more.
 *
 * While the client keeps the protocol, nothing is lost: whenever no turn goes on or is due, the
 * memory was armed after what was seen, and found empty after that. A word is closed while its
 * handle is still open, so that what it counted until then is delivered: nothing that was accepted
 * is dropped but by who closes the handle itself.
 */

#include "daemon/attachment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "daemon/handle.h"
#include "lib/attach-words.h"
#include "lib/cleanup.h"

#define WORDS_PER_TURN 64
#define COUNT_MAX      (UINT64_C(1) << 32)

struct entry {
        struct handle_watch watch; /* its handle is NULL once the word is closed */
        struct attachment *attachment;
};

struct attachment {
        struct attachment_set *set;
        struct list busy_link;
        struct attach_memory *memory;
        uv_poll_t bell;
        int bell_fd;
        bool has_edges;
        size_t next_group; /* where the next turn begins */
        size_t n_entries;
        struct entry entries[];
};

static size_t n_groups(const struct attachment *attachment) {
        return (attachment->n_entries + ATTACH_GROUP - 1) / ATTACH_GROUP;
}

static void deliver(struct handle *handle, uint64_t n) {
        if (n > 0)
                (void)handle_send_many(handle, n < COUNT_MAX ? n : COUNT_MAX);
}

/* Closing a handle that another one wakes is legal at any time, so the entry is looked at afresh.
 */
static void take_word(struct attachment *attachment, size_t i) {
        struct entry *entry = &attachment->entries[i];

        if (entry->watch.handle)
                deliver(entry->watch.handle, attach_take_word(attachment->memory, i));
}

/* The number of bits that stood for a word. */
static unsigned int take_group(struct attachment *attachment, size_t group) {
        uint64_t bits = attach_take_group(attachment->memory, group);
        size_t first = group * ATTACH_GROUP, n_words = attachment->n_entries - first;
        unsigned int n = 0;

        if (n_words < ATTACH_GROUP)
                bits &= (UINT64_C(1) << n_words) - 1;
        for (; bits; bits &= bits - 1, n++)
                take_word(attachment, first + (size_t)__builtin_ctzll(bits));
        return n;
}

/* Goes round the summary once; false: the turn was over before. */
static bool take_round(struct attachment *attachment, unsigned int *ret_n_taken) {
        size_t n = n_groups(attachment);

        *ret_n_taken = 0;
        for (size_t i = 0; i < n; i++) {
                if (*ret_n_taken >= WORDS_PER_TURN)
                        return false;
                *ret_n_taken += take_group(attachment, attachment->next_group);
                if (++attachment->next_group == n)
                        attachment->next_group = 0;
        }
        return true;
}

/* A turn; false: there is more for the next one. Senders who go on and on keep us awake, and need
 * not ring meanwhile. */
static bool take_turn(struct attachment *attachment, unsigned int *ret_n_taken) {
        attach_disarm(attachment->memory);
        if (!take_round(attachment, ret_n_taken))
                return false;
        attach_arm(attachment->memory);
        if (!attach_is_pending(attachment->memory, n_groups(attachment)))
                return true;
        attach_disarm(attachment->memory);
        return false;
}

/* Takes a turn, if it has none before it; returns how many words had something. */
static unsigned int work(struct attachment *attachment) {
        unsigned int n_taken = 0;

        if (list_is_linked(&attachment->busy_link) || take_turn(attachment, &n_taken))
                return n_taken;
        list_append(&attachment->set->busy, &attachment->busy_link);
        (void)rouse_async_send(attachment->set->again);
        return n_taken;
}

static void on_again(rouse_async_t *async, uint64_t n_sends) {
        struct attachment_set *set = rouse_async_data(async);
        struct list busy = LIST_INIT(busy);
        struct list *first;

        (void)n_sends;
        list_splice(&busy, &set->busy);
        while ((first = list_first(&busy))) {
                list_remove(first);
                (void)work(container_of(first, struct attachment, busy_link));
        }
}

/* Empties the bell without waiting. 0; -EAGAIN: it was empty. */
static int silence(int fd) {
        uint64_t n;
        struct iovec iov = {&n, sizeof(n)};

        return preadv2(fd, &iov, 1, -1, RWF_NOWAIT) < 0 ? -errno : 0;
}

/* From now on each ring is told once. */
static void poll_edges(struct attachment *attachment) {
        struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.fd = attachment->bell_fd};

        attachment->has_edges = true;
        (void)epoll_ctl(uv_backend_fd(attachment->set->loop), EPOLL_CTL_MOD, attachment->bell_fd,
                        &event);
}

static void on_bell(uv_poll_t *poll, int status, int events) {
        struct attachment *attachment = container_of(poll, struct attachment, bell);

        (void)events;
        rouse_hub_awake(attachment->set->hub);
        if (work(attachment) == 0 || status < 0) {
                /* With it goes a ring that came after the turn: what was rung for is taken now. */
                (void)silence(attachment->bell_fd);
                (void)work(attachment);
        }
        if (status < 0) { /* a counter at its end, which is silent now; libuv has stopped polling */
                (void)uv_poll_start(poll, UV_READABLE, on_bell);
                attachment->has_edges = false;
        } else if (!attachment->has_edges) {
                poll_edges(attachment);
        }
}

/* Returns what it counted. */
static uint64_t close_entry(struct attachment *attachment, struct entry *entry) {
        handle_watch_remove(&entry->watch);
        entry->watch.handle = NULL;
        return attach_close_word(attachment->memory, (size_t)(entry - attachment->entries));
}

/* What it counted goes with the handle, as all that is pending. */
static void on_handle_closed(struct handle_watch *watch) {
        struct entry *entry = container_of(watch, struct entry, watch);

        (void)close_entry(entry->attachment, entry);
}

static const struct handle_watch_ops watch_ops = {.closed = on_handle_closed};

/* Memory that can neither shrink nor grow. All of it is there from the beginning, so that touching
 * it cannot fail. */
static int open_memory(size_t size) {
        _cleanup_close_ int fd = memfd_create("rouse-attachment", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        int r;

        if (fd < 0)
                return -errno;
        r = posix_fallocate(fd, 0, (off_t)size);
        if (r != 0)
                return -r;
        if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
                return -errno;
        return steal_fd(&fd);
}

static int open_bell(void) {
        _cleanup_close_ int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        int r;

        if (fd < 0)
                return -errno;
        r = silence(fd);
        return r == -EAGAIN ? steal_fd(&fd) : -EOPNOTSUPP;
}

static int map(int fd, size_t n_words, struct attach_memory **ret) {
        struct attach_memory *memory =
                mmap(NULL, attach_size(n_words), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

        if (memory == MAP_FAILED)
                return -errno;
        memory->version = ATTACH_VERSION;
        memory->n_words = (uint32_t)n_words;
        attach_arm(memory);
        *ret = memory;
        return 0;
}

static int open_poll(struct attachment *attachment, uv_loop_t *loop) {
        int r;

        r = uv_poll_init(loop, &attachment->bell, attachment->bell_fd);
        if (r < 0)
                return r;
        (void)uv_poll_start(&attachment->bell, UV_READABLE, on_bell);
        return 0;
}

int attachment_new(struct attachment_set *set, struct handle *const *handles, size_t n_handles,
                   struct attachment **ret, int ret_fds[N_ATTACHMENT_FDS]) {
        _cleanup_free_ struct attachment *attachment =
                calloc(1, sizeof(*attachment) + n_handles * sizeof(struct entry));
        _cleanup_close_ int memory_fd = -1, bell_fd = -1, their_bell_fd = -1;
        int r;

        if (!attachment)
                return -ENOMEM;
        memory_fd = open_memory(attach_size(n_handles));
        if (memory_fd < 0)
                return memory_fd;
        bell_fd = open_bell();
        if (bell_fd < 0)
                return bell_fd;
        their_bell_fd = fcntl(bell_fd, F_DUPFD_CLOEXEC, 0);
        if (their_bell_fd < 0)
                return -errno;
        r = map(memory_fd, n_handles, &attachment->memory);
        if (r < 0)
                return r;
        attachment->set = set;
        attachment->bell_fd = bell_fd;
        attachment->n_entries = n_handles;
        list_init(&attachment->busy_link);
        r = open_poll(attachment, set->loop);
        if (r < 0) {
                munmap(attachment->memory, attach_size(n_handles));
                return r;
        }
        for (size_t i = 0; i < n_handles; i++) {
                attachment->entries[i].attachment = attachment;
                handle_watch_add(handles[i], &attachment->entries[i].watch, &watch_ops);
        }
        bell_fd = -1;
        ret_fds[ATTACHMENT_MEMORY] = steal_fd(&memory_fd);
        ret_fds[ATTACHMENT_BELL] = steal_fd(&their_bell_fd);
        *ret = steal_ptr(attachment);
        return 0;
}

static void on_closed(uv_handle_t *handle) {
        free(container_of((uv_poll_t *)handle, struct attachment, bell));
}

struct attachment *attachment_close(struct attachment *attachment) {
        if (!attachment)
                return NULL;
        attachment_take(attachment);
        for (size_t i = 0; i < attachment->n_entries; i++)
                handle_watch_remove(&attachment->entries[i].watch);
        list_remove(&attachment->busy_link);
        munmap(attachment->memory, attach_size(attachment->n_entries));
        uv_close((uv_handle_t *)&attachment->bell, on_closed);
        attachment->bell_fd = close_fd(attachment->bell_fd);
        return NULL;
}

size_t attachment_n_handles(const struct attachment *attachment) {
        return attachment->n_entries;
}

size_t attachment_n_bytes(const struct attachment *attachment) {
        return attach_size(attachment->n_entries);
}

/* Also what has no bit, because its sender died before he set it. */
void attachment_take(struct attachment *attachment) {
        rouse_hub_awake(attachment->set->hub);
        for (size_t i = 0; i < attachment->n_entries; i++)
                take_word(attachment, i);
}

void attachment_revoke(struct attachment *attachment,
                       bool (*may)(const struct handle *handle, const void *arg), const void *arg) {
        rouse_hub_awake(attachment->set->hub);
        for (size_t i = 0; i < attachment->n_entries; i++) {
                struct entry *entry = &attachment->entries[i];
                struct handle *handle = entry->watch.handle;

                if (handle && !may(handle, arg))
                        deliver(handle, close_entry(attachment, entry));
        }
}

int attachment_set_init(struct attachment_set *set, uv_loop_t *loop, rouse_hub_t *hub) {
        *set = (struct attachment_set){.loop = loop, .hub = hub};
        list_init(&set->busy);
        return rouse_async_create(hub, NULL, on_again, set, &set->again);
}

void attachment_set_deinit(struct attachment_set *set) {
        if (!set->again)
                return;
        rouse_async_close_noerr(set->again);
        rouse_async_release(set->again);
        set->again = NULL;
}
