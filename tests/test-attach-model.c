/*
 * Goes through every interleaving of what attach-words.h says: a daemon and two senders, each
 * atomic operation one step. In the end states all sends must have been taken. Then the same is
 * done with protocols that were broken on purpose, and a send must be lost: so we know that the
 * search can fail.
 *
 *     sender  add to the word; if it counted nothing: set the bit; look at armed; take the token;
 *             ring
 *     daemon  sleep until the bell rings; disarm; take the summary; take each word with a bit; arm;
 *             look at the summary, and if it is not empty disarm and take again; after a turn that
 *             found nothing, empty the bell and take another one
 *
 * The bell wakes the daemon as long as it has rings in it, or, with edges, once for each ring that
 * is still in it then.
 *
 * Each sender sends N_SENDS times, to a word of its own or to the same one. Besides, the daemon may
 * begin to take at any time without being rung for, as a reload does; and it may close the first
 * word, where it takes what was sent before, and what comes after is refused.
 */

#include "tests/model.h"
#include "tests/support.h"

#define N_SENDERS 2
#define N_SENDS   2

enum variant {
        RIGHT,
        NO_SECOND_LOOK,    /* the daemon arms and sleeps */
        LOOK_BEFORE_ARM,   /* the daemon looks first and arms then */
        RING_BEFORE_BIT,   /* the sender looks at armed before it sets the bit */
        BIT_BEFORE_COUNT,  /* the sender looks at the word, sets the bit, and counts then */
        WORDS_BEFORE_BITS, /* the daemon takes the words of the bits it sees, then the bits */
        READ_AND_SLEEP,    /* the daemon empties the bell and takes no other turn */
        FIRST_THAT_CLOSES, /* below: found by closing alone */
        CLOSE_AFTER_TAKE =
                FIRST_THAT_CLOSES, /* the daemon takes the word, and then sets the flag */
        TAKE_CLOSED,               /* the daemon takes a closed word like any other */
        N_VARIANTS,
};

enum sender_at {
        SENDER_COUNT,
        SENDER_BIT,
        SENDER_LOOK,
        SENDER_TAKE,
        SENDER_RING,
        SENDER_LATE_BIT,
        SENDER_LATE_COUNT,
        SENDER_DONE,
};

enum daemon_at {
        DAEMON_SLEEP,
        DAEMON_READ,
        DAEMON_DISARM,
        DAEMON_TAKE,
        DAEMON_TAKE_WORDS,
        DAEMON_CLEAR,
        DAEMON_ARM,
        DAEMON_LOOK,
};

enum close_at {
        CLOSE_BEGIN,
        CLOSE_FLAG,
        CLOSE_DONE,
};

struct state {
        struct {
                uint8_t at, n_sent;
        } senders[N_SENDERS];
        uint8_t counts[N_SENDERS]; /* of the words */
        uint8_t is_closed;         /* the flag of the first word */
        uint8_t close_at;          /* the daemon's closing of it */
        uint8_t n_refused;
        uint8_t summary, taken; /* bits; those that the daemon has taken */
        uint8_t daemon_at;
        uint8_t armed;
        uint8_t n_rings; /* in the bell */
        uint8_t edge;    /* one of them was not told yet */
        uint8_t is_idle; /* the turn has found nothing so far */
        uint8_t has_read;
        uint8_t n_taken; /* sends */
        uint8_t n_extra; /* turns without a ring that are left */
};

static struct model model;
static enum variant variant;
static bool one_word, with_edges;

static bool is_refused(const struct state *state, int word) {
        return word == 0 && state->is_closed;
}

static void sender_sent(struct state *state, int i) {
        state->senders[i].n_sent++;
        state->senders[i].at = state->senders[i].n_sent < N_SENDS ? SENDER_COUNT : SENDER_DONE;
}

/* After the look at armed, and the ring. */
static void sender_rang(struct state *state, int i) {
        if (variant == RING_BEFORE_BIT)
                state->senders[i].at = SENDER_LATE_BIT;
        else
                sender_sent(state, i);
}

