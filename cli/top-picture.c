/*
 * The handles lie by name, so that those of two pictures are found beside each other in one walk
 * through both, however many there are. Names are compared as the daemon writes them, which is the
 * same each time.
 *
 * A number that has become less is another daemon's: what happened since is not known then.
 */

#include "cli/top-picture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/result.h"
#include "lib/clock.h"

#define UNKNOWN 9 /* the rank of a state that is not known */

static const char *const ranks[TOP_N_RANKS] = {
        "failed", "backing_off", "running", "behind_run", "pending", "group_full",
        "quiet",  "interval",    "paused",  "other",      "idle",    "closed",
};

const char *top_rank_name(unsigned int rank) {
        return ranks[rank];
}

static unsigned int find_rank(struct json_text handle) {
        struct json_text state = result_member(handle, "state");

        for (unsigned int rank = 0; rank < TOP_N_RANKS; rank++)
                if (rank != UNKNOWN && rouse__json_string_is(state, ranks[rank]))
                        return rank;
        return UNKNOWN;
}

static double find_rate(uint64_t before, uint64_t now, uint64_t span_ns) {
        if (now < before || span_ns == 0)
                return -1;
        return (double)(now - before) * (double)NS_PER_S / (double)span_ns;
}

static int compare_names(const void *a, const void *b) {
        const struct json_text *x = &((const struct top_handle *)a)->name,
                               *y = &((const struct top_handle *)b)->name;
        int order = memcmp(x->at, y->at, x->n < y->n ? x->n : y->n);

        return order ?: (x->n > y->n) - (x->n < y->n);
}

/* They lie by name, so their place decides at last. */
static int compare(const void *a, const void *b) {
        const struct top_handle *x = *(const struct top_handle *const *)a,
                                *y = *(const struct top_handle *const *)b;

        if (x->rank != y->rank)
                return x->rank < y->rank ? -1 : 1;
        if (x->wakes_per_s != y->wakes_per_s)
                return x->wakes_per_s > y->wakes_per_s ? -1 : 1;
        return (x > y) - (x < y);
}

static int read_handles(struct top_picture *picture, struct json_text list) {
        struct json_iterator it = {.whole = list};
        size_t n = 0;

        while (rouse__json_next(&it))
                n++;
        if (n == 0)
                return 0;
        picture->handles = calloc(n, sizeof(*picture->handles));
        picture->order = calloc(n, sizeof(*picture->order));
        if (!picture->handles || !picture->order)
                return -ENOMEM;
        it = (struct json_iterator){.whole = list};
        while (rouse__json_next(&it)) {
                struct top_handle *handle = picture->handles + picture->n_handles;

                handle->json = it.value;
                handle->name = result_member(it.value, "name");
                if (rouse__json_kind(handle->name) != JSON_TYPE_STRING)
                        continue;
                handle->seq = result_u64(it.value, "seq");
                handle->rank = find_rank(it.value);
                handle->wakes_per_s = -1;
                picture->n_of_rank[handle->rank]++;
                picture->n_handles++;
        }
        return 0;
}

static void find_wakes(struct top_picture *picture, const struct top_picture *before) {
        size_t at = 0;

        for (size_t i = 0; i < picture->n_handles; i++) {
                struct top_handle *handle = picture->handles + i;
                int order = -1;

                while (at < before->n_handles &&
                       (order = compare_names(before->handles + at, handle)) < 0)
                        at++;
                if (order == 0)
                        handle->wakes_per_s = find_rate(before->handles[at].seq, handle->seq,
                                                        picture->taken_ns - before->taken_ns);
        }
}

static void find_totals(struct top_picture *picture, const struct top_picture *before) {
        static const char *const members[TOP_N_RATES] = {"sends", "wakes", "runs"};
        bool is_same =
                before->stats.n > 0 && picture->stats.n > 0 &&
                result_u64(before->stats, "uptime_ms") <= result_u64(picture->stats, "uptime_ms");

        for (int i = 0; i < TOP_N_RATES; i++)
                picture->per_s[i] = is_same ? find_rate(result_u64(before->stats, members[i]),
                                                        result_u64(picture->stats, members[i]),
                                                        picture->taken_ns - before->taken_ns)
                                            : -1;
}

int top_picture_init(struct top_picture *picture, struct json_text stats, const char *refusal,
                     struct json_text list, uint64_t taken_ns, const struct top_picture *before) {
        struct top_picture new = {.taken_ns = taken_ns};

        buffer_add(&new.text, stats.at, stats.n);
        buffer_add(&new.text, list.at, list.n);
        if (new.text.failed) {
                top_picture_deinit(&new);
                return -ENOMEM;
        }
        new.stats = (struct json_text){.at = new.text.data, .n = stats.n};
        list.at = new.text.data + stats.n;
        snprintf(new.refusal, sizeof(new.refusal), "%s", refusal);
        if (read_handles(&new, list) < 0) {
                top_picture_deinit(&new);
                return -ENOMEM;
        }
        find_totals(&new, before);
        if (new.n_handles > 0)
                qsort(new.handles, new.n_handles, sizeof(*new.handles), compare_names);
        find_wakes(&new, before);
        for (size_t i = 0; i < new.n_handles; i++)
                new.order[i] = new.handles + i;
        if (new.n_handles > 0)
                qsort(new.order, new.n_handles, sizeof(struct top_handle *), compare);
        *picture = new;
        return 0;
}

void top_picture_deinit(struct top_picture *picture) {
        rouse__buffer_deinit(&picture->text);
        free(picture->handles);
        free(picture->order);
        *picture = (struct top_picture)TOP_PICTURE_NULL;
}
