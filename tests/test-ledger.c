/*
 * The promise under every policy at once: handles with random policies are sent to, paused,
 * reloaded, removed and added again, while their runs succeed, fail, hang, and cannot be started;
 * the clock is a variable. A ledger notes every send, and at the end every send must be covered by
 * a run that began after it (or was told of it), with its key. On the way: never two runs of a
 * handle, never more of a group than it allows, no wake before its interval or while paused, no run
 * for nothing.
 *
 * The seed is printed. ROUSE_LEDGER_SEED repeats a walk, ROUSE_LEDGER_ROUNDS makes it longer.
 */

#include "tests/support.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/action.h"
#include "daemon/conf-node.h"
#include "daemon/configuration.h"
#include "daemon/deadline.h"
#include "daemon/handle-private.h"
#include "daemon/handle-tools.h"
#include "daemon/handle.h"
#include "daemon/keyset.h"
#include "daemon/policy.h"
#include "daemon/registry-setup.h"
#include "daemon/registry.h"
#include "daemon/run.h"
#include "daemon/seqfile.h"
#include "lib/clock.h"
#include "lib/list.h"

#define N_HANDLES 6
#define N_STEPS   4000
#define N_SENDS   (N_STEPS + N_HANDLES) /* at most */
#define N_ROUNDS  40
#define GROUP_MAX 2

struct send {
        unsigned int handle;
        uint64_t ticket;
        bool is_covered; /* by a run that began later, or was told later */
        bool has_key;    /* its key came to such a run */
};

struct subject {
        struct handle *handle; /* NULL: not there now */
        struct handle_watch watch;
        struct run *run; /* the one that goes on */
        bool has_failed; /* the last one did, and may have been the last attempt with its keys */
        uint64_t last_wake_ns;
        bool has_woken;
};

static uint64_t now_ns;
static unsigned int seed;
static struct subject subjects[N_HANDLES];
static struct send sends[N_SENDS];
static unsigned int n_sends, n_in_group;
static uint64_t n_runs, n_wakes, n_told, n_deferred;

static unsigned int draw(unsigned int n) {
        return (unsigned int)rand_r(&seed) % n;
}

static uint64_t fake_clock(void) {
        return now_ns;
}

static struct subject *subject_of(const char *name) {
        return &subjects[name[1] - '0'];
}

static unsigned int number_of(const struct subject *subject) {
        return (unsigned int)(subject - subjects);
}

static bool is_grouped(const struct subject *subject) {
        return number_of(subject) % 2 == 1;
}

/* All sends so far with tickets up to seq are covered by what happens now. */
static void cover(const struct subject *subject, uint64_t seq) {
        for (unsigned int i = 0; i < n_sends; i++)
                if (sends[i].handle == number_of(subject) && sends[i].ticket <= seq)
                        sends[i].is_covered = true;
}

static void take_keys(struct subject *subject, const struct keyset *keys) {
        size_t n;
        const char *text = keyset_text(keys, &n);

        ck_assert(!keyset_has_overflown(keys) || subject->has_failed);
        subject->has_failed = false;
        for (const char *key = text; key < text + n; key = strchr(key, '\n') + 1) {
                unsigned int i = (unsigned int)strtoul(key, NULL, 10);

                ck_assert_uint_lt(i, n_sends);
                sends[i].has_key = true;
        }
}

static int start(struct run *run, const struct action_conf *conf) {
        struct subject *subject = subject_of(run->handle_name);

        (void)conf;
        ck_assert_msg(subject->run == NULL, "two runs at once of %s", run->handle_name);
        /* Or it has the last keys, of sends that the run before was told of. */
        ck_assert(run->result.n_sends >= 1 || keyset_count(run->keys) > 0);
        switch (draw(12)) {
        case 0:
                n_deferred++;
                return -EAGAIN;
        case 1: /* ends within start */
                n_runs++;
                cover(subject, run->result.seq);
                take_keys(subject, run->keys);
                run_finish(run, RUN_EXITED, 0, true);
                return 0;
        default:
                break;
        }
        n_runs++;
        subject->run = run;
        if (is_grouped(subject))
                ck_assert_uint_le(++n_in_group, GROUP_MAX);
        cover(subject, run->result.seq);
        take_keys(subject, run->keys);
        return 0;
}

