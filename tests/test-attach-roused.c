/*
 * Attachments of librouse-client with a real roused, which reloads, is killed and comes back.
 *
 * Where counts are compared, they are exact: the daemon is frozen before it is killed, so that it
 * has taken nothing of what it is to lose.
 */

#include "lib/rouse-client.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/attaching-fixture.h"
#include "tests/harness.h"
#include "tests/support.h"

static void sends_become_wakes(void) {
        rouse_client_t *client;
        rouse_attachment_t *attachment, *other;
        rouse_client_wake_t wake;

        roused_start(&roused, "wakes", abc_config);
        client = new_client();
        attachment = attach(client);
        other = attach(client); /* and one more, on a connection of its own */
        for (int i = 0; i < 3; i++)
                ck_assert_int_eq(rouse_attachment_send(attachment, 1), 0);
        ck_assert_int_eq(rouse_client_wait_after(client, "b", 0, PATIENCE_MS, &wake), 0);
        expect_sends("b", 3);
        ck_assert_int_eq(rouse_attachment_send(other, 0), 0);
        ck_assert_int_eq(rouse_client_wait_after(client, "a", 0, PATIENCE_MS, &wake), 0);
        ck_assert_int_eq(rouse_attachment_send(attachment, 2), -EINVAL);
        ck_assert_int_eq(rouse_attachment_reattach(attachment, PATIENCE_MS), 0); /* nothing to do */
        ck_assert_ptr_null(rouse_attachment_detach(attachment));
        ck_assert_int_eq(rouse_attachment_send(other, 0), 0);
        rouse_attachment_detach(other);
        expect_sends("a", 2);
        ck_assert_ptr_null(rouse_attachment_detach(NULL));
        rouse_client_free(client);
        roused_stop(&roused);
}

static void what_cannot_be_attached_says_why(void) {
        static const char *const wrong[] = {"a", "nobody"}, *const illegal[] = {"no name"};
        static const char *const all[] = {"*"};
        const char *many[1025];
        rouse_attachment_t *attachment;
        rouse_client_t *client;

        roused_start(&roused, "why", abc_config);
        client = new_client();
        ck_assert_int_eq(rouse_client_attach(client, wrong, 2, PATIENCE_MS, &attachment), -ENXIO);
        ck_assert_str_eq(rouse_client_get_error(client)->message, "No handle is named \"nobody\"");
        ck_assert_int_eq(rouse_client_attach(client, illegal, 1, PATIENCE_MS, &attachment),
                         -EINVAL);
        ck_assert_int_eq(rouse_client_attach(client, wrong, 0, PATIENCE_MS, &attachment), -EINVAL);
        for (int i = 0; i < 1025; i++)
                many[i] = "a";
        ck_assert_int_eq(rouse_client_attach(client, many, 1025, PATIENCE_MS, &attachment),
                         -EDQUOT);
        ck_assert_int_eq(rouse_client_attach(client, many, 1024, PATIENCE_MS, &attachment), 0);
        rouse_attachment_detach(attachment);
        ck_assert_int_eq(rouse_client_watch(client, all, 1, PATIENCE_MS), 0);
        ck_assert_int_eq(rouse_client_attach(client, ab_names, 2, PATIENCE_MS, &attachment),
                         -EBUSY);
        rouse_client_free(client);
        roused_stop(&roused);
        client = new_client();
        ck_assert_int_lt(rouse_client_attach(client, ab_names, 2, PATIENCE_MS, &attachment), 0);
        rouse_client_free(client);
}

