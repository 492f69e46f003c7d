/* The daemon while the machine is short of something. */

#include "tests/harness.h"
#include "tests/support.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Lets the daemon's memory grow by so much more. */
static void limit_memory(const struct roused *roused, size_t n_more) {
        unsigned long n_pages;
        char path[64], *text;
        struct rlimit limit;

        snprintf(path, sizeof(path), "/proc/%d/statm", (int)roused->pid);
        text = test_read_file(path);
        ck_assert_int_eq(sscanf(text, "%lu", &n_pages), 1);
        free(text);
        ck_assert_int_eq(prlimit(roused->pid, RLIMIT_AS, NULL, &limit), 0);
        limit.rlim_cur = n_pages * (unsigned long)sysconf(_SC_PAGESIZE) + n_more;
        ck_assert_int_eq(prlimit(roused->pid, RLIMIT_AS, &limit, NULL), 0);
}

#define N_HANDLES 20000U

static unsigned int count_handles(const struct roused *roused) {
        char *list = roused_call(roused, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"list\"}\n");
        unsigned int n = 0;

        ck_assert_ptr_nonnull(list);
        for (const char *at = list; (at = strstr(at, "\"name\":")); at++)
                n++;
        free(list);
        return n;
}

static void what_memory_is_too_short_for_is_made_by_the_next_reload(void) {
        char *config = malloc(40 * N_HANDLES + 100), *at = config, *answer;
        unsigned int n_missing = 0, n_partly = 0;
        struct roused roused;
        bool is_done = false;

        if (test_has_address_sanitizer() || test_has_thread_sanitizer()) {
                test_skip("the sanitizer needs its own memory");
                free(config);
                return;
        }
        roused_start(&roused, "d", "handles: {}\n");
        at += sprintf(at, "handles:\n");
        for (unsigned int i = 0; i < N_HANDLES; i++)
                at += sprintf(at, "  handle-%u: {quiet: 1s}\n", i);
        roused_write_config(&roused, config);
        free(config);
        /* a little more each time: from one that is not even read to one that is whole */
        for (int i = 0; i < 60 && !is_done; i++) {
                unsigned int n_were_missing = n_missing;

                limit_memory(&roused, (size_t)i << 19);
                answer = roused_call(&roused,
                                     "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"reload\"}\n");
                limit_memory(&roused, 64U << 20);
                if (!answer)
                        continue; /* there was no memory for the answer */
                at = strstr(answer, "in force, but ");
                if (at && sscanf(at, "in force, but %u handle", &n_missing) == 1) {
                        n_partly++;
                        ck_assert_ptr_nonnull(strstr(answer, "the next reload tries again"));
                        ck_assert_uint_eq(count_handles(&roused), N_HANDLES - n_missing);
                        ck_assert(n_were_missing == 0 || n_missing <= n_were_missing);
                } else if (!at && strstr(answer, "\"result\"")) {
                        is_done = true;
                }
                free(answer);
        }
        ck_assert(is_done);
        ck_assert_uint_gt(n_partly, 0);
        ck_assert_uint_eq(count_handles(&roused), N_HANDLES);
        roused_expect_log(&roused, "handles could not be made: Cannot allocate memory");
        roused_stop(&roused);
}

/* Lets the daemon open so many descriptors more. */
static void limit_fds(const struct roused *roused, unsigned int n_more) {
        unsigned int n = 0;
        struct rlimit limit;
        char path[64];
        DIR *dir;

        snprintf(path, sizeof(path), "/proc/%d/fd", (int)roused->pid);
        dir = opendir(path);
        ck_assert_ptr_nonnull(dir);
        for (struct dirent *entry; (entry = readdir(dir));)
                n += entry->d_name[0] != '.';
        closedir(dir);
        ck_assert_int_eq(prlimit(roused->pid, RLIMIT_NOFILE, NULL, &limit), 0);
        limit.rlim_cur = n + n_more;
        ck_assert_int_eq(prlimit(roused->pid, RLIMIT_NOFILE, &limit, NULL), 0);
}

#define RELOAD "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"reload\"}\n"

static void a_worker_that_cannot_be_started_is_started_by_the_next_reload(void) {
        struct roused roused;
        char *answer;

        roused_start(&roused, "d", "handles: {a: {run: [sh, -c, 'echo x >>$ROUSE_DIR/out']}}\n");
        roused_write_config(&roused,
                            "handles: {a: {run: [sh, -c, 'echo x >>$ROUSE_DIR/out']}, b: {}}\n"
                            "workers: {clock: [{every: 50ms, send: a}]}\n");
        limit_fds(&roused, 2); /* the request's, and the file's */
        answer = roused_call(&roused, RELOAD);
        limit_fds(&roused, 100);
        ck_assert_ptr_nonnull(strstr(answer, "-32603"));
        ck_assert_ptr_nonnull(strstr(answer, "in force, but a worker could not be started or "
                                             "changed: Too many open files; the next reload"));
        free(answer);
        roused_expect_log(&roused, "cannot start worker clock: Too many open files");
        roused_expect_status(&roused, "b", "\"state\":\"idle\"");
        answer = roused_call(&roused, RELOAD);
        ck_assert_ptr_nonnull(strstr(answer, "\"result\""));
        free(answer);
        free(roused_expect_lines(&roused, "out", 2));
        roused_stop(&roused);
}

/* From too few descriptors for anything to enough, one more each time: it either serves, with its
 * worker, or says that it cannot and why. */
static void a_start_without_its_workers_is_none(void) {
        unsigned int n_without_worker = 0;
        bool is_done = false;
        const char *config = test_path("c.yaml");

        test_write_file(config, "handles: {a: {}}\nworkers: {clock: [{every: 1h, send: a}]}\n");
        for (unsigned int n = 8; n < 64 && !is_done; n++) {
                char command[4096], output[4096];
                FILE *pipe;
                size_t n_output;
                int status;

                snprintf(command, sizeof(command),
                         "ulimit -n %u; timeout 1 %s --config %s --dir %s 2>&1", n,
                         built_program("daemon/roused"), config, test_path("d%u", n));
                pipe = popen(command, "re");
                ck_assert_ptr_nonnull(pipe);
                n_output = fread(output, 1, sizeof(output) - 1, pipe);
                output[n_output] = '\0';
                status = pclose(pipe);
                is_done = WEXITSTATUS(status) == 124; /* it served until it was told to stop */
                if (is_done)
                        break;
                if (WEXITSTATUS(status) > 1)
                        continue; /* so few that libuv aborts, or nothing can be executed */
                ck_assert_msg(WEXITSTATUS(status) == 1 && n_output > 0, "%u: %s", n, output);
                if (!strstr(output, "cannot start worker clock"))
                        continue;
                ck_assert_ptr_nonnull(strstr(output, "Too many open files"));
                n_without_worker++;
        }
        ck_assert(is_done);
        ck_assert_uint_gt(n_without_worker, 0);
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(what_memory_is_too_short_for_is_made_by_the_next_reload),
                TEST(a_worker_that_cannot_be_started_is_started_by_the_next_reload),
                TEST(a_start_without_its_workers_is_none),
                {0},
        };

        return test_main("roused-shortage", tests, argc, argv);
}