static void stop(struct run *run, bool kill) {
        (void)kill;
        ck_assert_ptr_eq(subject_of(run->handle_name)->run, run);
}

static int tell(struct run *run, int signal) {
        struct subject *subject = subject_of(run->handle_name);

        ck_assert_int_eq(signal, 10);
        ck_assert_ptr_eq(subject->run, run);
        if (draw(4) == 0)
                return -ESRCH; /* it is at its end: another run follows */
        n_told++;
        cover(subject, run->result.seq);
        return 0;
}

static bool equal(const struct action_conf *a, const struct action_conf *b) {
        return a->kind == b->kind;
}

static void free_conf(struct action_conf *conf) {
        free(conf);
}

static const struct action_kind fake_kind = {
        .key = "fake",
        .equal = equal,
        .free = free_conf,
        .start = start,
        .stop = stop,
        .tell = tell,
};

static void on_wake(struct handle_watch *watch, uint64_t seq, uint64_t n) {
        struct subject *subject = container_of(watch, struct subject, watch);

        (void)seq;
        ck_assert_uint_ge(n, 1);
        n_wakes++;
        ck_assert(!handle_is_paused(subject->handle));
        if (subject->has_woken && subject->last_wake_ns)
                ck_assert_uint_ge(now_ns - subject->last_wake_ns,
                                  handle_policy(subject->handle)->gate.min_interval_ns);
        subject->last_wake_ns = now_ns;
        subject->has_woken = true;
}

static void on_closed(struct handle_watch *watch) {
        container_of(watch, struct subject, watch)->handle = NULL;
}

static const struct handle_watch_ops watch_ops = {.wake = on_wake, .closed = on_closed};

static struct policy_conf *draw_policy(struct configuration *configuration,
                                       const struct subject *subject) {
        struct policy_conf *policy = conf_arena_alloc(&configuration->strings, sizeof(*policy));

        ck_assert_ptr_nonnull(policy);
        *policy = policy_none;
        policy->keys = (struct keyset_limits){.max = N_SENDS, .max_bytes = 1 << 20};
        if (draw(3) == 0)
                policy->gate.quiet_ns = draw(50);
        if (policy->gate.quiet_ns && draw(2))
                policy->gate.max_wait_ns = policy->gate.quiet_ns + draw(100);
        policy->gate.leading = policy->gate.quiet_ns && draw(2);
        if (draw(3) == 0)
                policy->gate.min_interval_ns = draw(200);
        if (draw(4) == 0)
                policy->gate.jitter_ns = draw(20);
        policy->runner.on_busy = (enum on_busy)draw(3);
        policy->busy_signal = 10;
        if (draw(2)) {
                policy->runner.backoff_ns = 1 + draw(50);
                policy->runner.max_backoff_ns = policy->runner.backoff_ns + draw(200);
                policy->runner.attempts = draw(4);
        }
        policy->group =
                is_grouped(subject) ? conf_arena_strndup(&configuration->strings, "g", 1) : NULL;
        return policy;
}

/* A configuration in which each handle is there or not. */
static struct configuration *draw_configuration(bool all) {
        struct conf_errors errors = CONF_ERRORS_NULL;
        struct configuration *configuration;
        char text[512] = "handles:\n  none: {}\n";

        for (unsigned int i = 0; i < N_HANDLES; i++)
                if (all || draw(8))
                        sprintf(text + strlen(text), "  h%u: {}\n", i);
        ck_assert_int_eq(configuration_parse("ledger", text, strlen(text), &errors, &configuration),
                         0);
        conf_errors_deinit(&errors);
        configuration->groups = calloc(1, sizeof(*configuration->groups));
        configuration->groups[0] = (struct group_conf){.name = "g", .max = GROUP_MAX};
        configuration->n_groups = 1;
        for (size_t i = 0; i < configuration->n_handles; i++) {
                struct handle_conf *conf = &configuration->handles[i];
                struct action_conf *action;

                if (conf->name[0] != 'h')
                        continue;
                action = calloc(1, sizeof(*action));
                action->kind = &fake_kind;
                conf->action = action;
                conf->policy = draw_policy(configuration, subject_of(conf->name));
        }
        return configuration;
}