static void sender_count(struct state *state, int i, int word) {
        bool is_first = state->counts[word] == 0;

        if (is_refused(state, word)) {
                state->n_refused++;
                state->counts[word]++; /* above the flag */
                sender_sent(state, i);
                return;
        }
        if (variant == BIT_BEFORE_COUNT && is_first) {
                state->senders[i].at = SENDER_BIT;
                return;
        }
        state->counts[word]++;
        if (!is_first)
                sender_sent(state, i);
        else
                state->senders[i].at = variant == RING_BEFORE_BIT ? SENDER_LOOK : SENDER_BIT;
}

static void sender_step(struct state state, int i) {
        int word = one_word ? 0 : i;

        switch (state.senders[i].at) {
        case SENDER_COUNT:
                sender_count(&state, i, word);
                break;
        case SENDER_BIT:
                state.summary |= 1 << word;
                state.senders[i].at = SENDER_LOOK;
                break;
        case SENDER_LOOK:
                if (variant == BIT_BEFORE_COUNT && !state.armed)
                        state.senders[i].at = SENDER_LATE_COUNT;
                else if (state.armed)
                        state.senders[i].at = SENDER_TAKE;
                else
                        sender_rang(&state, i);
                break;
        case SENDER_TAKE:
                if (state.armed) {
                        state.armed = 0;
                        state.senders[i].at = SENDER_RING;
                } else if (variant == BIT_BEFORE_COUNT) {
                        state.senders[i].at = SENDER_LATE_COUNT;
                } else {
                        sender_rang(&state, i);
                }
                break;
        case SENDER_RING:
                state.n_rings++;
                state.edge = 1;
                if (variant == BIT_BEFORE_COUNT)
                        state.senders[i].at = SENDER_LATE_COUNT;
                else
                        sender_rang(&state, i);
                break;
        case SENDER_LATE_BIT:
                state.summary |= 1 << word;
                sender_sent(&state, i);
                break;
        case SENDER_LATE_COUNT:
                state.n_refused += is_refused(&state, word);
                state.counts[word]++;
                sender_sent(&state, i);
                break;
        default:
                return;
        }
        model_found(&model, &state);
}

static void daemon_take_count(struct state *state, int word) {
        state->n_taken += state->counts[word];
        state->counts[word] = 0;
}

/* One word a step; false: there are no more. */
static bool daemon_take_word(struct state *state) {
        for (int i = 0; i < N_SENDERS; i++) {
                if (!(state->taken & 1 << i))
                        continue;
                state->taken &= (uint8_t) ~(1 << i);
                state->is_idle = 0;
                if (i == 0 && state->is_closed && variant != TAKE_CLOSED)
                        return true;
                daemon_take_count(state, i);
                if (i == 0)
                        state->is_closed = 0;
                return true;
        }
        return false;
}

static void daemon_begin(struct state *state) {
        state->is_idle = 1;
        state->has_read = 0;
        state->daemon_at = DAEMON_DISARM;
}

/* After the look that found nothing. */
static void daemon_end(struct state *state) {
        if (state->is_idle && !state->has_read)
                state->daemon_at = DAEMON_READ;
        else
                state->daemon_at = DAEMON_SLEEP;
}

