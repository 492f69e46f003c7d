#include "tests/support.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/exec.h"
#include "daemon/reaper.h"

static char *env[] = {"PATH=/usr/bin:/bin", "WORD=from the environment", NULL};

struct result {
        bool has_ended;
        int code, status;
        bool left_untaken;
        unsigned int n_lines;
        char lines[16][64];
};

static void on_output(void *arg, bool is_stderr, const char *line, size_t n_line) {
        struct result *result = arg;

        ck_assert_uint_lt(result->n_lines, 16);
        snprintf(result->lines[result->n_lines++], 64, "%s%.*s", is_stderr ? "err:" : "",
                 (int)n_line, line);
}

static void on_exited(void *arg, int code, int status, bool left_untaken) {
        struct result *result = arg;

        ck_assert(!result->has_ended);
        result->has_ended = true;
        result->code = code;
        result->status = status;
        result->left_untaken = left_untaken;
}

static const struct exec_ops ops = {.output = on_output, .exited = on_exited};

/* One process, in a loop of its own. */
struct job {
        uv_loop_t loop;
        struct reaper *reaper;
        struct result result;
        struct exec *exec;
        const char *step; /* that failed */
};

/* Returns what exec_start() does. */
static int job_start(struct job *job, const struct exec_spec *spec) {
        *job = (struct job){.exec = NULL};
        ck_assert_int_eq(uv_loop_init(&job->loop), 0);
        ck_assert_int_eq(reaper_new(&job->loop, &job->reaper), 0);
        return exec_start(job->reaper, spec, &ops, &job->result, &job->step, &job->exec);
}

static void job_await_end(struct job *job) {
        while (!job->result.has_ended)
                uv_run(&job->loop, UV_RUN_ONCE);
}

static void job_finish(struct job *job) {
        reaper_close(job->reaper);
        ck_assert_int_eq(uv_run(&job->loop, UV_RUN_DEFAULT), 0);
        ck_assert_int_eq(uv_loop_close(&job->loop), 0);
}

/* Runs `sh -c script` to its end. */
static struct result run(const char *script) {
        char *argv[] = {"sh", "-c", (char *)script, NULL};
        struct exec_spec spec = {
                .argv = argv, .env = env, EXEC_SPEC_INIT, .log_stdout = true, .log_stderr = true};
        struct job job;

        ck_assert_int_eq(job_start(&job, &spec), 0);
        job_await_end(&job);
        job_finish(&job);
        return job.result;
}

static void output_comes_line_by_line_before_the_end(void) {
        struct result result = run(
                "echo one; echo two >&2; echo; printf 'no newline'; echo \"$WORD\" >&2; exit 3");
        unsigned int n_seen = 0;

        ck_assert_int_eq(result.code, CLD_EXITED);
        ck_assert_int_eq(result.status, 3);
        for (unsigned int i = 0; i < result.n_lines; i++)
                n_seen += strcmp(result.lines[i], "one") == 0 ||
                          strcmp(result.lines[i], "err:two") == 0 ||
                          strcmp(result.lines[i], "") == 0 ||
                          strcmp(result.lines[i], "no newline") == 0 ||
                          strcmp(result.lines[i], "err:from the environment") == 0;
        ck_assert_uint_eq(result.n_lines, 5);
        ck_assert_uint_eq(n_seen, 5);
}

static void nothing_is_inherited_but_what_is_meant(void) {
        struct result result;
        int fd = open("/dev/null", O_RDONLY); /* not close-on-exec: stays in the child */
        sigset_t blocked;

        sigemptyset(&blocked);
        sigaddset(&blocked, SIGUSR1);
        sigprocmask(SIG_BLOCK, &blocked, NULL);
        signal(SIGUSR2, SIG_IGN);
        result = run(
                "grep -E '^Sig(Blk|Ign)' /proc/self/status | cut -f2; readlink /proc/self/fd/0; "
                "test $(ps -o pgid= -p $$) = $$ && test $(ps -o sid= -p $$) = $$ && echo own");
        ck_assert_uint_ge(result.n_lines, 4);
        ck_assert_str_eq(result.lines[0], "0000000000000000");
        ck_assert_str_eq(result.lines[1], "0000000000000000");
        ck_assert_str_eq(result.lines[2], "/dev/null");
        ck_assert_str_eq(result.lines[3], "own");
        close(fd);
}

