/*
 * As long as little is unread, nobody is asked. When it is tight, each address and each user is on
 * trial: of what it was given, a quarter has to be gone when the trial ends, from whoever it
 * was. One that does not read makes what is unread grow by all that it gets; one that reads, by
 * nothing. If others make it grow by as much meanwhile, a reader may be found guilty with them.
 *
 * Whoever is found not to read gets a smaller trial later, and later each time, so what it can take
 * in this way is bounded by the logarithm of the time. There is one such at a time, and nobody else
 * who was found guilty gets anything meanwhile: so a reader passes the next one.
 *
 * A user has a larger trial than an address. So a program that does not read does not count against
 * another program of the same user; but he who takes a new address for each answer is found by it.
 * When what is unread has gone, all is forgotten.
 */

#include "daemon/unread.h"

#include "lib/clock.h"

/* Parts of the room. */
#define TIGHT_PART   8  /* from here on … */
#define RELAXED_PART 16 /* … until it is less than this */
#define ADDRESS_PART 64 /* a trial of an address … */
#define USER_PART    16 /* … and of a user, the first time, or when the last one was passed */
#define RETRIAL_PART 32 /* of a trial: one after a trial that was not passed */

#define N_PLACES 8 /* where a trial may be in its table */

#define FIRST_BACKOFF_NS (100 * NS_PER_MS)
#define MAX_BACKOFF_NS   (600 * NS_PER_S)
#define RETRIAL_NS       (50 * NS_PER_MS)

void unread_init(struct unread *unread, size_t n_room) {
        *unread = (struct unread){.n_room = n_room};
}

void unread_look(struct unread *unread, size_t n_unread) {
        if (unread->is_tight && n_unread < unread->n_room / RELAXED_PART)
                unread_init(unread, unread->n_room);
        else if (n_unread >= unread->n_room / TIGHT_PART)
                unread->is_tight = true;
}

/* Which of two may rather be forgotten: one that was never found guilty, and then the one that was
 * given less. */
static bool is_lesser(const struct unread_trial *a, const struct unread_trial *b) {
        if (!a->backoff_ns != !b->backoff_ns)
                return !a->backoff_ns;
        return a->n_given < b->n_given;
}

/* Its trial, or the place for one, which is not that of somebody who is out. NULL: there is none.
 */
static struct unread_trial *find(struct unread_trial *trials, size_t n_trials, uint64_t whose,
                                 uint64_t now_ns) {
        struct unread_trial *best = NULL;

        for (size_t i = 0; i < N_PLACES; i++) {
                struct unread_trial *trial = &trials[(whose + i) % n_trials];

                if (trial->whose == whose)
                        return trial;
                if (now_ns >= trial->not_before && (!best || is_lesser(trial, best)))
                        best = trial;
        }
        return best;
}

static struct unread_trial *find_address(struct unread *unread, const struct unread_reader *reader,
                                         uint64_t now_ns) {
        return find(unread->addresses, N_UNREAD_ADDRESSES, reader->address, now_ns);
}

static struct unread_trial *find_user(struct unread *unread, const struct unread_reader *reader,
                                      uint64_t now_ns) {
        return reader->user ? find(unread->users, N_UNREAD_USERS, reader->user, now_ns) : NULL;
}

static bool is_guilty(const struct unread_trial *trial, uint64_t whose) {
        return trial && trial->whose == whose && trial->backoff_ns > 0;
}

/* Of one that was found guilty: whether it has its retrial now. */
static bool may_be_tried(struct unread *unread, struct unread_trial *trial, uint64_t now_ns) {
        if (unread->retrial == trial)
                return true;
        if (now_ns < trial->not_before || (unread->retrial && now_ns < unread->retrial_until))
                return false;
        unread->retrial = trial;
        unread->retrial_until = now_ns + RETRIAL_NS;
        trial->n_given = 0;
        return true;
}

bool unread_may_answer(struct unread *unread, const struct unread_reader *reader, uint64_t now_ns) {
        struct unread_trial *address = find_address(unread, reader, now_ns),
                            *user = find_user(unread, reader, now_ns);

        if (is_guilty(user, reader->user))
                return may_be_tried(unread, user, now_ns);
        return !is_guilty(address, reader->address) || may_be_tried(unread, address, now_ns);
}

static void find_guilty(struct unread_trial *trial, uint64_t now_ns) {
        trial->backoff_ns = trial->backoff_ns ? trial->backoff_ns * 2 : FIRST_BACKOFF_NS;
        if (trial->backoff_ns > MAX_BACKOFF_NS)
                trial->backoff_ns = MAX_BACKOFF_NS;
        trial->not_before = now_ns + trial->backoff_ns;
}

/* n_enough: a whole trial. True: it was not passed. */
static bool judge(struct unread *unread, struct unread_trial *trial, uint64_t whose,
                  size_t n_enough, size_t n_before, size_t n_after, uint64_t now_ns) {
        bool has_grown;

        if (!trial)
                return false;
        if (trial->whose != whose) { /* the one whose it was is forgotten */
                *trial = (struct unread_trial){.whose = whose};
                if (unread->retrial == trial)
                        unread->retrial = NULL;
        }
        if (trial->n_given == 0)
                trial->n_before = n_before;
        if (n_after > n_before) /* else others have read at the same time */
                trial->n_given += n_after - n_before;
        if (trial->backoff_ns)
                n_enough /= RETRIAL_PART;
        if (trial->n_given < n_enough)
                return false;
        has_grown =
                n_after > trial->n_before && n_after - trial->n_before >= trial->n_given / 4 * 3;
        if (has_grown)
                find_guilty(trial, now_ns);
        else
                trial->backoff_ns = 0;
        trial->n_given = 0;
        if (unread->retrial == trial)
                unread->retrial = NULL;
        return has_grown;
}

bool unread_answered(struct unread *unread, const struct unread_reader *reader, size_t n_before,
                     size_t n_after, uint64_t now_ns) {
        bool by_address, by_user;

        by_address = judge(unread, find_address(unread, reader, now_ns), reader->address,
                           unread->n_room / ADDRESS_PART, n_before, n_after, now_ns);
        by_user = judge(unread, find_user(unread, reader, now_ns), reader->user,
                        unread->n_room / USER_PART, n_before, n_after, now_ns);
        return by_address || by_user;
}