static void daemon_step(struct state state) {
        switch (state.daemon_at) {
        case DAEMON_SLEEP:
                if (with_edges ? !state.edge : state.n_rings == 0)
                        return;
                state.edge = 0;
                if (state.n_rings > 0)
                        daemon_begin(&state);
                break;
        case DAEMON_READ:
                state.n_rings = 0;
                state.has_read = 1;
                state.daemon_at = variant == READ_AND_SLEEP ? DAEMON_SLEEP : DAEMON_DISARM;
                break;
        case DAEMON_DISARM:
                state.armed = 0;
                state.daemon_at = DAEMON_TAKE;
                break;
        case DAEMON_TAKE:
                state.taken = state.summary;
                if (variant != WORDS_BEFORE_BITS)
                        state.summary = 0;
                state.daemon_at = DAEMON_TAKE_WORDS;
                break;
        case DAEMON_TAKE_WORDS:
                if (daemon_take_word(&state))
                        break;
                state.daemon_at = variant == WORDS_BEFORE_BITS ? DAEMON_CLEAR
                                  : variant == LOOK_BEFORE_ARM ? DAEMON_LOOK
                                                               : DAEMON_ARM;
                break;
        case DAEMON_CLEAR:
                state.summary = 0;
                state.daemon_at = DAEMON_ARM;
                break;
        case DAEMON_ARM:
                state.armed = 1;
                if (variant == NO_SECOND_LOOK || variant == LOOK_BEFORE_ARM)
                        daemon_end(&state);
                else
                        state.daemon_at = DAEMON_LOOK;
                break;
        case DAEMON_LOOK:
                if (state.summary)
                        state.daemon_at = DAEMON_DISARM;
                else if (variant == LOOK_BEFORE_ARM)
                        state.daemon_at = DAEMON_ARM;
                else
                        daemon_end(&state);
                break;
        }
        model_found(&model, &state);
}

static void daemon_extra(struct state state) {
        if (state.daemon_at != DAEMON_SLEEP || state.n_extra == 0)
                return;
        state.n_extra--;
        daemon_begin(&state);
        state.has_read = 1; /* only the bell makes it look at the bell */
        model_found(&model, &state);
}

/* On the thread that takes turns, so between two of them. */
static void daemon_close(struct state state) {
        if (state.daemon_at != DAEMON_SLEEP || state.close_at == CLOSE_DONE)
                return;
        if (state.close_at == CLOSE_BEGIN)
                daemon_take_count(&state, 0);
        if (variant == CLOSE_AFTER_TAKE && state.close_at == CLOSE_BEGIN) {
                state.close_at = CLOSE_FLAG;
        } else {
                state.is_closed = 1;
                state.close_at = CLOSE_DONE;
        }
        model_found(&model, &state);
}

/* Nothing moves any more. */
static bool is_end(const struct state *state) {
        for (int i = 0; i < N_SENDERS; i++)
                if (state->senders[i].at != SENDER_DONE)
                        return false;
        return state->daemon_at == DAEMON_SLEEP && (with_edges ? !state->edge : !state->n_rings);
}

/* The number of states in which a send is lost, or one that was refused is taken. */
static size_t search(enum variant v, bool same_word, bool edges, bool closes) {
        struct state state = {
                .daemon_at = DAEMON_SLEEP,
                .close_at = closes ? CLOSE_BEGIN : CLOSE_DONE,
                .armed = 1,
                .n_extra = closes ? 1 : 2,
        };
        size_t n_lost = 0;

        variant = v;
        one_word = same_word;
        with_edges = edges;
        model_init(&model, sizeof(state));
        model_found(&model, &state);
        while (model_next(&model, &state)) {
                test_expect(state.n_taken <= N_SENDERS * N_SENDS);
                if (is_end(&state)) {
                        n_lost += state.n_taken + state.n_refused != N_SENDERS * N_SENDS;
                        test_expect(v != RIGHT || state.armed);
                }
                for (int i = 0; i < N_SENDERS; i++)
                        sender_step(state, i);
                daemon_step(state);
                daemon_extra(state);
                daemon_close(state);
        }
        ck_assert_uint_gt(model.n_states, 1000);
        model_deinit(&model);
        return n_lost;
}

static void no_interleaving_loses_a_send(void) {
        for (int i = 0; i < 8; i++)
                ck_assert_uint_eq(search(RIGHT, i & 1, i & 2, i & 4), 0);
}

static void broken_protocols_lose_sends(void) {
        for (int v = RIGHT + 1; v < N_VARIANTS; v++)
                for (int i = 0; i < 4; i++)
                        ck_assert_msg(search(v, i & 1, i & 2, v >= FIRST_THAT_CLOSES) > 0,
                                      "variant %d, %d", v, i);
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(no_interleaving_loses_a_send),
                TEST(broken_protocols_lose_sends),
                {0},
        };

        return test_main("attach-model", tests, argc, argv);
}
