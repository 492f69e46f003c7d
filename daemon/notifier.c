/*
 * One inotify descriptor a loop, because the kernel allows a user few of them (128 by default), and
 * a table from its watch descriptors to those who want to know.
 *
 * The kernel has one watch an inode. Watches of ours on the same inode share it: its mask is the
 * union of theirs, and it goes with the last of them. After that, events that were queued before
 * find nothing in the table and are dropped. The kernel counts watch descriptors up and does not
 * hand out one anew that it still has events for.
 *
 * Lists are moved aside before they are walked, and an entry is held while its list is, so that
 * callbacks may add and remove watches and users.
 */

#include "daemon/notifier.h"

#include <assert.h>
#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <sys/inotify.h>

#include "daemon/log-limit.h"
#include "daemon/log.h"
#include "lib/cleanup.h"
#include "lib/clock.h"

#define RETRY_MS   2000
#define READ_BYTES (16U << 10)
#define READS_TO_CATCH_UP \
        256 /* more than the kernel queues (16,384 events) with names of 200 bytes */

struct notifier_entry {
        int wd; /* first: what the table is sorted by; -1: the kernel has ended it */
        struct notifier *notifier;
        unsigned int n_holds; /* one for each watch, and one while they are told */
        struct list watches;
};

struct notifier {
        uv_loop_t *loop;
        int fd;
        uv_poll_t poll;
        uv_timer_t timer;
        unsigned int n_users, n_open;
        struct list users, deferred;
        struct log_limit overflows;
        void *entries; /* tsearch(3) */
};

static int compare_entries(const void *a, const void *b) {
        int x = *(const int *)a, y = *(const int *)b;

        return (x > y) - (x < y);
}

static struct notifier_entry *find_entry(struct notifier *notifier, int wd) {
        void *slot = tfind(&wd, &notifier->entries, compare_entries);

        return slot ? *(struct notifier_entry **)slot : NULL;
}

static void forget_entry(struct notifier_entry *entry) {
        if (entry->wd < 0)
                return;
        tdelete(entry, &entry->notifier->entries, compare_entries);
        entry->wd = -1;
}

static void release_entry(struct notifier_entry *entry) {
        if (--entry->n_holds > 0)
                return;
        if (entry->wd >= 0)
                (void)inotify_rm_watch(entry->notifier->fd, entry->wd);
        forget_entry(entry);
        free(entry);
}

static int take_entry(struct notifier *notifier, int wd, struct notifier_entry **ret) {
        struct notifier_entry *entry = find_entry(notifier, wd);

        if (!entry) {
                entry = malloc(sizeof(*entry));
                if (!entry)
                        return -ENOMEM;
                *entry = (struct notifier_entry){.wd = wd, .notifier = notifier};
                list_init(&entry->watches);
                if (!tsearch(entry, &notifier->entries, compare_entries)) {
                        free(entry);
                        return -ENOMEM;
                }
        }
        entry->n_holds++;
        *ret = entry;
        return 0;
}

static void tell(struct notifier *notifier, const struct inotify_event *event) {
        struct notifier_entry *entry = find_entry(notifier, event->wd);
        struct list aside = LIST_INIT(aside), *link;

        if (!entry)
                return;
        entry->n_holds++;
        if (event->mask & IN_IGNORED)
                forget_entry(entry);
        list_splice(&aside, &entry->watches);
        while ((link = list_first(&aside))) {
                struct notifier_watch *watch = container_of(link, struct notifier_watch, link);

                list_remove(link);
                list_append(&entry->watches, link);
                if (event->mask & IN_IGNORED)
                        notifier_watch_remove(watch);
                if (event->mask & (watch->mask | IN_IGNORED))
                        watch->cb(watch, event->mask, event->len ? event->name : NULL);
        }
        release_entry(entry);
}

static void log_overflow(struct notifier *notifier) {
        if (log_limit_count(&notifier->overflows, clock_now_ns()))
                log_warning("changes of watched files were lost, because there were too many at "
                            "once (the limit is fs.inotify.max_queued_events)");
}

static void tell_overflow(struct notifier *notifier) {
        struct list aside = LIST_INIT(aside), *link;

        log_overflow(notifier);
        list_splice(&aside, &notifier->users);
        while ((link = list_first(&aside))) {
                struct notifier_user *user = container_of(link, struct notifier_user, link);

                list_remove(link);
                list_append(&notifier->users, link);
                user->ops->overflow(user);
        }
}

static void tell_settled(struct notifier *notifier) {
        struct list aside = LIST_INIT(aside), *link;

        list_splice(&aside, &notifier->deferred);
        while ((link = list_first(&aside))) {
                struct notifier_user *user = container_of(link, struct notifier_user, deferred);

                list_remove(link);
                user->ops->settled(user);
        }
}

static void notifier_unref(struct notifier *notifier);

