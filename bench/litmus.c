/*
 * Payloads that no wake sees: a sender stores a payload and sends, while a wake that an earlier
 * send set off is just about to begin. A send that only looks whether a wake is pending may look
 * before its own store is to be seen; then this wake does not see the payload, and no other comes.
 *
 * Each round sends once, waits for about as long as the wake takes to come, writes to many places
 * that are in no cache, which holds up the stores after it, stores the payload, and sends again. A
 * payload that is not seen, while the loop's thread sleeps, is lost: whoever rings has done so by
 * then. No time can tell, because a busy machine keeps a thread from running as long as it likes.
 * The round ends with a send after a fence, which everybody sees.
 */

#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench/engine.h"
#include "bench/measure.h"
#include "lib/clock.h"

#define N_ROUNDS     1000000 /* in each of the two orders */
#define MAX_PAUSE_NS 16384
#define MAX_STORES   48 /* about as many as a processor keeps waiting */
#define N_COLD       (16U << 20)
#define PATIENCE_NS  (5 * NS_PER_MS) /* before asking what the loop's thread does */

struct trial {
        enum engine_kind kind;
        bool with_release;
        uint64_t n_rounds;
};

static struct engine engine;
static _Atomic uint64_t payload, seen;
static atomic_bool is_over;
static volatile char cold[N_COLD];
static sem_t looked;
static uint64_t n_lost;
static int loop_stat_fd; /* of the loop's thread, in /proc */

static void on_wake(struct engine *e) {
        atomic_store_explicit(&seen, atomic_load_explicit(&payload, memory_order_relaxed),
                              memory_order_release);
        e->is_over = atomic_load_explicit(&is_over, memory_order_relaxed);
        sem_post(&looked);
}

static bool is_seen(uint64_t value) {
        return atomic_load_explicit(&seen, memory_order_acquire) >= value;
}

static void open_loop_stat(void) {
        loop_stat_fd = open("/proc/thread-self/stat", O_RDONLY | O_CLOEXEC);
        if (loop_stat_fd < 0)
                die("cannot see what a thread does: %m");
}

/* Whether the loop's thread waits in the kernel, and nothing has come that would wake it. */
static bool loop_sleeps(void) {
        char text[512], *end;
        ssize_t n = pread(loop_stat_fd, text, sizeof(text) - 1, 0);

        if (n <= 0)
                die("cannot see what a thread does: %m");
        text[n] = '\0';
        end = strrchr(text, ')'); /* of its name */
        return end && end[1] == ' ' && end[2] == 'S';
}

/* After a while at most; false: perhaps. */
static bool is_soon_seen(uint64_t value) {
        struct timespec deadline;

        clock_gettime(CLOCK_REALTIME, &deadline);
        deadline.tv_nsec += PATIENCE_NS;
        deadline.tv_sec += deadline.tv_nsec / (long)NS_PER_S;
        deadline.tv_nsec %= (long)NS_PER_S;
        while (!is_seen(value))
                if (sem_timedwait(&looked, &deadline) < 0)
                        return is_seen(value);
        return true;
}

/* Whether it is seen without another send. */
static bool comes(uint64_t value) {
        while (!is_soon_seen(value))
                if (loop_sleeps())
                        return is_seen(value);
        return true;
}

static void try_one(const struct trial *trial, uint64_t i, uint64_t *seed) {
        uint64_t pause_ns = next_random(seed) % MAX_PAUSE_NS;
        uint64_t start_ns = clock_now_ns();

        engine_send(&engine, 0);
        while (clock_now_ns() - start_ns < pause_ns)
                ;
        for (unsigned int n = next_random(seed) % MAX_STORES; n > 0; n--)
                cold[next_random(seed) % N_COLD] = (char)i;
        /* The order has to be a constant: compilers take a variable for seq_cst. */
        if (trial->with_release)
                atomic_store_explicit(&payload, i, memory_order_release);
        else
                atomic_store_explicit(&payload, i, memory_order_relaxed);
        engine_send(&engine, 0);
        if (comes(i))
                return;
        n_lost++;
        do {
                atomic_thread_fence(memory_order_seq_cst);
                engine_send(&engine, 0);
        } while (!comes(i));
}

static void *send_payloads(void *arg) {
        const struct trial *trial = arg;
        uint64_t seed = 1;

        for (uint64_t i = 1; i <= trial->n_rounds; i++)
                try_one(trial, i, &seed);
        atomic_store_explicit(&is_over, true, memory_order_seq_cst);
        engine_send(&engine, 0);
        return NULL;
}

static void measure_losses(const void *arg, double *figures) {
        const struct trial *trial = arg;
        pthread_t thread;

        sem_init(&looked, 0, 0);
        open_loop_stat();
        engine_open(&engine, trial->kind, 1, LAYOUT_IN_ORDER, on_wake);
        if (pthread_create(&thread, NULL, send_payloads, (void *)trial) != 0)
                die("cannot start a thread");
        engine_run(&engine);
        pthread_join(thread, NULL);
        figures[0] = (double)n_lost;
}

static void bench_losses(void) {
        /* --quick shortens the rounds of others. */
        const uint64_t n_rounds = options.round_ns < 100 * NS_PER_MS ? N_ROUNDS / 20 : N_ROUNDS;
        double n_ours = 0;

        printf("## Payloads that no wake has seen\n\n"
               "| | of | stored relaxed | stored with release |\n|---|---|---|---|\n");
        for (int kind = ENGINE_ROUSE; kind <= ENGINE_UV; kind++) {
                double losses[2][MAX_FIGURES];

                for (int i = 0; i < 2; i++) {
                        struct trial trial = {.kind = (enum engine_kind)kind,
                                              .with_release = i == 1,
                                              .n_rounds = n_rounds};

                        measure(measure_losses, &trial, losses[i]);
                        if (kind == ENGINE_ROUSE)
                                n_ours += losses[i][0];
                }
                printf("| %s | %llu | %.0f | %.0f |\n", engine_names[kind],
                       (unsigned long long)n_rounds, losses[0][0], losses[1][0]);
        }
        printf("\n");
        result("library-litmus", n_ours, "of 2 × %llu", (unsigned long long)n_rounds);
}

int main(int argc, char **argv) {
        static const struct bench benches[] = {
                {"losses", bench_losses},
                {0},
        };

        return bench_main(argc, argv, NULL, benches);
}