static void a_program_that_is_not_there_is_an_error_at_once(void) {
        static const struct {
                const char *program;
                int error;
        } cases[] = {
                {"no-such-program-anywhere", -ENOENT},
                {"/no/such/program", -ENOENT},
                {"/etc/passwd", -EACCES},
                {"/", -EACCES},
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                char *argv[] = {(char *)cases[i].program, NULL};
                struct exec_spec spec = {
                        .argv = argv, .env = env, EXEC_SPEC_INIT, .log_stdout = true};
                struct job job;

                ck_assert_int_eq(job_start(&job, &spec), cases[i].error);
                ck_assert_str_eq(job.step, "exec");
                job_finish(&job);
                ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1); /* no zombie */
                ck_assert_int_eq(errno, ECHILD);
        }
}

/* What runs says where it was found. */
static void put_program(const char *path, const char *where) {
        char text[64];

        snprintf(text, sizeof(text), "#!/bin/sh\necho %s\n", where);
        test_write_file(path, text);
        ck_assert_int_eq(chmod(path, 0755), 0);
}

static void the_search_goes_on_where_nothing_can_be_executed(void) {
        static const struct {
                const char *path; /* "@" is the test's directory */
                bool as_nobody;
                const char *name, *output;
                int error;
        } cases[] = {
                {"@/good:/bin", false, "tool", "good", 0},
                {"@/directory:@/good", false, "tool", "good", 0},
                {"@/plain:@/good", false, "tool", "good", 0},
                {"@/plain/tool:@/missing:@/good", false, "tool", "good", 0},
                {"@/good:@/other", false, "tool", "good", 0},
                {"@/other:@/good", false, "tool", "other", 0},
                {"good:other", false, "tool", "good", 0}, /* in the working directory */
                {"@/missing:", false, "here", "here", 0},
                {":@/good", false, "here", "here", 0},
                {"", false, "here", "here", 0},
                {"@/locked:@/good", true, "tool", "good", 0},
                {"@/locked:@/good", false, "tool", "locked", 0},
                {"@/good", false, "", NULL, -ENOENT},
                {"@/directory", false, "tool", NULL, -EACCES},
                {"@/directory:@/missing", false, "tool", NULL, -EACCES},
                {"@/plain/tool", false, "tool", NULL, -ENOENT},
                {"@/missing:@/locked", true, "tool", NULL, -EACCES},
                {"@/broken:@/good", false, "tool", NULL, -ENOEXEC}, /* it is there, and is none */
                {"@/good", false, "./good/tool", "good", 0},
                {"@/good", false, "plain/tool/tool", NULL, -ENOTDIR},
        };
        bool is_root = test_is_root();

        ck_assert_int_eq(chmod(test_dir(), 0755), 0);
        ck_assert_int_eq(mkdir(test_path("directory"), 0755), 0);
        ck_assert_int_eq(mkdir(test_path("directory/tool"), 0755), 0);
        for (const char *const *dir =
                     (const char *const[]){"good", "other", "locked", "plain", "broken", NULL};
             *dir; dir++) {
                ck_assert_int_eq(mkdir(test_path("%s", *dir), 0755), 0);
                put_program(test_path("%s/tool", *dir), *dir);
        }
        put_program(test_path("here"), "here");
        test_write_file(test_path("broken/tool"), "no program\n");
        ck_assert_int_eq(chmod(test_path("plain/tool"), 0644), 0);
        ck_assert_int_eq(chmod(test_path("locked"), 0700), 0);
        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                char path[1024] = "PATH=", *argv[] = {(char *)cases[i].name, NULL};
                struct exec_spec spec = {.argv = argv,
                                         .env = (char *[]){path, NULL},
                                         .cwd = test_dir(),
                                         EXEC_SPEC_INIT,
                                         .log_stdout = true};
                struct job job;

                for (const char *p = cases[i].path; *p; p++)
                        strncat(path, *p == '@' ? test_dir() : p, *p == '@' ? 900 : 1);
                if (cases[i].as_nobody) {
                        if (!is_root)
                                continue;
                        spec.set_ids = true;
                        spec.uid = spec.gid = 65534;
                }
                ck_assert_int_eq(job_start(&job, &spec), cases[i].error);
                if (cases[i].error) {
                        ck_assert_str_eq(job.step, "exec");
                } else {
                        job_await_end(&job);
                        ck_assert_uint_eq(job.result.n_lines, 1);
                        ck_assert_str_eq(job.result.lines[0], cases[i].output);
                }
                job_finish(&job);
        }
}