static void a_killed_daemon_leaves_what_it_had_not_taken(void) {
        struct pollfd gone = {.events = POLLIN};
        rouse_client_t *client;
        rouse_attachment_t *attachment;

        roused_start(&roused, "killed", abc_config);
        client = new_client();
        attachment = attach(client);
        roused_freeze(&roused);
        for (int i = 0; i < 7; i++)
                ck_assert_int_eq(rouse_attachment_send(attachment, 0), 0);
        gone.fd = rouse_attachment_fd(attachment);
        ck_assert_int_eq(poll(&gone, 1, 0), 0);
        roused_kill(&roused);
        ck_assert_int_eq(poll(&gone, 1, (int)PATIENCE_MS), 1);
        /* Nobody is there, and sends are kept. */
        for (int i = 0; i < 3; i++) {
                ck_assert_int_eq(rouse_attachment_send(attachment, 1), 0);
                ck_assert_int_eq(rouse_attachment_reattach(attachment, PATIENCE_MS), -ECONNREFUSED);
                ck_assert_int_eq(rouse_attachment_fd(attachment), -1);
        }
        roused_restart(&roused);
        ck_assert_int_eq(rouse_attachment_reattach(attachment, PATIENCE_MS), 0);
        ck_assert_int_ge(rouse_attachment_fd(attachment), 0);
        expect_sends("a", 7);
        expect_sends("b", 3);
        ck_assert_int_eq(rouse_attachment_send(attachment, 0), 0);
        expect_sends("a", 8);
        /* A daemon without one of the handles does not get any of it. */
        roused_freeze(&roused);
        ck_assert_int_eq(rouse_attachment_send(attachment, 0), 0);
        roused_kill(&roused);
        roused_write_config(&roused, "handles: {a: {}}\n");
        roused_restart(&roused);
        ck_assert_int_eq(rouse_attachment_reattach(attachment, PATIENCE_MS), -ENXIO);
        roused_stop(&roused);
        roused_write_config(&roused, abc_config);
        roused_restart(&roused);
        ck_assert_int_eq(rouse_attachment_reattach(attachment, PATIENCE_MS), 0);
        expect_sends("a", 1);
        expect_sends("b", 0);
        rouse_attachment_detach(attachment);
        rouse_client_free(client);
        roused_stop(&roused);
}

static void a_daemon_that_stops_takes_all_and_the_next_one_the_rest(void) {
        rouse_client_t *client;
        rouse_attachment_t *attachment;

        roused_start(
                &roused, "stops",
                "handles:\n  a: {}\n  b:\n    run: [/bin/sh, -c, 'echo ran >>$ROUSE_DIR/ran']\n");
        client = new_client();
        attachment = attach(client);
        roused_freeze(&roused);
        for (int i = 0; i < 5; i++)
                ck_assert_int_eq(rouse_attachment_send(attachment, 1), 0);
        ck_assert_int_eq(kill(roused.pid, SIGTERM), 0);
        roused_thaw(&roused);
        roused_expect_log(&roused, "stopped");
        ck_assert_int_eq(waitpid(roused.pid, NULL, 0), roused.pid);
        free(roused_expect_lines(&roused, "ran", 1));
        for (int i = 0; i < 2; i++)
                ck_assert_int_eq(rouse_attachment_send(attachment, 1), 0);
        roused_restart(&roused);
        ck_assert_int_eq(rouse_attachment_reattach(attachment, PATIENCE_MS), 0);
        expect_sends("b", 2);
        rouse_attachment_detach(attachment);
        rouse_client_free(client);
        roused_stop(&roused);
}

static void closed_handles_refuse(void) {
        static const char *const made[] = {"made", "a"};
        rouse_client_t *client;
        rouse_attachment_t *attachment;
        const char *result;

        roused_start(&roused, "closed", abc_config);
        client = new_client();
        ck_assert_int_eq(rouse_client_call(client, "create", "[\"made\"]", PATIENCE_MS, &result),
                         0);
        ck_assert_int_eq(rouse_client_attach(client, made, 2, PATIENCE_MS, &attachment), 0);
        ck_assert_int_eq(rouse_attachment_send(attachment, 0), 0);
        ck_assert_int_eq(rouse_client_call(client, "close", "[\"made\"]", PATIENCE_MS, &result), 0);
        ck_assert_int_eq(rouse_attachment_send(attachment, 0), -EBADF);
        ck_assert_int_eq(rouse_attachment_send(attachment, 1), 0);
        rouse_attachment_detach(attachment);
        rouse_client_free(client);
        expect_sends("a", 1);
        roused_stop(&roused);
}

