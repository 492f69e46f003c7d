/*
 * Each handle that is watched has one entry, and an entry holds the latest news of each kind (see
 * news.c). So a client that reads slowly loses detail, never the latest number, and what it costs
 * is bounded by the handles it watches.
 *
 * News leave when the client's output has room, in the order in which they began to wait. Rights
 * are looked at when a handle is found, and again when its news leave.
 *
 * Invariants: a handle has an entry at most once, because it gets one with the first pattern that
 * fits; an entry whose handle was closed lives on, with a name of its own, until its news are told.
 */

#include "daemon/subscription.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/core.h"
#include "daemon/glob.h"
#include "daemon/handle.h"
#include "daemon/json-write.h"
#include "daemon/limits.h"
#include "daemon/news.h"
#include "daemon/stream.h"
#include "lib/names.h"

struct entry {
        struct handle_watch watch;
        struct list link, news_link;
        struct subscription *subscription;
        struct news news;
        char *name; /* once the handle is closed */
};

static void entry_free(struct entry *entry) {
        handle_watch_remove(&entry->watch);
        list_remove(&entry->link);
        list_remove(&entry->news_link);
        entry->subscription->n_entries--;
        entry->subscription->set->n_entries--;
        free(entry->name);
        free(entry);
}

static const char *entry_name(const struct entry *entry) {
        return entry->name ?: handle_name(entry->watch.handle);
}

static bool may_read(const struct subscription *subscription, const struct handle *handle) {
        return core_allows(subscription->set->core, subscription->peer, handle, ACCESS_READ);
}

/* The entry's first piece of news has come. */
static void announce(struct entry *entry) {
        list_append(&entry->subscription->news, &entry->news_link);
        stream_flush_later(entry->subscription->stream);
}

static bool wants_runs(const struct entry *entry) {
        const struct subscription *subscription = entry->subscription;

        for (size_t i = 0; i < subscription->n_patterns; i++)
                if (subscription->patterns[i].runs &&
                    glob_fits(subscription->patterns[i].glob, entry_name(entry)))
                        return true;
        return false;
}

static void on_wake(struct handle_watch *watch, uint64_t seq, uint64_t n_sends) {
        struct entry *entry = container_of(watch, struct entry, watch);

        if (news_add_wake(&entry->news, seq, n_sends))
                announce(entry);
}

static void on_run_started(struct handle_watch *watch, uint64_t seq, uint64_t n_sends) {
        struct entry *entry = container_of(watch, struct entry, watch);

        if (wants_runs(entry) && news_add_run_started(&entry->news, seq, n_sends))
                announce(entry);
}

static void on_run_ended(struct handle_watch *watch, const struct run_result *result) {
        struct entry *entry = container_of(watch, struct entry, watch);

        if (wants_runs(entry) && news_add_run_ended(&entry->news, result))
                announce(entry);
}

static void on_handle_closed(struct handle_watch *watch) {
        struct entry *entry = container_of(watch, struct entry, watch);

        if (list_is_linked(&entry->news_link) && may_read(entry->subscription, watch->handle))
                entry->name = strdup(handle_name(watch->handle));
        watch->handle = NULL;
        if (!entry->name)
                entry_free(entry);
}

static const struct handle_watch_ops watch_ops = {
        .wake = on_wake,
        .run_started = on_run_started,
        .run_ended = on_run_ended,
        .closed = on_handle_closed,
};

/* Whether one of the patterns from `begin` on, before `end`, does. */
static bool fits(const struct subscription *subscription, size_t begin, size_t end,
                 const char *name) {
        for (size_t i = begin; i < end; i++)
                if (glob_fits(subscription->patterns[i].glob, name))
                        return true;
        return false;
}

static int check_room(const struct subscription *subscription) {
        if (subscription->n_entries >= LIMIT_WATCHED_HANDLES)
                return -ENOSPC;
        if (subscription->set->n_entries >= LIMIT_WATCHED_BY_ALL &&
            subscription->n_entries >= LIMIT_WATCHED_FEW)
                return -EDQUOT;
        return 0;
}

