/*
 * The promise, held against the real daemon: a ledger. Each run writes when it began and ended, and
 * which wake it covers; each send is noted with its ticket and the length of that file before it.
 * Then every ticket must be covered by a run that began after its send, and no two runs of a handle
 * may have overlapped.
 */

#include "tests/harness.h"
#include "tests/support.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define N_HANDLES 3
#define N_SENDS   400

static const char config[] =
        "handles:\n"
        "  h0:\n"
        "    run: [sh, -c, 'echo start $ROUSE_SEQ $ROUSE_SENDS >>$ROUSE_DIR/h0; "
        "echo end $ROUSE_SEQ 0 >>$ROUSE_DIR/h0']\n"
        "  h1:\n"
        "    run: [sh, -c, 'echo start $ROUSE_SEQ $ROUSE_SENDS >>$ROUSE_DIR/h1; sleep 0.02; "
        "echo end $ROUSE_SEQ 0 >>$ROUSE_DIR/h1; exit 1']\n"
        "  h2:\n"
        "    run: [sh, -c, 'echo start $ROUSE_SEQ $ROUSE_SENDS >>$ROUSE_DIR/h2; sleep 0.$((ROUSE_SEQ % 9)); "
        "echo end $ROUSE_SEQ 0 >>$ROUSE_DIR/h2']\n";

struct note {
        int handle;
        uint64_t ticket;
        long offset; /* length of the run's file before the send */
};

static long length_of(const struct roused *roused, int handle) {
        char path[4096];
        struct stat st;

        snprintf(path, sizeof(path), "%s/h%d", roused->dir, handle);
        return stat(path, &st) < 0 ? 0 : (long)st.st_size;
}

/* The ways in: each answers with the ticket. */

static uint64_t send_by_poke(const struct roused *roused, const char *name) {
        return roused_send(roused, name);
}

static uint64_t send_by_control(const struct roused *roused, const char *name) {
        char request[256];
        unsigned long long ticket = 0;
        const char *found;
        char *answer;

        snprintf(request, sizeof(request),
                 "{\"jsonrpc\":\"2.0\",\"method\":\"send\",\"params\":[\"%s\"],\"id\":1}", name);
        answer = roused_call(roused, request);
        found = strstr(answer, "\"ticket\":");
        ck_assert_msg(found && sscanf(found, "\"ticket\":%llu", &ticket) == 1, "%s", answer);
        free(answer);
        return ticket;
}

static const char *shell; /* the path of rouse; set before there are threads */

static uint64_t send_by_shell(const struct roused *roused, const char *name) {
        char command[8192];
        unsigned long long ticket = 0;
        FILE *pipe;

        snprintf(command, sizeof(command), "exec %s --dir %s send %s", shell, roused->dir, name);
        pipe = popen(command, "re");
        ck_assert_ptr_nonnull(pipe);
        ck_assert_int_eq(fscanf(pipe, "%llu", &ticket), 1);
        ck_assert_int_eq(pclose(pipe), 0);
        return ticket;
}

static uint64_t (*const ways[])(const struct roused *roused, const char *name) = {
        send_by_poke,
        send_by_control,
        send_by_shell,
};

static struct note send_one(const struct roused *roused, int handle, unsigned int way) {
        char name[8];
        struct note note = {.handle = handle, .offset = length_of(roused, handle)};

        snprintf(name, sizeof(name), "h%d", handle);
        note.ticket = ways[way % 3](roused, name);
        return note;
}

/* Reads a handle's file: runs alternate between start and end, and are told of all sends once. */
static void check_runs(const char *text, uint64_t n_sends) {
        uint64_t n_told = 0, last_seq = 0;
        bool is_running = false;

        for (const char *line = text; *line; line = strchr(line, '\n') + 1) {
                unsigned long long seq, n;
                char word[8];

                ck_assert_int_eq(sscanf(line, "%7s %llu %llu", word, &seq, &n), 3);
                if (strcmp(word, "start") == 0) {
                        ck_assert_msg(!is_running, "two runs at once: %.30s", line);
                        ck_assert_uint_gt(seq, last_seq);
                        ck_assert_uint_ge(n, 1);
                        n_told += n;
                        last_seq = seq;
                } else {
                        ck_assert(is_running);
                        ck_assert_uint_eq(seq, last_seq);
                }
                is_running = !is_running;
        }
        ck_assert(!is_running);
        ck_assert_uint_eq(n_told, n_sends);
}

static void check_note(const char *text, const struct note *note) {
        for (const char *line = text + note->offset; *line; line = strchr(line, '\n') + 1) {
                unsigned long long seq;

                if (sscanf(line, "start %llu", &seq) == 1 && seq >= note->ticket)
                        return;
        }
        ck_abort_msg("no run covers ticket %llu of h%d, sent at %ld",
                     (unsigned long long)note->ticket, note->handle, note->offset);
}

static void check_ledger(const struct roused *roused, const struct note *notes, size_t n_notes) {
        for (int handle = 0; handle < N_HANDLES; handle++) {
                char path[4096];
                char *text;
                uint64_t n = 0;

                snprintf(path, sizeof(path), "%s/h%d", roused->dir, handle);
                text = test_read_file(path);
                ck_assert_ptr_nonnull(text);
                for (size_t i = 0; i < n_notes; i++)
                        if (notes[i].handle == handle) {
                                check_note(text, &notes[i]);
                                n++;
                        }
                check_runs(text, n);
                free(text);
        }
}

