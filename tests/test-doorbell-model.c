/*
 * Goes through every interleaving of the doorbell's protocol: one loop and two senders, each atomic
 * operation one step, in a sequentially consistent world (doorbell.c says why it is one).
 *
 * A state is a few small numbers. From the first state all others are found, each once; in every
 * one of them the promise is checked, and the end states must have all sends woken. Then the same
 * is done with protocols that were broken on purpose, and a wake must be lost: so we know that the
 * search can fail.
 *
 * The steps are those of doorbell.c and hub.c:
 *
 *     sender  count in the word (who finds it 0 pushes); push; look at armed; take the token; write
 *             the eventfd
 *     or      count on a stripe, which nobody else sees before the sender's next locked instruction
 *             or some time later; look at the word; if it is not pending nudge, and push
 *     loop    sleep until the eventfd is readable; disarm; take the list; clear the word of each
 *             handle on it, read its stripe, and call back; read the eventfd if a ring is due; have
 *             all senders show their counts, and nudge the handles that have any; arm; look at the
 *             list, and if it is not empty disarm and do not sleep
 *
 * Each sender sends N_SENDS times, to a handle of its own or to the same one; one of them, both or
 * none use stripes. Besides, the loop may begin a pass at any time without being rung for, as if a
 * timer had come.
 */

#include "tests/model.h"
#include "tests/support.h"

#define N_SENDERS 2
#define N_SENDS   2

enum variant {
        RIGHT,
        NO_SECOND_LOOK,   /* the loop arms and sleeps */
        LOOK_BEFORE_ARM,  /* the loop looks first and arms then */
        RING_BEFORE_PUSH, /* the sender looks at armed before its push */
        READ_AFTER_ARM,   /* the loop reads the eventfd after it armed and looked */
        N_VARIANTS,
        /* These lose only what is counted on stripes. */
        NO_CHECK = N_VARIANTS, /* the loop does not look at the stripes before it sleeps */
        NO_BARRIER,            /* it does, but has nobody show his counts */
        LOOK_BEFORE_COUNT,     /* the sender looks at the word before it counts */
        N_STRIPED_VARIANTS,
};

enum sender_at {
        SENDER_COUNT,
        SENDER_LOOK_AT_WORD,
        SENDER_NUDGE,
        SENDER_LATE_COUNT,
        SENDER_PUSH,
        SENDER_LOOK,
        SENDER_TAKE,
        SENDER_WRITE,
        SENDER_DONE,
};

enum loop_at {
        LOOP_SLEEP, /* in epoll_wait() */
        LOOP_DISARM,
        LOOP_TAKE,
        LOOP_WAKE,
        LOOP_SUM,
        LOOP_READ,
        LOOP_CHECK,
        LOOP_ARM,
        LOOP_LOOK,
        LOOP_LATE_READ,
};

struct state {
        struct {
                uint8_t at, n_sent;
                uint8_t hidden; /* counted on the stripe, and not to be seen yet */
        } senders[N_SENDERS];
        struct {
                uint8_t count;   /* in the word */
                uint8_t nudge;   /* in the word */
                uint8_t striped; /* to be seen on the stripe, and not taken */
                uint8_t listed;  /* on the pending list */
                uint8_t taken;   /* on the loop's own list */
        } handles[N_SENDERS];
        uint8_t loop_at;
        uint8_t armed;     /* the token */
        uint8_t is_armed;  /* as the loop left it */
        uint8_t n_written; /* in the eventfd */
        uint8_t n_due;
        uint8_t n_woken; /* sends that callbacks were told of */
        uint8_t n_extra; /* passes without a ring that are left */
};

static struct model model;
static enum variant variant;
static bool one_handle;
static unsigned int striped; /* which senders use stripes, a bit each */

static bool list_is_empty(const struct state *state) {
        for (int i = 0; i < N_SENDERS; i++)
                if (state->handles[i].listed)
                        return false;
        return true;
}

static bool is_striped(int sender) {
        return striped >> sender & 1;
}

static bool is_pending(const struct state *state, int handle) {
        return state->handles[handle].count > 0 || state->handles[handle].nudge;
}

static void sender_sent(struct state *state, int i) {
        state->senders[i].n_sent++;
        state->senders[i].at = state->senders[i].n_sent < N_SENDS ? SENDER_COUNT : SENDER_DONE;
}

/* The sender has made the handle pending. */
static void sender_is_first(struct state *state, int i) {
        state->senders[i].at = variant == RING_BEFORE_PUSH ? SENDER_LOOK : SENDER_PUSH;
}

/* The sender's writes are there for everybody. */
static void sender_shows(struct state *state, int i) {
        state->handles[one_handle ? 0 : i].striped += state->senders[i].hidden;
        state->senders[i].hidden = 0;
}