static int watch(struct subscription *subscription, struct handle *handle, struct list *entries) {
        struct entry *entry;
        int r;

        r = check_room(subscription);
        if (r < 0)
                return r;
        entry = calloc(1, sizeof(*entry));
        if (!entry)
                return -ENOMEM;
        entry->subscription = subscription;
        list_append(entries, &entry->link);
        list_init(&entry->news_link);
        subscription->n_entries++;
        subscription->set->n_entries++;
        handle_watch_add(handle, &entry->watch, &watch_ops);
        return 0;
}

static void on_handle_added(struct registry_watch *registry_watch, struct handle *handle) {
        struct subscription *subscription =
                container_of(registry_watch, struct subscription, registry_watch);

        if (!fits(subscription, 0, subscription->n_patterns, handle_name(handle)) ||
            !may_read(subscription, handle))
                return;
        if (watch(subscription, handle, &subscription->entries) == 0)
                return;
        subscription->is_full = true;
        stream_flush_later(subscription->stream);
}

/* For handles that fit a new pattern and none of the old ones. */
struct search {
        struct subscription *subscription;
        size_t n_old;
        struct list found; /* entries */
        int error;
};

static void consider(struct handle *handle, void *arg) {
        struct search *search = arg;
        struct subscription *subscription = search->subscription;
        const char *name = handle_name(handle);

        if (search->error < 0 || !handle_is_active(handle) ||
            !fits(subscription, search->n_old, subscription->n_patterns, name) ||
            fits(subscription, 0, search->n_old, name) || !may_read(subscription, handle))
                return;
        search->error = watch(subscription, handle, &search->found);
}

static struct registry *registry_of(const struct subscription *subscription) {
        return subscription->set->core->registry;
}

/* A name that is no pattern fits one handle at most, which need not be searched for. False: some of
 * the new ones are patterns. */
static bool look_up(struct search *search) {
        const struct subscription *subscription = search->subscription;

        for (size_t i = search->n_old; i < subscription->n_patterns; i++)
                if (!rouse__name_is_legal(subscription->patterns[i].text))
                        return false;
        for (size_t i = search->n_old; i < subscription->n_patterns; i++) {
                struct handle *handle =
                        registry_find(registry_of(subscription), subscription->patterns[i].text);

                if (handle)
                        consider(handle, search);
        }
        return true;
}

static int find_handles(struct subscription *subscription, size_t n_old) {
        struct search search = {subscription, n_old, LIST_INIT(search.found), 0};
        struct list *link;

        if (!look_up(&search))
                registry_each(registry_of(subscription), consider, &search);
        if (search.error == 0)
                list_splice(&subscription->entries, &search.found);
        while ((link = list_first(&search.found)))
                entry_free(container_of(link, struct entry, link));
        return search.error;
}

static size_t find_pattern(const struct subscription *subscription, struct json_text pattern) {
        size_t i = 0;

        while (i < subscription->n_patterns &&
               (subscription->patterns[i].n_text != pattern.n ||
                memcmp(subscription->patterns[i].text, pattern.at, pattern.n) != 0))
                i++;
        return i;
}

static void pattern_deinit(struct subscription_pattern *pattern) {
        free(pattern->text);
        glob_free(pattern->glob);
}

static int pattern_init(struct subscription_pattern *pattern, struct json_text text) {
        int r;

        *pattern = (struct subscription_pattern){.n_text = text.n};
        r = glob_new(text.at, text.n, &pattern->glob);
        if (r < 0)
                return r;
        pattern->text = strndup(text.at, text.n);
        if (!pattern->text) {
                pattern_deinit(pattern);
                return -ENOMEM;
        }
        return 0;
}