/* Ledgers. */

#define N_THREADS 2

struct sender {
        pthread_t thread;
        rouse_attachment_t *attachment;
        const atomic_bool *is_over;
        bool may_be_refused;
        uint64_t n_sent[2];
        atomic_bool has_sent; /* for those who look on */
        unsigned int seed;
};

static void *send_on(void *arg) {
        struct sender *sender = arg;

        while (!atomic_load(sender->is_over)) {
                size_t i = (size_t)rand_r(&sender->seed) % 2;
                int r = rouse_attachment_send(sender->attachment, i);

                test_expect(r == 0 || (r == -EBADF && sender->may_be_refused));
                sender->n_sent[i] += r == 0;
                if (r == 0)
                        atomic_store(&sender->has_sent, true);
                /* Sometimes so slow that each is the first, sometimes in bursts. */
                if (rand_r(&sender->seed) % 64 == 0)
                        usleep((useconds_t)(rand_r(&sender->seed) % 200));
        }
        return NULL;
}

static void start_senders(struct sender *senders, rouse_attachment_t *attachment,
                          const atomic_bool *is_over, bool may_be_refused) {
        for (unsigned int i = 0; i < N_THREADS; i++) {
                senders[i] = (struct sender){.attachment = attachment,
                                             .is_over = is_over,
                                             .may_be_refused = may_be_refused,
                                             .seed = i + 1};
                ck_assert_int_eq(pthread_create(&senders[i].thread, NULL, send_on, &senders[i]), 0);
        }
}

static bool has_sent(void *arg) {
        return atomic_load(&((struct sender *)arg)->has_sent);
}

/* Until each of them has sent something from now on. */
static void await_sends(struct sender *senders) {
        for (unsigned int i = 0; i < N_THREADS; i++) {
                atomic_store(&senders[i].has_sent, false);
                ck_assert(test_until(has_sent, &senders[i], (unsigned int)PATIENCE_MS));
        }
}

static void join_senders(struct sender *senders, uint64_t n_sent[2]) {
        for (unsigned int i = 0; i < N_THREADS; i++) {
                ck_assert_int_eq(pthread_join(senders[i].thread, NULL), 0);
                n_sent[0] += senders[i].n_sent[0];
                n_sent[1] += senders[i].n_sent[1];
        }
}

/* Threads send all the while; the daemon under them is killed and another one takes its place. */
static void nothing_is_lost_while_attaching_again(void) {
        rouse_client_t *client;
        rouse_attachment_t *attachment;

        roused_start(&roused, "again", abc_config);
        client = new_client();
        attachment = attach(client);
        for (int round = 0; round < 12; round++) {
                struct sender senders[N_THREADS];
                uint64_t n_sent[2] = {0};
                atomic_bool is_over = false;

                roused_freeze(&roused);
                start_senders(senders, attachment, &is_over, false);
                await_sends(senders);
                roused_kill(&roused);
                roused_restart(&roused);
                ck_assert_int_eq(rouse_attachment_reattach(attachment, PATIENCE_MS), 0);
                await_sends(senders);
                atomic_store(&is_over, true);
                join_senders(senders, n_sent);
                expect_sends("a", n_sent[0]);
                expect_sends("b", n_sent[1]);
        }
        rouse_attachment_detach(attachment);
        rouse_client_free(client);
        roused_stop(&roused);
}

/* A process that attaches, sends on two threads until its input ends, and tells that it has begun,
 * and in the end how much it has sent. */