static void sender_counts(struct state *state, int i, int handle) {
        bool was_pending = is_pending(state, handle);

        if (is_striped(i)) {
                if (variant == LOOK_BEFORE_COUNT) {
                        state->senders[i].at = was_pending ? SENDER_LATE_COUNT : SENDER_NUDGE;
                } else {
                        state->senders[i].hidden++;
                        state->senders[i].at = SENDER_LOOK_AT_WORD;
                }
                return;
        }
        state->handles[handle].count++;
        if (was_pending)
                sender_sent(state, i);
        else
                sender_is_first(state, i);
}

static void sender_step(struct state state, int i) {
        int handle = one_handle ? 0 : i;
        bool rings_first = variant == RING_BEFORE_PUSH;

        switch (state.senders[i].at) {
        case SENDER_COUNT:
                sender_counts(&state, i, handle);
                break;
        case SENDER_LOOK_AT_WORD:
                if (is_pending(&state, handle))
                        sender_sent(&state, i);
                else
                        state.senders[i].at = SENDER_NUDGE;
                break;
        case SENDER_NUDGE: /* a compare-and-exchange, which looks again */
                if (variant == LOOK_BEFORE_COUNT)
                        state.senders[i].hidden++;
                sender_shows(&state, i);
                if (is_pending(&state, handle)) {
                        sender_sent(&state, i);
                } else {
                        state.handles[handle].nudge = 1;
                        sender_is_first(&state, i);
                }
                break;
        case SENDER_LATE_COUNT:
                state.senders[i].hidden++;
                sender_sent(&state, i);
                break;
        case SENDER_PUSH:
                state.handles[handle].listed = 1;
                if (rings_first)
                        sender_sent(&state, i);
                else
                        state.senders[i].at = SENDER_LOOK;
                break;
        case SENDER_LOOK:
        case SENDER_TAKE:
                if (!state.armed) {
                        if (rings_first)
                                state.senders[i].at = SENDER_PUSH;
                        else
                                sender_sent(&state, i);
                } else if (state.senders[i].at == SENDER_LOOK) {
                        state.senders[i].at = SENDER_TAKE;
                } else {
                        state.armed = 0;
                        state.senders[i].at = SENDER_WRITE;
                }
                break;
        case SENDER_WRITE:
                state.n_written++;
                if (rings_first)
                        state.senders[i].at = SENDER_PUSH;
                else
                        sender_sent(&state, i);
                break;
        default:
                return;
        }
        model_found(&model, &state);
}

static void loop_disarm(struct state *state) {
        if (!state->is_armed)
                return;
        state->is_armed = 0;
        if (!state->armed)
                state->n_due++;
        state->armed = 0;
}

static void loop_clears(struct state *state, int i) {
        state->n_woken += state->handles[i].count;
        state->handles[i].count = state->handles[i].nudge = 0;
}

static void loop_sums(struct state *state, int i) {
        state->n_woken += state->handles[i].striped;
        state->handles[i].striped = 0;
}

static void loop_checks(struct state *state) {
        for (int i = 0; i < N_SENDERS; i++) {
                if (variant != NO_BARRIER)
                        sender_shows(state, i);
        }
        for (int i = 0; i < N_SENDERS; i++)
                if (state->handles[i].striped > 0 && !is_pending(state, i))
                        state->handles[i].nudge = state->handles[i].listed = 1;
}

static void loop_read(struct state *state) {
        if (state->n_due == 0 || state->n_written == 0)
                return;
        ck_assert_uint_le(state->n_written, state->n_due);
        state->n_due -= state->n_written;
        state->n_written = 0;
}

/* After the loop has looked at the list, armed. */
static void loop_looked(struct state *state, bool is_empty) {
        if (is_empty) {
                state->loop_at = variant == READ_AFTER_ARM ? LOOP_LATE_READ : LOOP_SLEEP;
        } else {
                loop_disarm(state);
                state->loop_at = LOOP_DISARM; /* the next pass, without sleep */
        }
}