static void a_directory_that_is_not_there_says_so(void) {
        char *argv[] = {"true", NULL};
        struct exec_spec spec = {.argv = argv, .env = env, .cwd = "/no/such/dir", EXEC_SPEC_INIT};
        struct job job;

        ck_assert_int_eq(job_start(&job, &spec), -ENOENT);
        ck_assert_str_eq(job.step, "chdir");
        job_finish(&job);
}

static void the_group_is_signalled_and_its_rest_killed(void) {
        char *argv[] = {
                "sh", "-c",
                "trap 'exit 4' TERM; (trap '' TERM; echo child; exec sleep 1000) & echo up; wait",
                NULL};
        struct exec_spec spec = {.argv = argv, .env = env, EXEC_SPEC_INIT, .log_stdout = true};
        struct job job;
        pid_t group;

        ck_assert_int_eq(job_start(&job, &spec), 0);
        group = exec_pid(job.exec);
        while (job.result.n_lines < 2)
                uv_run(&job.loop, UV_RUN_ONCE);
        exec_kill_rest(job.exec);
        ck_assert_int_eq(exec_signal_group(job.exec, SIGTERM), 0);
        job_await_end(&job);
        ck_assert_int_eq(job.result.code, CLD_EXITED);
        ck_assert_int_eq(job.result.status, 4);
        job_finish(&job);
        /* The child that ignores TERM was killed, so waiting for it does not last. */
        while (waitpid(-group, NULL, 0) > 0)
                ;
        ck_assert_int_eq(kill(-group, 0), -1);
}

static void a_process_that_has_ended_is_not_signalled(void) {
        char *argv[] = {"true", NULL};
        struct exec_spec spec = {.argv = argv, .env = env, EXEC_SPEC_INIT};
        struct job job;
        siginfo_t info;

        ck_assert_int_eq(job_start(&job, &spec), 0);
        ck_assert_int_eq(waitid(P_PID, (id_t)exec_pid(job.exec), &info, WEXITED | WNOWAIT), 0);
        /* The loop has not seen it. */
        ck_assert_int_eq(exec_signal(job.exec, SIGUSR1), -ESRCH);
        job_await_end(&job);
        ck_assert_int_eq(job.result.code, CLD_EXITED);
        job_finish(&job);
}

#define EXITS_SLOWLY "TEST_EXEC_EXITS_SLOWLY"

static void on_told(int signal) {
        (void)signal;
        if (write(STDOUT_FILENO, "told\n", 5) < 0)
                _exit(1);
}

/* Another process: has so much memory that it takes a while to be rid of it. */
static void exit_slowly(void) {
        const size_t n = 128U << 20;
        char *memory = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        if (memory == MAP_FAILED)
                _exit(1);
        (void)madvise(memory, n, MADV_NOHUGEPAGE);
        memset(memory, 1, n);
        signal(SIGUSR1, on_told);
        _exit(write(STDOUT_FILENO, "up\n", 3) < 0);
}

