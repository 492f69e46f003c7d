#include "tests/rpc-talk.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "tests/rpc-methods.h"
#include "tests/support.h"

unsigned int n_answered;
bool every_turn_is_over;

static bool turn_is_over(struct rpc *rpc) {
        (void)rpc;
        return every_turn_is_over;
}

static void answered(struct rpc *rpc) {
        (void)rpc;
        n_answered++;
}

static const struct rpc_host host = {.turn_is_over = turn_is_over, .answered = answered};

void talk_init(struct talk *talk) {
        *talk = (struct talk){.heard = NULL};
        ck_assert_int_eq(rpc_table_init(&talk->table, example_methods), 0);
        rpc_init(&talk->rpc, &talk->table, &host, &talk->counters, &talk->out);
}

void talk_deinit(struct talk *talk) {
        rpc_deinit(&talk->rpc);
        rpc_table_deinit(&talk->table);
        rouse__buffer_deinit(&talk->out);
        free(talk->heard);
}

const char *hear(struct talk *talk) {
        ck_assert(!talk->out.failed);
        free(talk->heard);
        talk->heard = strndup(talk->out.data ?: "", talk->out.n);
        ck_assert_ptr_nonnull(talk->heard);
        talk->out.n = 0;
        return talk->heard;
}

bool say(struct talk *talk, const char *text) {
        size_t n = strlen(text);
        char *copy = malloc(n ?: 1);
        bool done;

        ck_assert_ptr_nonnull(copy);
        memcpy(copy, text, n);
        done = rpc_take(&talk->rpc, copy, n);
        free(copy);
        return done;
}

const char *ask(struct talk *talk, const char *text) {
        ck_assert(say(talk, text));
        return hear(talk);
}

void assert_answer(const char *text, const char *answer, const char *expected) {
        json_t *is, *should;

        if (!*expected) {
                ck_assert_msg(!*answer, "%s answers %s", text, answer);
                return;
        }
        ck_assert_msg(strchr(answer, '\n') == answer + strlen(answer) - 1, "%s answers no line: %s",
                      text, answer);
        is = json_loads(answer, JSON_REJECT_DUPLICATES, NULL);
        should = json_loads(expected, JSON_REJECT_DUPLICATES, NULL);
        ck_assert_msg(is && should && json_equal(is, should), "%s answers %s instead of %s", text,
                      answer, expected);
        json_decref(is);
        json_decref(should);
}