static void loop_step(struct state state) {
        switch (state.loop_at) {
        case LOOP_SLEEP:
                if (state.n_written == 0)
                        return;
                state.loop_at = LOOP_DISARM;
                break;
        case LOOP_DISARM:
                loop_disarm(&state);
                state.loop_at = LOOP_TAKE;
                break;
        case LOOP_TAKE:
                for (int i = 0; i < N_SENDERS; i++) {
                        ck_assert(!state.handles[i].taken);
                        state.handles[i].taken |= state.handles[i].listed;
                        state.handles[i].listed = 0;
                }
                state.loop_at = LOOP_WAKE;
                break;
        case LOOP_WAKE:
                /* One handle a step. */
                for (int i = 0; i < N_SENDERS; i++) {
                        if (!state.handles[i].taken)
                                continue;
                        ck_assert(is_pending(&state, i));
                        loop_clears(&state, i);
                        state.loop_at = LOOP_SUM;
                        model_found(&model, &state);
                        return;
                }
                state.loop_at = variant == READ_AFTER_ARM ? LOOP_ARM : LOOP_READ;
                break;
        case LOOP_SUM:
                for (int i = 0; i < N_SENDERS; i++) {
                        if (!state.handles[i].taken)
                                continue;
                        loop_sums(&state, i);
                        state.handles[i].taken = 0;
                        break;
                }
                state.loop_at = LOOP_WAKE;
                break;
        case LOOP_READ:
                loop_read(&state);
                state.loop_at = variant == LOOK_BEFORE_ARM ? LOOP_LOOK : LOOP_CHECK;
                break;
        case LOOP_CHECK:
                if (variant != NO_CHECK)
                        loop_checks(&state);
                state.loop_at = LOOP_ARM;
                break;
        case LOOP_ARM:
                state.is_armed = state.armed = 1;
                state.loop_at = LOOP_LOOK;
                if (variant == NO_SECOND_LOOK || variant == LOOK_BEFORE_ARM)
                        state.loop_at = LOOP_SLEEP;
                break;
        case LOOP_LOOK:
                if (variant == LOOK_BEFORE_ARM)
                        state.loop_at = list_is_empty(&state) ? LOOP_ARM : LOOP_DISARM;
                else
                        loop_looked(&state, list_is_empty(&state));
                break;
        case LOOP_LATE_READ:
                /* Without the account of rings due, a ring for the next pass is swallowed. */
                state.n_written = 0;
                state.n_due = 0;
                state.loop_at = LOOP_SLEEP;
                break;
        }
        model_found(&model, &state);
}

/* What was counted comes to be seen by itself. */
static void sender_flush(struct state state, int i) {
        if (state.senders[i].hidden == 0)
                return;
        sender_shows(&state, i);
        model_found(&model, &state);
}

/* A pass that nobody rang for. */
static void loop_extra(struct state state) {
        if (state.loop_at != LOOP_SLEEP || state.n_extra == 0)
                return;
        state.n_extra--;
        state.loop_at = LOOP_DISARM;
        model_found(&model, &state);
}

/* Whether a sleeping loop has missed a send with nobody left to ring. */
static bool is_lost(const struct state *state) {
        uint8_t n_sent = 0;

        if (state->loop_at != LOOP_SLEEP || state->n_written > 0)
                return false;
        for (int i = 0; i < N_SENDERS; i++) {
                if (state->senders[i].at != SENDER_DONE)
                        return false;
                n_sent += state->senders[i].n_sent;
        }
        ck_assert_uint_le(state->n_woken, n_sent);
        return state->n_woken < n_sent;
}

/* The senders are done and the loop sleeps, so nothing is due: a hub that is closed now may close
 * its eventfd. */
static void check_end(const struct state *state) {
        if (state->loop_at != LOOP_SLEEP || state->n_written > 0)
                return;
        for (int i = 0; i < N_SENDERS; i++)
                if (state->senders[i].at != SENDER_DONE)
                        return;
        ck_assert_uint_eq(state->n_due, 0);
        ck_assert(state->armed);
}

/* The number of states in which a wake is lost. */
static size_t search(enum variant v, bool same_handle, unsigned int which) {
        struct state state = {.loop_at = LOOP_SLEEP, .armed = 1, .is_armed = 1, .n_extra = 2};
        size_t n_lost = 0;

        variant = v;
        one_handle = same_handle;
        striped = which;
        model_init(&model, sizeof(state));
        model_found(&model, &state);
        while (model_next(&model, &state)) {
                if (is_lost(&state))
                        n_lost++;
                else if (v == RIGHT)
                        check_end(&state);
                for (int k = 0; k < N_SENDERS; k++) {
                        sender_step(state, k);
                        sender_flush(state, k);
                }
                loop_step(state);
                loop_extra(state);
        }
        ck_assert_uint_gt(model.n_states, 1000);
        model_deinit(&model);
        return n_lost;
}

static void no_interleaving_loses_a_wake(void) {
        for (unsigned int which = 0; which < 1U << N_SENDERS; which++) {
                ck_assert_uint_eq(search(RIGHT, false, which), 0);
                ck_assert_uint_eq(search(RIGHT, true, which), 0);
        }
}

static void broken_protocols_lose_wakes(void) {
        for (int v = RIGHT + 1; v < N_VARIANTS; v++) {
                ck_assert_msg(search(v, false, 0) > 0, "variant %d", v);
                ck_assert_msg(search(v, true, 0) > 0, "variant %d, one handle", v);
        }
}

static void broken_stripes_lose_wakes(void) {
        for (int v = N_VARIANTS; v < N_STRIPED_VARIANTS; v++)
                for (unsigned int which = 1; which < 1U << N_SENDERS; which++)
                        ck_assert_msg(search(v, true, which) > 0, "variant %d, stripes of %u", v,
                                      which);
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(no_interleaving_loses_a_wake),
                TEST(broken_protocols_lose_wakes),
                TEST(broken_stripes_lose_wakes),
                {0},
        };

        return test_main("doorbell-model", tests, argc, argv);
}