static int add_pattern(struct subscription *subscription, struct json_text pattern) {
        struct subscription_pattern *patterns;
        int r;

        if (find_pattern(subscription, pattern) < subscription->n_patterns)
                return 0;
        if (subscription->n_patterns == LIMIT_SUBSCRIPTIONS)
                return -E2BIG;
        patterns = reallocarray(subscription->patterns, subscription->n_patterns + 1,
                                sizeof(*patterns));
        if (!patterns)
                return -ENOMEM;
        subscription->patterns = patterns;
        r = pattern_init(&patterns[subscription->n_patterns], pattern);
        if (r == 0)
                subscription->n_patterns++;
        return r;
}

/* Forgets entries that no pattern covers any more. */
static void prune(struct subscription *subscription) {
        list_for_each_safe (link, &subscription->entries) {
                struct entry *entry = container_of(link, struct entry, link);

                if (!fits(subscription, 0, subscription->n_patterns, entry_name(entry)))
                        entry_free(entry);
        }
        if (subscription->n_patterns == 0)
                registry_watch_remove(&subscription->registry_watch);
}

static void truncate_patterns(struct subscription *subscription, size_t n) {
        while (subscription->n_patterns > n)
                pattern_deinit(&subscription->patterns[--subscription->n_patterns]);
}

int subscription_add(struct subscription *subscription, const struct json_text *patterns, size_t n,
                     bool runs) {
        size_t n_old = subscription->n_patterns;
        int r = 0;

        for (size_t i = 0; i < n && r == 0; i++)
                r = add_pattern(subscription, patterns[i]);
        if (r == 0 && subscription->n_patterns > n_old)
                r = find_handles(subscription, n_old);
        if (r < 0) {
                truncate_patterns(subscription, n_old);
                return r;
        }
        for (size_t i = 0; i < n; i++)
                subscription->patterns[find_pattern(subscription, patterns[i])].runs = runs;
        if (n_old == 0 && subscription->n_patterns > 0)
                registry_watch_add(registry_of(subscription), &subscription->registry_watch);
        return 0;
}

void subscription_remove(struct subscription *subscription, const struct json_text *patterns,
                         size_t n) {
        for (size_t i = 0; i < n; i++) {
                size_t place = find_pattern(subscription, patterns[i]);

                if (place == subscription->n_patterns)
                        continue;
                pattern_deinit(&subscription->patterns[place]);
                subscription->patterns[place] = subscription->patterns[--subscription->n_patterns];
        }
        prune(subscription);
}

void subscription_remove_all(struct subscription *subscription) {
        truncate_patterns(subscription, 0);
        prune(subscription);
}

static void write_full(struct buffer *out, size_t n_entries) {
        buffer_add_literal(out, "{\"jsonrpc\":\"2.0\",\"method\":\"limit_reached\",\"params\":{");
        json_write_key(out, "handles");
        json_write_u64(out, n_entries);
        buffer_add_literal(out, "}}\n");
}

bool subscription_write(struct subscription *subscription) {
        struct subscription_set *set = subscription->set;
        struct buffer *out = &subscription->stream->out;
        struct list *first;

        if (subscription->is_full) {
                subscription->is_full = false;
                write_full(out, subscription->n_entries);
        }
        while ((first = list_first(&subscription->news)) && stream_has_room(subscription->stream)) {
                struct entry *entry = container_of(first, struct entry, news_link);

                list_remove(first);
                if (entry->name || may_read(subscription, entry->watch.handle)) {
                        unsigned int n_told;

                        set->n_missed += news_tell(&entry->news, entry_name(entry), out, &n_told);
                        set->n_notifications += n_told;
                }
                news_forget(&entry->news);
                if (entry->name)
                        entry_free(entry);
        }
        return first;
}

void subscription_init(struct subscription *subscription, struct subscription_set *set,
                       struct stream *stream, const struct peer *peer) {
        *subscription = (struct subscription){.set = set, .stream = stream, .peer = peer};
        subscription->registry_watch.added = on_handle_added;
        list_init(&subscription->registry_watch.link);
        list_init(&subscription->entries);
        list_init(&subscription->news);
}

void subscription_deinit(struct subscription *subscription) {
        subscription_remove_all(subscription);
        free(subscription->patterns);
        subscription->patterns = NULL;
}