static void reload(struct registry *registry, bool all) {
        struct configuration *configuration = draw_configuration(all);
        struct registry_changes changes = {.wants_names = true};

        ck_assert_int_eq(registry_apply(registry, configuration, &changes), 0);
        registry_changes_deinit(&changes);
        configuration_unref(configuration);
        for (unsigned int i = 0; i < N_HANDLES; i++) {
                char name[3] = {'h', (char)('0' + i), '\0'};

                if (subjects[i].handle)
                        continue;
                subjects[i].handle = registry_find(registry, name);
                /* A handle that was made anew knows nothing of the wakes before. */
                subjects[i].has_woken = false;
                if (subjects[i].handle)
                        handle_watch_add(subjects[i].handle, &subjects[i].watch, &watch_ops);
        }
}

static void finish(struct subject *subject, bool success) {
        struct run *run = subject->run;

        subject->run = NULL;
        if (is_grouped(subject))
                n_in_group--;
        subject->has_failed = !success;
        run_finish(run, RUN_EXITED, success ? 0 : 1, success);
}

static void send_to(struct subject *subject) {
        struct handle_receipt receipt;
        char key[16];
        int n_key = snprintf(key, sizeof(key), "%u", n_sends);

        if (!subject->handle || n_sends == N_SENDS)
                return;
        /* The run may come within the call of the loop only, so the ledger is written in time. */
        ck_assert_int_eq(handle_send(subject->handle, key, (size_t)n_key, &receipt), 0);
        ck_assert_uint_gt(receipt.ticket, handle_seq(subject->handle));
        sends[n_sends++] = (struct send){.handle = number_of(subject), .ticket = receipt.ticket};
}

static void take_step(struct registry *registry, struct deadline_queue *deadlines,
                      uv_loop_t *loop) {
        struct subject *subject = &subjects[draw(N_HANDLES)];

        switch (draw(16)) {
        case 0:
                now_ns += draw(500);
                deadline_run(deadlines);
                break;
        case 1:
        case 2:
                now_ns += draw(10);
                deadline_run(deadlines);
                break;
        case 3:
                if (subject->handle && draw(4) == 0)
                        ck_assert_int_eq(
                                handle_pause(subject->handle, 0, draw(2) ? 0 : 1 + draw(100)),
                                subject->handle->is_retiring ? -EBADF : 0);
                break;
        case 4:
                if (subject->handle)
                        ck_assert_int_eq(handle_resume(subject->handle), 0);
                break;
        case 5:
                if (draw(4) == 0)
                        reload(registry, false);
                break;
        case 6:
        case 7:
        case 8:
        case 9:
                if (subject->run)
                        finish(subject, draw(3) != 0);
                break;
        case 10:
        case 11:
                uv_run(loop, UV_RUN_NOWAIT);
                break;
        default:
                send_to(subject);
                break;
        }
}

static bool is_busy(void) {
        for (unsigned int i = 0; i < N_HANDLES; i++)
                if (subjects[i].run ||
                    (subjects[i].handle && (handle_state(subjects[i].handle) != HANDLE_IDLE &&
                                            handle_state(subjects[i].handle) != HANDLE_FAILED)))
                        return true;
        return false;
}

/* Lets everything happen that is going to happen by itself. */
static void run_dry(struct deadline_queue *deadlines, uv_loop_t *loop) {
        for (unsigned int i = 0; i < N_HANDLES; i++)
                if (subjects[i].handle)
                        ck_assert_int_eq(handle_resume(subjects[i].handle), 0);
        for (unsigned int turn = 0; is_busy(); turn++) {
                ck_assert_msg(turn < 100000, "something waits for ever");
                uv_run(loop, UV_RUN_NOWAIT);
                for (unsigned int i = 0; i < N_HANDLES; i++)
                        if (subjects[i].run)
                                finish(&subjects[i], draw(3) != 0);
                if (deadline_next_ns(deadlines) != UINT64_MAX &&
                    deadline_next_ns(deadlines) > now_ns)
                        now_ns = deadline_next_ns(deadlines);
                deadline_run(deadlines);
        }
}

