/*
 * The least that can be done with names in datagrams: a libuv loop that looks each up in a table of
 * its own and puts what it finds on a list, if it is not there yet; and once a turn empties the
 * list. No rights, no statistics, no numbers that outlive it. What a line of the table has more of
 * than roused is the price of these.
 *
 * As in roused, the names of a datagram are looked up in steps, so that what one of them waits for
 * comes while others are worked on.
 */

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <uv.h>

#include "bench/bare.h"
#include "bench/measure.h"

#define DATAGRAMS_AT_ONCE 8
#define N_BUCKETS         262144U /* a power of two; few have more than one */
#define MAX_BYTES         (NAMES_PER_WRITE * MAX_NAME)

struct entry {
        struct entry *next; /* in its bucket */
        struct entry *next_marked;
        uint64_t n_sends, n_wakes;
        uint32_t hash, n_name;
        char name[MAX_NAME];
};

struct text {
        const char *at;
        size_t n;
        uint32_t hash;
};

struct bare_names {
        int fd;
        uv_poll_t poll;
        uv_check_t check;
        struct entry *marked;
        struct entry *buckets[N_BUCKETS];
        char bytes[DATAGRAMS_AT_ONCE][MAX_BYTES];
};

/* Of a name of at least 8 bytes, as all are here. */
static uint32_t hash_of(const char *name, size_t n) {
        uint64_t head, tail, hash;

        memcpy(&head, name, sizeof(head));
        memcpy(&tail, name + n - sizeof(tail), sizeof(tail));
        hash = head * UINT64_C(0xd6e8feb86659fd93) + tail * UINT64_C(0xc2b2ae3d27d4eb4f);
        hash = (hash ^ (hash >> 32)) * UINT64_C(0xd6e8feb86659fd93);
        return (uint32_t)(hash ^ (hash >> 29));
}

static struct entry **bucket_of(struct bare_names *names, uint32_t hash) {
        return &names->buckets[hash % N_BUCKETS];
}

static void mark(struct bare_names *names, struct entry *entry) {
        if (entry->n_sends++ > 0)
                return;
        entry->next_marked = names->marked;
        names->marked = entry;
}

static bool is_named(const struct entry *entry, const struct text *text) {
        return entry->hash == text->hash && entry->n_name == text->n &&
               memcmp(entry->name, text->at, text->n) == 0;
}

static void take(struct bare_names *names, const struct text *texts, size_t n) {
        struct entry *found[NAMES_PER_WRITE];

        for (size_t i = 0; i < n; i++) {
                found[i] = *bucket_of(names, texts[i].hash);
                __builtin_prefetch(found[i], 1);
        }
        for (size_t i = 0; i < n; i++) {
                while (found[i] && !is_named(found[i], &texts[i]))
                        found[i] = found[i]->next;
                if (!found[i])
                        die("a name that is not there");
                mark(names, found[i]);
        }
}

static void read_lines(struct bare_names *names, const char *at, size_t n_bytes) {
        const char *end = at + n_bytes;
        struct text texts[NAMES_PER_WRITE];
        size_t n = 0;

        while (at < end) {
                const char *newline = memchr(at, '\n', (size_t)(end - at)) ?: end;
                struct text *text = &texts[n++];

                text->at = at;
                text->n = (size_t)(newline - at);
                text->hash = hash_of(at, text->n);
                __builtin_prefetch(bucket_of(names, text->hash));
                at = newline + 1;
        }
        take(names, texts, n);
}

static void on_readable(uv_poll_t *poll, int status, int events) {
        struct bare_names *names = poll->data;
        struct mmsghdr headers[DATAGRAMS_AT_ONCE];
        struct iovec iovs[DATAGRAMS_AT_ONCE];
        int n;

        (void)status;
        (void)events;
        for (size_t i = 0; i < DATAGRAMS_AT_ONCE; i++) {
                iovs[i] = (struct iovec){names->bytes[i], MAX_BYTES};
                headers[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &iovs[i], .msg_iovlen = 1}};
        }
        n = recvmmsg(names->fd, headers, DATAGRAMS_AT_ONCE, MSG_DONTWAIT, NULL);
        for (int i = 0; i < n; i++)
                read_lines(names, names->bytes[i], headers[i].msg_len);
}

static void on_check(uv_check_t *check) {
        struct bare_names *names = check->data;
        struct entry *entry = names->marked;

        names->marked = NULL;
        while (entry) {
                struct entry *next = entry->next_marked;

                entry->n_wakes++;
                entry->n_sends = 0;
                entry = next;
        }
}

static void fill(struct bare_names *names) {
        struct entry *entries = calloc(N_NAMES, sizeof(*entries));

        if (!entries)
                die("out of memory");
        for (size_t i = 0; i < N_NAMES; i++) {
                struct entry *entry = &entries[i], **bucket;

                peer_make_name(entry->name, i);
                entry->n_name = (uint32_t)strlen(entry->name);
                entry->hash = hash_of(entry->name, entry->n_name);
                bucket = bucket_of(names, entry->hash);
                entry->next = *bucket;
                *bucket = entry;
        }
}

void bare_serve_names(int fd) {
        struct bare_names *names = calloc(1, sizeof(*names));
        uv_loop_t loop;

        if (!names)
                die("out of memory");
        fill(names);
        names->fd = fd;
        uv_loop_init(&loop);
        uv_poll_init(&loop, &names->poll, fd);
        uv_check_init(&loop, &names->check);
        names->poll.data = names->check.data = names;
        uv_poll_start(&names->poll, UV_READABLE, on_readable);
        uv_check_start(&names->check, on_check);
        uv_run(&loop, UV_RUN_DEFAULT);
}
