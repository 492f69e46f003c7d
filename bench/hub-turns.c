/*
 * What is measured here is a few ns, so whatever is not the engine's is done before or seldom, and
 * by the same code: the handles are drawn before, the engine's send is called directly, its
 * callback only counts, and the clock is read once in many turns. Beside both engines stands what
 * nobody can do without: a turn of libuv with nothing in it; a list that one thread marks handles
 * on, which can be neither closed nor asked how many sends there were; and a locked addition in a
 * call.
 */

#include "bench/hub-turns.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#include "bench/measure.h"
#include "lib/clock.h"
#include "lib/rouse.h"

#define SENDS_PER_TURN  64
#define TURNS_PER_CLOCK 64
#define N_DRAWN         (128 * SENDS_PER_TURN)
#define N_COALESCED     10000000

enum sender {
        ROUSE,
        UV,
        LIST,  /* no more than marks */
        FLOOR, /* what all must do */
};

struct turns {
        enum sender sender;
        size_t n_handles;
        bool is_elsewhere; /* of sends that coalesce: they are another thread's */
};

static uint64_t n_turns, n_wakes, end_ns;

/* A handle that could not be less. */
struct marked {
        struct marked *next;
        uint64_t n_sends;
        void (*cb)(struct marked *marked, uint64_t n_sends);
};

static struct marked *marks;

/* Of one kind, with a callback that does nothing but count. */
static union {
        rouse_async_t *rouse[N_DRAWN];
        uv_async_t *uv[N_DRAWN];
        struct marked *list[N_DRAWN];
} drawn;

static void on_rouse_woken(rouse_async_t *async, uint64_t n_sends) {
        (void)async;
        (void)n_sends;
        n_wakes++;
}

static void on_uv_woken(uv_async_t *async) {
        (void)async;
        n_wakes++;
}

static void open_rouse(uv_loop_t *loop, size_t n_handles) {
        rouse_async_t **handles = calloc(n_handles, sizeof(*handles));
        uint64_t seed = 7;
        rouse_hub_t *hub;

        if (!handles || rouse_hub_create(loop, &hub) < 0)
                die("cannot make a hub");
        for (size_t i = 0; i < n_handles; i++)
                if (rouse_async_create(hub, NULL, on_rouse_woken, NULL, &handles[i]) < 0)
                        die("cannot make handle %zu", i);
        for (size_t i = 0; i < N_DRAWN; i++)
                drawn.rouse[i] = handles[next_random(&seed) % n_handles];
}

static void open_uv(uv_loop_t *loop, size_t n_handles) {
        uv_async_t *handles = calloc(n_handles, sizeof(*handles));
        uint64_t seed = 7;

        if (!handles)
                die("out of memory");
        for (size_t i = 0; i < n_handles; i++)
                if (uv_async_init(loop, &handles[i], on_uv_woken) < 0)
                        die("cannot make handle %zu", i);
        for (size_t i = 0; i < N_DRAWN; i++)
                drawn.uv[i] = &handles[next_random(&seed) % n_handles];
}

static void on_marked_woken(struct marked *marked, uint64_t n_sends) {
        (void)marked;
        (void)n_sends;
        n_wakes++;
}

static void on_list_check(uv_check_t *check) {
        struct marked *marked = marks;

        (void)check;
        marks = NULL;
        while (marked) {
                struct marked *next = marked->next;
                uint64_t n_sends = marked->n_sends;

                marked->n_sends = 0;
                marked->cb(marked, n_sends);
                marked = next;
        }
}

static __attribute__((noinline)) int mark(struct marked *marked) {
        if (marked->n_sends++ > 0)
                return 0;
        marked->next = marks;
        marks = marked;
        return 0;
}

static void open_list(uv_loop_t *loop, size_t n_handles) {
        struct marked *handles = calloc(n_handles, sizeof(*handles));
        static uv_check_t check;
        uint64_t seed = 7;

        if (!handles)
                die("out of memory");
        uv_check_init(loop, &check);
        uv_check_start(&check, on_list_check);
        for (size_t i = 0; i < n_handles; i++)
                handles[i].cb = on_marked_woken;
        for (size_t i = 0; i < N_DRAWN; i++)
                drawn.list[i] = &handles[next_random(&seed) % n_handles];
}

static void open_sender(const struct turns *turns, uv_loop_t *loop) {
        if (uv_loop_init(loop) < 0)
                die("cannot make a loop");
        if (turns->sender == ROUSE)
                open_rouse(loop, turns->n_handles);
        else if (turns->sender == LIST)
                open_list(loop, turns->n_handles);
        else if (turns->sender == UV)
                open_uv(loop, turns->n_handles);
}

/* Turns */

/* The number of the first that this turn sends to. */
static size_t begin_turn(uv_idle_t *idle) {
        if (++n_turns % TURNS_PER_CLOCK == 0 && clock_now_ns() >= end_ns)
                uv_stop(idle->loop);
        return n_turns * SENDS_PER_TURN % N_DRAWN;
}

static void on_rouse_turn(uv_idle_t *idle) {
        rouse_async_t **handles = &drawn.rouse[begin_turn(idle)];

        for (size_t i = 0; i < SENDS_PER_TURN; i++)
                rouse_async_send(handles[i]);
}

