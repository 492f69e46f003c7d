/*
 * Of each kind of event only the latest is kept, with what it stands for: how many sends all of
 * them covered, and how many events were left out. So whoever reads slowly loses detail and never
 * the latest, and events cost the same however many there are.
 *
 * The kinds are told in the order of their latest events. A run that began after another one ended
 * is thus told of behind it, whatever was left out between.
 */

#include "daemon/news.h"

#include <string.h>

#include "lib/buffer.h"
#include "daemon/handle.h"
#include "daemon/json-write.h"
#include "lib/clock.h"

/* Puts a kind at the end of the order. True: there was no news of it. */
static bool renew(struct news *news, enum news_kind kind) {
        unsigned int at = 0;
        bool is_new;

        while (at < news->n_kinds && news->kinds[at] != kind)
                at++;
        is_new = at == news->n_kinds;
        if (!is_new) {
                memmove(news->kinds + at, news->kinds + at + 1, news->n_kinds - at - 1U);
                news->n_kinds--;
        }
        news->kinds[news->n_kinds++] = (uint8_t)kind;
        return is_new;
}

bool news_add_wake(struct news *news, uint64_t seq, uint64_t n_sends) {
        bool is_first = news->n_kinds == 0;

        if (renew(news, NEWS_WAKE)) {
                news->wake.n_sends = news->wake.n_missed = 0;
        } else {
                news->wake.n_missed++;
        }
        news->wake.seq = seq;
        news->wake.n_sends += n_sends;
        return is_first;
}

bool news_add_run_started(struct news *news, uint64_t seq, uint64_t n_sends) {
        bool is_first = news->n_kinds == 0;

        (void)renew(news, NEWS_RUN_STARTED);
        news->started.seq = seq;
        news->started.n_sends = n_sends;
        return is_first;
}

bool news_add_run_ended(struct news *news, const struct run_result *result) {
        bool is_first = news->n_kinds == 0;

        if (renew(news, NEWS_RUN_ENDED))
                news->ended.n_missed = 0;
        else
                news->ended.n_missed++;
        news->ended.seq = result->seq;
        news->ended.n_sends = result->n_sends;
        news->ended.duration_ms = (result->ended_ns - result->started_ns) / NS_PER_MS;
        news->ended.status = result->status;
        news->ended.outcome = (uint8_t)result->outcome;
        news->ended.success = result->success;
        return is_first;
}

/* Every wake that somebody waits for passes here, so what is the same each time is one piece of
 * text. A name stands for itself: no legal one has anything to escape. */
#define write_head(out, method)                                               \
        buffer_add_literal((out), "{\"jsonrpc\":\"2.0\",\"method\":\"" method \
                                  "\",\"params\":{\"name\":\"")

static void write_covered(struct buffer *out, const char *name, uint64_t seq, uint64_t n_sends) {
        buffer_add_str(out, name);
        buffer_add_literal(out, "\",\"seq\":");
        rouse__buffer_add_u64(out, seq);
        buffer_add_literal(out, ",\"sends\":");
        rouse__buffer_add_u64(out, n_sends);
}

static void write_missed(struct buffer *out, uint64_t n_missed) {
        buffer_add_literal(out, ",\"missed\":");
        rouse__buffer_add_u64(out, n_missed);
}

static void write_ended(const struct news *news, struct buffer *out) {
        json_write_key(out, "outcome");
        json_write_string(out, run_outcome_to_string((enum run_outcome)news->ended.outcome));
        json_write_key(out, "status");
        json_write_i64(out, news->ended.status);
        json_write_key(out, "success");
        json_write_bool(out, news->ended.success);
        json_write_key(out, "duration_ms");
        json_write_u64(out, news->ended.duration_ms);
}

static void write_one(const struct news *news, enum news_kind kind, const char *name,
                      struct buffer *out) {
        switch (kind) {
        case NEWS_WAKE:
                write_head(out, "wake");
                write_covered(out, name, news->wake.seq, news->wake.n_sends);
                write_missed(out, news->wake.n_missed);
                break;
        case NEWS_RUN_STARTED:
                write_head(out, "run_started");
                write_covered(out, name, news->started.seq, news->started.n_sends);
                break;
        case NEWS_RUN_ENDED:
                write_head(out, "run_ended");
                write_covered(out, name, news->ended.seq, news->ended.n_sends);
                write_ended(news, out);
                write_missed(out, news->ended.n_missed);
                break;
        case N_NEWS_KINDS:
                break;
        }
        buffer_add_literal(out, "}}\n");
}

uint64_t news_tell(struct news *news, const char *name, struct buffer *out,
                   unsigned int *ret_n_told) {
        uint64_t n_missed = 0;

        for (unsigned int i = 0; i < news->n_kinds; i++) {
                write_one(news, (enum news_kind)news->kinds[i], name, out);
                if (news->kinds[i] == NEWS_WAKE)
                        n_missed += news->wake.n_missed;
                if (news->kinds[i] == NEWS_RUN_ENDED)
                        n_missed += news->ended.n_missed;
        }
        *ret_n_told = news->n_kinds;
        news_forget(news);
        return n_missed;
}