static void be_a_sender(int in, int out) {
        rouse_client_t *client = new_client();
        rouse_attachment_t *attachment = attach(client);
        struct sender senders[N_THREADS];
        uint64_t n_sent[2] = {0};
        atomic_bool is_over = false;
        char byte;

        start_senders(senders, attachment, &is_over, false);
        await_sends(senders);
        ck_assert_int_eq(write(out, "", 1), 1);
        (void)!read(in, &byte, 1);
        atomic_store(&is_over, true);
        join_senders(senders, n_sent);
        rouse_attachment_detach(attachment);
        rouse_client_free(client);
        _exit(write(out, n_sent, sizeof(n_sent)) == sizeof(n_sent) ? 0 : 1);
}

static void nothing_is_lost_while_the_daemon_reloads(void) {
        enum { N_PROCESSES = 2 };
        int stop[2], results[2], status;
        uint64_t n_sent[2] = {0}, n_theirs[2];
        rouse_client_t *client;
        const char *result;
        char begun;

        roused_start(&roused, "reloads", abc_config);
        ck_assert_int_eq(pipe(stop), 0);
        ck_assert_int_eq(pipe(results), 0);
        fflush(NULL);
        for (int i = 0; i < N_PROCESSES; i++) {
                pid_t pid = fork();

                ck_assert_int_ge(pid, 0);
                if (pid == 0) {
                        prctl(PR_SET_PDEATHSIG, SIGKILL);
                        close(stop[1]);
                        be_a_sender(stop[0], results[1]);
                }
        }
        for (int i = 0; i < N_PROCESSES; i++)
                ck_assert_int_eq(read(results[0], &begun, 1), 1);
        client = new_client();
        for (int i = 0; i < 30; i++) {
                roused_write_config(&roused, i % 2 ? abc_config
                                                   : "handles:\n  a: {quiet: 1ms}\n"
                                                     "  b: {min_interval: 1ms}\n  d: {}\n");
                ck_assert_int_eq(rouse_client_call(client, "reload", NULL, PATIENCE_MS, &result),
                                 0);
                usleep(2000); /* or else reloads were all that happens */
        }
        rouse_client_free(client);
        close(stop[1]);
        for (int i = 0; i < N_PROCESSES; i++) {
                ck_assert_int_eq(read(results[0], n_theirs, sizeof(n_theirs)), sizeof(n_theirs));
                n_sent[0] += n_theirs[0];
                n_sent[1] += n_theirs[1];
                ck_assert_int_gt(wait(&status), 0);
                ck_assert_int_eq(status, 0);
        }
        expect_sends("a", n_sent[0]);
        expect_sends("b", n_sent[1]);
        close(stop[0]);
        close(results[0]);
        close(results[1]);
        roused_stop(&roused);
}

/* Each reload removes b, or adds it, while its clients send: what was accepted counts. */
static void nothing_is_lost_of_what_a_reload_removes(void) {
        uint64_t n_sent[2] = {0};
        rouse_client_t *client;
        const char *result;

        roused_start(&roused, "removes", abc_config);
        client = new_client();
        for (int round = 0; round < 20; round++) {
                rouse_attachment_t *attachment = attach(client);
                struct sender senders[N_THREADS];
                atomic_bool is_over = false;

                start_senders(senders, attachment, &is_over, true);
                await_sends(senders);
                roused_write_config(&roused, "handles: {a: {}}\n");
                ck_assert_int_eq(rouse_client_call(client, "reload", NULL, PATIENCE_MS, &result),
                                 0);
                ck_assert_int_eq(rouse_attachment_send(attachment, 1), -EBADF);
                atomic_store(&is_over, true);
                join_senders(senders, n_sent);
                rouse_attachment_detach(attachment);
                expect_sends("a", n_sent[0]);
                expect_sends(NULL, n_sent[0] + n_sent[1]);
                roused_write_config(&roused, abc_config);
                ck_assert_int_eq(rouse_client_call(client, "reload", NULL, PATIENCE_MS, &result),
                                 0);
        }
        rouse_client_free(client);
        roused_stop(&roused);
}

/* Two threads send at nearly the same time, to a daemon that is about to sleep after the one
 * before; and nobody sends any more until both have come. */