static void on_uv_turn(uv_idle_t *idle) {
        uv_async_t **handles = &drawn.uv[begin_turn(idle)];

        for (size_t i = 0; i < SENDS_PER_TURN; i++)
                uv_async_send(handles[i]);
}

static void on_list_turn(uv_idle_t *idle) {
        struct marked **handles = &drawn.list[begin_turn(idle)];

        for (size_t i = 0; i < SENDS_PER_TURN; i++)
                mark(handles[i]);
}

static void on_empty_turn(uv_idle_t *idle) {
        (void)begin_turn(idle);
}

/* ns a send, its share of the turn and of the wakes included. */
static void measure_turns(const void *arg, double *figures) {
        static const uv_idle_cb callbacks[] = {[ROUSE] = on_rouse_turn,
                                               [UV] = on_uv_turn,
                                               [LIST] = on_list_turn,
                                               [FLOOR] = on_empty_turn};
        const struct turns *turns = arg;
        uv_loop_t loop;
        uv_idle_t idle;
        uint64_t start_ns;

        open_sender(turns, &loop);
        uv_idle_init(&loop, &idle);
        uv_idle_start(&idle, callbacks[turns->sender]);
        start_ns = clock_now_ns();
        end_ns = start_ns + options.round_ns;
        uv_run(&loop, UV_RUN_DEFAULT);
        figures[0] = (double)(clock_now_ns() - start_ns) / (double)(n_turns * SENDS_PER_TURN);
}

static void bench_whole_turns(size_t n_handles, const char *id) {
        const struct turns sides[] = {{UV, n_handles, false},
                                      {FLOOR, n_handles, false},
                                      {LIST, n_handles, false},
                                      {ROUSE, n_handles, false}};
        static const char *const names[] = {"uv_async", "nobody: the empty turn's share",
                                            "a bare marked list", "rouse"};
        const void *args[] = {&sides[0], &sides[1], &sides[2], &sides[3]};
        double medians[4][MAX_FIGURES], ratios[4][MAX_FIGURES];

        rounds(measure_turns, args, 4, 1, medians, ratios);
        for (int k = 3; k >= 0; k--)
                printf("| %zu | %s | %.1f | %.2f |\n", n_handles, names[k], medians[k][0],
                       ratios[k][0]);
        result(id, ratios[0][0], "%.1f ns, a bare list %.1f; uv_async_send %.0f ns", medians[3][0],
               medians[2][0], medians[0][0]);
}

/* Sends that coalesce */

static _Atomic uint64_t floor_word;

static __attribute__((noinline)) int add(_Atomic uint64_t *word) {
        atomic_fetch_add_explicit(word, 1, memory_order_acq_rel);
        return 0;
}

static void *send_coalesced(void *arg) {
        const struct turns *turns = arg;
        rouse_async_t *rouse = drawn.rouse[0];
        uv_async_t *uv = drawn.uv[0];
        uint64_t start_ns = clock_now_ns();

        for (int i = 0; turns->sender == ROUSE && i < N_COALESCED; i++)
                rouse_async_send(rouse);
        for (int i = 0; turns->sender == UV && i < N_COALESCED; i++)
                uv_async_send(uv);
        for (int i = 0; turns->sender == FLOOR && i < N_COALESCED; i++)
                add(&floor_word);
        end_ns = clock_now_ns() - start_ns;
        return NULL;
}

/* ns a send that finds its handle pending, with nothing else going on. */
static void measure_coalesced(const void *arg, double *figures) {
        const struct turns *turns = arg;
        pthread_t thread;
        uv_loop_t loop;

        open_sender(turns, &loop);
        if (!turns->is_elsewhere)
                send_coalesced((void *)turns);
        else if (pthread_create(&thread, NULL, send_coalesced, (void *)turns) != 0 ||
                 pthread_join(thread, NULL) != 0)
                die("cannot start a thread");
        figures[0] = (double)end_ns / N_COALESCED;
}

static void bench_coalesced(void) {
        static const struct turns sides[] = {
                {ROUSE, 1, true}, {ROUSE, 1, false}, {UV, 1, true}, {FLOOR, 1, true}};
        static const char *const names[] = {"rouse | another thread", "rouse | the loop's thread",
                                            "uv_async | another thread",
                                            "a locked addition, in a call | another thread"};
        const void *args[] = {&sides[0], &sides[1], &sides[2], &sides[3]};
        double medians[4][MAX_FIGURES], ratios[4][MAX_FIGURES];

        rounds(measure_coalesced, args, 4, 1, medians, ratios);
        for (int k = 0; k < 4; k++)
                printf("| %s | %.1f | %.2f |\n", names[k], medians[k][0], ratios[k][0]);
        result("library-coalesced", medians[0][0], "a locked addition %.1f; uv_async_send %.1f ns",
               medians[3][0], medians[2][0]);
}

void bench_turns(void) {
        printf("## Sends on the loop's thread, %d a turn, each to a random handle\n\n"
               "A turn is one of uv_run(), polling and all. The handles were drawn before; the\n"
               "callback counts.\n\n"
               "| handles | | ns a send and its wake | × rouse |\n|---|---|---|---|\n",
               SENDS_PER_TURN);
        bench_whole_turns(100, "library-turns-100");
        bench_whole_turns(10000, "library-turns-10000");
        printf("\n## A send that coalesces, one sender\n\n"
               "| | sender | ns | × the addition |\n|---|---|---|---|\n");
        bench_coalesced();
        printf("\n");
}