static void check_ledger(void) {
        for (unsigned int i = 0; i < n_sends; i++) {
                ck_assert_msg(sends[i].is_covered, "send %u (ticket %llu of h%u) is not covered", i,
                              (unsigned long long)sends[i].ticket, sends[i].handle);
                ck_assert_msg(sends[i].has_key, "the key of send %u (ticket %llu of h%u) is lost",
                              i, (unsigned long long)sends[i].ticket, sends[i].handle);
        }
}

static void on_hub_closed(void *arg) {
        (void)arg;
}

static void on_alive(uv_timer_t *timer) {
        (void)timer;
}

static void walk(unsigned int first_seed) {
        static const char *seq_file; /* of all walks: a test may have so many paths */
        static char *env[] = {NULL};
        struct handle_tools tools = {.env = env};
        struct deadline_queue *deadlines;
        struct registry *registry;
        struct seqfile *seqfile;
        rouse_hub_t *hub;
        uv_timer_t alive;
        uv_loop_t loop;
        int error;

        seed = first_seed;
        if (!seq_file)
                seq_file = test_path("seq");
        now_ns = 1000000000;
        n_sends = n_in_group = 0;
        memset(subjects, 0, sizeof(subjects));
        ck_assert_int_eq(uv_loop_init(&loop), 0);
        ck_assert_int_eq(rouse_hub_create(&loop, &hub), 0);
        ck_assert_int_eq(deadline_queue_new(NULL, fake_clock, &deadlines), 0);
        ck_assert_int_eq(seqfile_open(seq_file, &error, &seqfile), 0);
        uv_timer_init(&loop, &alive);
        uv_timer_start(&alive, on_alive, 1000000, 0);
        tools.chance = seed;
        tools.hub = hub;
        tools.deadlines = deadlines;
        tools.seqfile = seqfile;
        ck_assert_int_eq(registry_new(&tools, &registry), 0);
        reload(registry, true);
        for (unsigned int i = 0; i < N_STEPS; i++)
                take_step(registry, deadlines, &loop);
        run_dry(deadlines, &loop);
        /* Keys of what a run was told of wait for the next one. */
        for (unsigned int i = 0; i < N_HANDLES; i++)
                send_to(&subjects[i]);
        run_dry(deadlines, &loop);
        check_ledger();
        registry_free(registry);
        rouse_hub_close(hub, on_hub_closed, NULL);
        uv_close((uv_handle_t *)&alive, NULL);
        uv_run(&loop, UV_RUN_DEFAULT);
        ck_assert_int_eq(uv_loop_close(&loop), 0);
        seqfile_close(seqfile);
        deadline_queue_close(deadlines);
}

static unsigned int setting(const char *name, unsigned int otherwise) {
        const char *value = getenv(name);

        return value ? (unsigned int)strtoul(value, NULL, 10) : otherwise;
}

static void every_send_is_covered_whatever_happens(void) {
        unsigned int n_rounds = setting("ROUSE_LEDGER_ROUNDS", N_ROUNDS);
        unsigned int first_seed = setting("ROUSE_LEDGER_SEED", (unsigned int)time(NULL));

        for (unsigned int i = 0; i < n_rounds; i++) {
                fprintf(stderr, "seed %u\n", first_seed + i);
                walk(first_seed + i);
        }
        /* The walk went where it was meant to go. */
        ck_assert_uint_gt(n_runs, n_rounds * 50);
        ck_assert_uint_gt(n_wakes, n_rounds * 50);
        ck_assert_uint_gt(n_told, 0);
        ck_assert_uint_gt(n_deferred, 0);
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                {.name = "every_send_is_covered_whatever_happens",
                 .fn = every_send_is_covered_whatever_happens,
                 .timeout_s = 100000},
                {0},
        };

        return test_main("ledger", tests, argc, argv);
}