/* True: something was told, and there may be more. */
static bool tell_some(struct notifier *notifier) {
        char buffer[READ_BYTES] __attribute__((aligned(_Alignof(struct inotify_event))));
        ssize_t n;

        n = read(notifier->fd, buffer, sizeof(buffer));
        if (n <= 0)
                return false;
        notifier->n_users++; /* stays until all of it was told */
        for (char *p = buffer; p < buffer + n;) {
                const struct inotify_event *event = (struct inotify_event *)(void *)p;

                if (event->mask & IN_Q_OVERFLOW)
                        tell_overflow(notifier);
                else
                        tell(notifier, event);
                p += sizeof(*event) + event->len;
        }
        tell_settled(notifier);
        notifier_unref(notifier);
        return true;
}

/* One read a turn, for the sake of the loop's other sources; the descriptor stays readable. */
static void notifier_on_readable(uv_poll_t *poll, int status, int events) {
        (void)status;
        (void)events;
        (void)tell_some(poll->data);
}

void notifier_user_catch_up(struct notifier_user *user) {
        for (int i = 0; i < READS_TO_CATCH_UP && tell_some(user->notifier); i++)
                ;
}

static void notifier_on_timer(uv_timer_t *timer) {
        struct notifier *notifier = timer->data;
        struct list aside = LIST_INIT(aside), *link;

        notifier->n_users++;
        list_splice(&aside, &notifier->users);
        while ((link = list_first(&aside))) {
                struct notifier_user *user = container_of(link, struct notifier_user, link);
                bool retry = user->retry;

                list_remove(link);
                list_append(&notifier->users, link);
                user->retry = false;
                if (retry)
                        user->ops->again(user);
        }
        notifier_unref(notifier);
}

static int notifier_new(uv_loop_t *loop, struct notifier **ret) {
        _cleanup_free_ struct notifier *notifier = malloc(sizeof(*notifier));
        _cleanup_close_ int fd = -1;
        int r;

        if (!notifier)
                return -ENOMEM;
        fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
        if (fd < 0)
                return -errno;
        *notifier = (struct notifier){.loop = loop, .n_open = 2};
        list_init(&notifier->users);
        list_init(&notifier->deferred);
        r = uv_poll_init(loop, &notifier->poll, fd);
        if (r < 0)
                return r;
        notifier->poll.data = notifier;
        (void)uv_timer_init(loop, &notifier->timer);
        notifier->timer.data = notifier;
        (void)uv_poll_start(&notifier->poll, UV_READABLE, notifier_on_readable);
        notifier->fd = steal_fd(&fd);
        loop->data = notifier;
        *ret = steal_ptr(notifier);
        return 0;
}

static void notifier_on_closed(uv_handle_t *handle) {
        struct notifier *notifier = handle->data;

        if (--notifier->n_open == 0)
                free(notifier);
}

static void notifier_unref(struct notifier *notifier) {
        if (--notifier->n_users > 0)
                return;
        assert(!notifier->entries);
        notifier->loop->data = NULL;
        uv_close((uv_handle_t *)&notifier->poll, notifier_on_closed);
        uv_close((uv_handle_t *)&notifier->timer, notifier_on_closed);
        notifier->fd = close_fd(notifier->fd);
}

int notifier_user_init(struct notifier_user *user, uv_loop_t *loop,
                       const struct notifier_user_ops *ops) {
        struct notifier *notifier = loop->data;
        int r;

        *user = (struct notifier_user){.ops = ops};
        if (!notifier) {
                r = notifier_new(loop, &notifier);
                if (r < 0)
                        return r;
        }
        notifier->n_users++;
        list_append(&notifier->users, &user->link);
        list_init(&user->deferred);
        user->notifier = notifier;
        return 0;
}

void notifier_user_deinit(struct notifier_user *user) {
        if (!user->notifier)
                return;
        list_remove(&user->link);
        list_remove(&user->deferred);
        notifier_unref(steal_ptr(user->notifier));
}

void notifier_user_defer(struct notifier_user *user) {
        if (!list_is_linked(&user->deferred))
                list_append(&user->notifier->deferred, &user->deferred);
}

void notifier_user_retry(struct notifier_user *user) {
        uv_timer_t *timer = &user->notifier->timer;

        user->retry = true;
        if (!uv_is_active((uv_handle_t *)timer))
                (void)uv_timer_start(timer, notifier_on_timer, RETRY_MS, 0);
}

int notifier_watch_add(struct notifier_watch *watch, struct notifier_user *user, const char *path,
                       uint32_t mask) {
        struct notifier *notifier = user->notifier;
        struct notifier_entry *entry;
        int wd, r;

        assert(!watch->entry);
        wd = inotify_add_watch(notifier->fd, path, mask | IN_MASK_ADD);
        if (wd < 0)
                return -errno;
        r = take_entry(notifier, wd, &entry);
        if (r < 0) {
                (void)inotify_rm_watch(notifier->fd, wd);
                return r;
        }
        list_append(&entry->watches, &watch->link);
        watch->entry = entry;
        watch->mask = mask & IN_ALL_EVENTS;
        return 0;
}

bool notifier_watch_is_on(const struct notifier_watch *watch) {
        return watch->entry;
}

void notifier_watch_remove(struct notifier_watch *watch) {
        if (!watch->entry)
                return;
        list_remove(&watch->link);
        release_entry(steal_ptr(watch->entry));
}