#define N_RACES 20000

struct racer {
        pthread_barrier_t *barrier;
        rouse_attachment_t *attachment;
        size_t index;
        unsigned int seed;
};

static void race(struct racer *racer) {
        volatile unsigned int spin;

        pthread_barrier_wait(racer->barrier);
        spin = (unsigned int)rand_r(&racer->seed) % 1500;
        while (spin > 0)
                spin--;
        test_expect(rouse_attachment_send(racer->attachment, racer->index) == 0);
}

static void *race_on(void *arg) {
        for (int i = 0; i < N_RACES; i++)
                race(arg);
        return NULL;
}

static void every_send_wakes_by_itself(void) {
        pthread_barrier_t barrier;
        pthread_t thread;
        rouse_client_t *client, *watcher;
        rouse_attachment_t *attachment;
        struct racer racers[2];
        uint64_t n_come = 0;

        roused_start(&roused, "itself", abc_config);
        client = new_client();
        watcher = new_client();
        attachment = attach(client);
        ck_assert_int_eq(rouse_client_watch(watcher, ab_names, 2, PATIENCE_MS), 0);
        pthread_barrier_init(&barrier, NULL, 2);
        for (unsigned int i = 0; i < 2; i++)
                racers[i] = (struct racer){&barrier, attachment, i, i + 1};
        ck_assert_int_eq(pthread_create(&thread, NULL, race_on, &racers[1]), 0);
        for (uint64_t i = 0; i < N_RACES; i++) {
                race(&racers[0]);
                while (n_come < 2 * (i + 1)) {
                        rouse_client_wake_t wake;

                        test_expect(rouse_client_next(watcher, PATIENCE_MS, &wake) == 0);
                        n_come += wake.n_sends;
                }
                ck_assert_uint_eq(n_come, 2 * (i + 1));
        }
        ck_assert_int_eq(pthread_join(thread, NULL), 0);
        pthread_barrier_destroy(&barrier);
        rouse_attachment_detach(attachment);
        rouse_client_free(watcher);
        rouse_client_free(client);
        roused_stop(&roused);
}

static rouse_attachment_t *handler_attachment;
static volatile sig_atomic_t n_handled;

static void on_alarm(int signal) {
        (void)signal;
        if (rouse_attachment_send(handler_attachment, 0) == 0)
                n_handled++;
}

static void a_signal_handler_may_send(void) {
        static const struct itimerval often = {{0, 200}, {0, 200}}, never = {{0, 0}, {0, 0}};
        struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
        uint64_t n_sent = 0;
        rouse_client_t *client;

        roused_start(&roused, "signal", abc_config);
        client = new_client();
        handler_attachment = attach(client);
        ck_assert_int_eq(sigaction(SIGALRM, &action, NULL), 0);
        ck_assert_int_eq(setitimer(ITIMER_REAL, &often, NULL), 0);
        while (n_handled < 100) {
                ck_assert_int_eq(rouse_attachment_send(handler_attachment, 0), 0);
                n_sent++;
        }
        ck_assert_int_eq(setitimer(ITIMER_REAL, &never, NULL), 0);
        expect_sends("a", n_sent + (uint64_t)n_handled);
        rouse_attachment_detach(handler_attachment);
        rouse_client_free(client);
        roused_stop(&roused);
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(sends_become_wakes),
                TEST(what_cannot_be_attached_says_why),
                TEST(a_killed_daemon_leaves_what_it_had_not_taken),
                TEST(a_daemon_that_stops_takes_all_and_the_next_one_the_rest),
                TEST(closed_handles_refuse),
                TEST(nothing_is_lost_while_attaching_again),
                TEST(nothing_is_lost_while_the_daemon_reloads),
                TEST(nothing_is_lost_of_what_a_reload_removes),
                TEST(every_send_wakes_by_itself),
                TEST(a_signal_handler_may_send),
                {0},
        };

        return test_main("attach-roused", tests, argc, argv);
}
