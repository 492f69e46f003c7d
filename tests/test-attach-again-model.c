/*
 * Goes through every interleaving of a client that attaches again, to a new daemon, while a thread
 * of it sends. The memory and the bell are two of each, an old and a new one; what the sender does
 * goes to those in place. In the end states the new daemon must have taken all sends. With orders
 * that were broken on purpose a send must be lost: so we know that the search can fail.
 *
 *     sender  add to the word; if it counted nothing: set the bit; take armed; ring
 *     owner   put the new bell in place, then the new memory; empty the old memory, and send what
 *             it found there, as a sender does
 *     daemon  sleep until the new bell rings; take the bit; take the word; arm; look at the bit
 *
 * What goes on between one daemon and its senders is in test-attach-model.c.
 */

#include "tests/model.h"
#include "tests/support.h"

#define N_SENDS 2

enum variant {
        RIGHT,
        BELL_LAST,   /* the memory changes hands before the bell */
        SWEEP_EARLY, /* the old memory is emptied before it changes hands */
        N_VARIANTS,
};

enum { OLD, NEW };

enum sender_at {
        SENDER_COUNT,
        SENDER_BIT,
        SENDER_LOOK,
        SENDER_RING,
        SENDER_DONE,
};

enum owner_at {
        OWNER_BEGIN,
        OWNER_SECOND,
        OWNER_THIRD,
        OWNER_COUNT, /* it sends what it found, as a sender does */
        OWNER_BIT,
        OWNER_LOOK,
        OWNER_RING,
        OWNER_DONE,
};

enum daemon_at {
        DAEMON_SLEEP,
        DAEMON_TAKE,
        DAEMON_TAKE_WORD,
        DAEMON_ARM,
        DAEMON_LOOK,
};

struct state {
        uint8_t sender_at, n_sent;
        uint8_t owner_at, n_found;
        uint8_t memory, bell; /* in place: OLD or NEW */
        uint8_t count[2], bit[2], armed[2], n_rings[2];
        uint8_t daemon_at; /* of the new daemon; the old one is dead */
        uint8_t n_taken;
};

static struct model model;
static enum variant variant;

static void sender_sent(struct state *state) {
        state->n_sent++;
        state->sender_at = state->n_sent < N_SENDS ? SENDER_COUNT : SENDER_DONE;
}

static void sender_step(struct state state) {
        switch (state.sender_at) {
        case SENDER_COUNT:
                state.sender_at = SENDER_BIT;
                if (state.count[state.memory]++ > 0)
                        sender_sent(&state);
                break;
        case SENDER_BIT:
                state.bit[state.memory] = 1;
                state.sender_at = SENDER_LOOK;
                break;
        case SENDER_LOOK:
                if (state.armed[state.memory])
                        state.sender_at = SENDER_RING;
                else
                        sender_sent(&state);
                state.armed[state.memory] = 0;
                break;
        case SENDER_RING:
                state.n_rings[state.bell]++;
                sender_sent(&state);
                break;
        default:
                return;
        }
        model_found(&model, &state);
}

/* The owner's three steps, in the order of the variant: bell, memory, sweep. */
static void owner_swap(struct state *state, unsigned int step) {
        static const char orders[N_VARIANTS][4] = {
                [RIGHT] = "bms",
                [BELL_LAST] = "msb",
                [SWEEP_EARLY] = "sbm",
        };

        switch (orders[variant][step]) {
        case 'b':
                state->bell = NEW;
                break;
        case 'm':
                state->memory = NEW;
                break;
        default:
                state->n_found = state->count[OLD];
                state->count[OLD] = 0;
        }
}

static void owner_step(struct state state) {
        switch (state.owner_at) {
        case OWNER_BEGIN:
        case OWNER_SECOND:
        case OWNER_THIRD:
                owner_swap(&state, state.owner_at - OWNER_BEGIN);
                state.owner_at++;
                if (state.owner_at == OWNER_COUNT && state.n_found == 0)
                        state.owner_at = OWNER_DONE;
                break;
        case OWNER_COUNT:
                state.owner_at = state.count[NEW] ? OWNER_DONE : OWNER_BIT;
                state.count[NEW] += state.n_found;
                break;
        case OWNER_BIT:
                state.bit[NEW] = 1;
                state.owner_at = OWNER_LOOK;
                break;
        case OWNER_LOOK:
                state.owner_at = state.armed[NEW] ? OWNER_RING : OWNER_DONE;
                state.armed[NEW] = 0;
                break;
        case OWNER_RING:
                state.n_rings[NEW]++;
                state.owner_at = OWNER_DONE;
                break;
        default:
                return;
        }
        model_found(&model, &state);
}

static void daemon_step(struct state state) {
        switch (state.daemon_at) {
        case DAEMON_SLEEP:
                if (state.n_rings[NEW] == 0)
                        return;
                state.n_rings[NEW] = 0;
                state.daemon_at = DAEMON_TAKE;
                break;
        case DAEMON_TAKE:
                state.daemon_at = state.bit[NEW] ? DAEMON_TAKE_WORD : DAEMON_ARM;
                state.bit[NEW] = 0;
                break;
        case DAEMON_TAKE_WORD:
                state.n_taken += state.count[NEW];
                state.count[NEW] = 0;
                state.daemon_at = DAEMON_ARM;
                break;
        case DAEMON_ARM:
                state.armed[NEW] = 1;
                state.daemon_at = DAEMON_LOOK;
                break;
        case DAEMON_LOOK:
                state.daemon_at = state.bit[NEW] ? DAEMON_TAKE : DAEMON_SLEEP;
                break;
        }
        model_found(&model, &state);
}

static size_t search(enum variant v) {
        struct state state = {.daemon_at = DAEMON_SLEEP, .armed = {1, 1}};
        size_t n_lost = 0;

        variant = v;
        model_init(&model, sizeof(state));
        model_found(&model, &state);
        while (model_next(&model, &state)) {
                test_expect(state.n_taken <= N_SENDS);
                if (state.sender_at == SENDER_DONE && state.owner_at == OWNER_DONE &&
                    state.daemon_at == DAEMON_SLEEP && state.n_rings[NEW] == 0)
                        n_lost += state.n_taken < N_SENDS;
                sender_step(state);
                owner_step(state);
                daemon_step(state);
        }
        ck_assert_uint_gt(model.n_states, 100);
        model_deinit(&model);
        return n_lost;
}

static void attaching_again_loses_nothing(void) {
        ck_assert_uint_eq(search(RIGHT), 0);
}

static void broken_orders_lose_sends(void) {
        for (int v = RIGHT + 1; v < N_VARIANTS; v++)
                ck_assert_msg(search(v) > 0, "variant %d", v);
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(attaching_again_loses_nothing),
                TEST(broken_orders_lose_sends),
                {0},
        };

        return test_main("attach-again-model", tests, argc, argv);
}