static void every_ticket_is_covered_by_a_run_that_began_after_it(void) {
        static struct note notes[N_SENDS];
        struct roused roused;
        unsigned int seed = (unsigned int)time(NULL);

        printf("seed %u\n", seed);
        roused_start(&roused, "d", config);
        for (size_t i = 0; i < N_SENDS; i++) {
                notes[i] = send_one(&roused, rand_r(&seed) % N_HANDLES, 0);
                if (rand_r(&seed) % 8 == 0)
                        nanosleep(&(struct timespec){.tv_nsec = rand_r(&seed) % 20000000}, NULL);
        }
        roused_stop(&roused); /* lets what is pending run */
        check_ledger(&roused, notes, N_SENDS);
}

struct sender {
        const struct roused *roused;
        unsigned int way; /* 3: each in turn */
        unsigned int seed;
        size_t n;
        struct note notes[N_SENDS / 4];
};

static void *send_many(void *arg) {
        struct sender *sender = arg;

        for (; sender->n < N_SENDS / 4; sender->n++)
                sender->notes[sender->n] =
                        send_one(sender->roused, rand_r(&sender->seed) % N_HANDLES,
                                 sender->way < 3 ? sender->way : (unsigned int)sender->n);
        return NULL;
}

static void and_so_it_is_with_many_senders_and_reloads(void) {
        static struct sender senders[4];
        static struct note notes[N_SENDS];
        struct roused roused;
        pthread_t threads[4];

        shell = built_program("cli/rouse");
        roused_start(&roused, "d", config);
        for (unsigned int i = 0; i < 4; i++) {
                senders[i] = (struct sender){.roused = &roused, .way = i, .seed = i + 1};
                ck_assert_int_eq(pthread_create(&threads[i], NULL, send_many, &senders[i]), 0);
        }
        for (int i = 0; i < 20; i++) {
                kill(roused.pid, SIGHUP);
                nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
        }
        for (unsigned int i = 0; i < 4; i++) {
                pthread_join(threads[i], NULL);
                memcpy(notes + i * (N_SENDS / 4), senders[i].notes, sizeof(senders[i].notes));
        }
        roused_stop(&roused);
        check_ledger(&roused, notes, N_SENDS);
}

static void ten_sends_during_a_run_make_exactly_one_more(void) {
        struct roused roused;
        char *lines;

        roused_start(&roused, "d",
                     "handles:\n"
                     "  slow:\n"
                     "    run: [sh, -c, 'echo $ROUSE_SENDS >>$ROUSE_DIR/runs; "
                     "while ! test -e $ROUSE_DIR/go; do sleep 0.01; done']\n");
        roused_send(&roused, "slow");
        free(roused_expect_lines(&roused, "runs", 1));
        for (int i = 0; i < 10; i++)
                ck_assert_uint_gt(roused_send(&roused, "slow"), 1);
        test_write_file(test_path("d/go"), "");
        lines = roused_expect_lines(&roused, "runs", 2);
        roused_stop(&roused);
        free(lines);
        lines = test_read_file(test_path("d/runs"));
        ck_assert_str_eq(lines, "1\n10\n");
        free(lines);
}

static void set_descriptors(const struct roused *roused, rlim_t n) {
        struct rlimit limit;

        ck_assert_int_eq(prlimit(roused->pid, RLIMIT_NOFILE, NULL, &limit), 0);
        limit.rlim_cur = n;
        ck_assert_int_eq(prlimit(roused->pid, RLIMIT_NOFILE, &limit, NULL), 0);
}

static void a_run_that_cannot_start_now_starts_later(void) {
        struct roused roused;
        char *lines;

        roused_start(&roused, "d",
                     "handles: {a: {run: [sh, -c, 'echo $ROUSE_SENDS >>$ROUSE_DIR/runs']}}\n");
        set_descriptors(&roused, 3);
        roused_poke_quietly(&roused, "a\na\n");
        roused_expect_log(&roused, "trying again");
        roused_poke_quietly(&roused, "a");
        set_descriptors(&roused, 1024);
        lines = roused_expect_lines(&roused, "runs", 1);
        ck_assert_str_eq(lines, "3\n");
        free(lines);
        roused_stop(&roused);
}

static void numbers_go_on_after_kill(void) {
        struct roused roused;
        unsigned long long last = 0;
        char *lines;

        roused_start(&roused, "d",
                     "handles: {a: {run: [sh, -c, 'echo $ROUSE_SEQ >>$ROUSE_DIR/seqs']}}\n");
        for (unsigned int i = 1; i <= 6; i++) {
                unsigned long long seq;

                roused_send(&roused, "a");
                lines = roused_expect_lines(&roused, "seqs", i);
                seq = strtoull(strrchr(lines, '\n') - 1, NULL, 10);
                ck_assert_uint_gt(seq, last);
                last = seq;
                free(lines);
                if (i == 3) {
                        roused_kill(&roused);
                        roused_restart(&roused); /* over the sockets that were left behind */
                }
        }
        roused_stop(&roused);
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(every_ticket_is_covered_by_a_run_that_began_after_it),
                TEST(and_so_it_is_with_many_senders_and_reloads),
                TEST(ten_sends_during_a_run_make_exactly_one_more),
                TEST(a_run_that_cannot_start_now_starts_later),
                TEST(numbers_go_on_after_kill),
                {0},
        };

        return test_main("promise", tests, argc, argv);
}