/* Long before it is a zombie the kernel drops what is sent to it. */
static void a_process_that_exits_is_not_told(void) {
        char *argv[] = {"/proc/self/exe", NULL};
        char *exits_slowly[] = {EXITS_SLOWLY "=1", NULL};
        struct exec_spec spec = {
                .argv = argv, .env = exits_slowly, EXEC_SPEC_INIT, .log_stdout = true};

        if (test_has_thread_sanitizer()) {
                test_skip("the sanitizer keeps signals back, and forgets them at an exit");
                return;
        }
        for (int i = 0; i < 20; i++) {
                struct job job;
                int r;

                ck_assert_int_eq(job_start(&job, &spec), 0);
                while (job.result.n_lines < 1)
                        uv_run(&job.loop, UV_RUN_ONCE);
                /* Its end may have been seen with its line. */
                r = job.result.has_ended ? -ESRCH : exec_signal(job.exec, SIGUSR1);
                ck_assert(r == 0 || r == -ESRCH);
                job_await_end(&job);
                ck_assert_int_eq(job.result.code, CLD_EXITED);
                if (r == 0 && !job.result.left_untaken)
                        ck_assert_uint_eq(job.result.n_lines, 2);
                job_finish(&job);
        }
}

/* Of a signal that waits there is no other trace. */
static void what_a_process_has_not_taken_is_said_at_its_end(void) {
        char *argv[] = {"env", "--block-signal=USR1", "sh", "-c", "echo up; read x", NULL};
        struct exec_spec spec = {.argv = argv, .env = env, EXEC_SPEC_INIT, .log_stdout = true};

        for (int is_told = 0; is_told < 2; is_told++) {
                struct job job;
                int fds[2];

                ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
                spec.stdin_fd = fds[0];
                ck_assert_int_eq(job_start(&job, &spec), 0);
                close(fds[0]);
                while (job.result.n_lines < 1)
                        uv_run(&job.loop, UV_RUN_ONCE);
                if (is_told)
                        ck_assert_int_eq(exec_signal(job.exec, SIGUSR1), 0);
                close(fds[1]);
                job_await_end(&job);
                ck_assert_int_eq(job.result.code, CLD_EXITED);
                ck_assert_int_eq(job.result.left_untaken, is_told);
                job_finish(&job);
        }
}

static void an_end_is_seen_though_a_child_keeps_the_pipe_open(void) {
        struct result result = run("sleep 1000 & echo $!; exit 0");

        ck_assert_uint_eq(result.n_lines, 1);
        ck_assert_int_eq(result.status, 0);
        ck_assert_int_eq(kill(atoi(result.lines[0]), SIGKILL), 0);
}

static void a_killed_process_says_by_what(void) {
        struct result result = run("kill -KILL $$");

        ck_assert_int_eq(result.code, CLD_KILLED);
        ck_assert_int_eq(result.status, SIGKILL);
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(output_comes_line_by_line_before_the_end),
                TEST(nothing_is_inherited_but_what_is_meant),
                TEST(a_program_that_is_not_there_is_an_error_at_once),
                TEST(the_search_goes_on_where_nothing_can_be_executed),
                TEST(a_directory_that_is_not_there_says_so),
                TEST(the_group_is_signalled_and_its_rest_killed),
                TEST(a_process_that_has_ended_is_not_signalled),
                TEST(a_process_that_exits_is_not_told),
                TEST(what_a_process_has_not_taken_is_said_at_its_end),
                TEST(an_end_is_seen_though_a_child_keeps_the_pipe_open),
                TEST(a_killed_process_says_by_what),
                {0},
        };

        if (getenv(EXITS_SLOWLY))
                exit_slowly();
        return test_main("exec", tests, argc, argv);
}
