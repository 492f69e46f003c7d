/* What a client has yet to be told of one handle: a bounded record of any number of events. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct buffer;
struct run_result;

enum news_kind {
        NEWS_WAKE,
        NEWS_RUN_STARTED,
        NEWS_RUN_ENDED,
        N_NEWS_KINDS,
};

struct news {
        uint8_t kinds[N_NEWS_KINDS]; /* those to be told of, by their latest event */
        uint8_t n_kinds;
        struct {
                uint64_t seq, n_sends, n_missed;
        } wake;
        struct {
                uint64_t seq, n_sends;
        } started;
        struct {
                uint64_t seq, n_sends, n_missed, duration_ms;
                int status;
                uint8_t outcome; /* enum run_outcome */
                bool success;
        } ended;
};

/* An event. True: it is the first to be told of; false: others wait already. */
bool news_add_wake(struct news *news, uint64_t seq, uint64_t n_sends);
bool news_add_run_started(struct news *news, uint64_t seq, uint64_t n_sends);
bool news_add_run_ended(struct news *news, const struct run_result *result);

static inline void news_forget(struct news *news) {
        news->n_kinds = 0;
}

/* Writes a notification for each kind that there is news of, and forgets them. Returns how many
 * events had to be left out. */
uint64_t news_tell(struct news *news, const char *name, struct buffer *out,
                   unsigned int *ret_n_told);
