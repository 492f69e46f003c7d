/* What is remembered of a command, in a registry without sockets. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/conf-error.h"
#include "daemon/configuration.h"
#include "daemon/deadline.h"
#include "daemon/handle-tools.h"
#include "daemon/handle.h"
#include "daemon/limits.h"
#include "daemon/reaper.h"
#include "daemon/registry-setup.h"
#include "daemon/registry.h"
#include "daemon/seqfile.h"
#include "tests/support.h"

static const char config[] =
        "handles:\n"
        "  fails: {run: [sh, -c, 'echo out; echo first >&2; printf second >&2; exit 1']}\n"
        "  silent: {run: [sh, -c, 'exit 1']}\n"
        "  good: {run: [sh, -c, 'echo all is well >&2']}\n"
        "  allowed: {run: [sh, -c, 'echo as it should >&2; exit 3'], success_exit: 3}\n"
        "  elsewhere: {run: [sh, -c, 'echo hidden >&2; exit 1'], stderr: null}\n"
        "  much: {run: [sh, -c, 'for i in 1 2 3 4 5 6 7 8 9; do printf \"%0200d\\n\" $i >&2; done; "
        "exit 1']}\n"
        "  patient: {run: [sh, -c, 'echo well >&2; exit 0'], timeout: 18446744073s}\n"
        "  lenient: {timeout: 1s, kill_after: 18446744073s,\n"
        "    run: [sh, -c, 'trap \"sleep 0.3; exit 5\" TERM; sleep 1000 & wait']}\n"
        "  cwd: {run: ['true'], cwd: /no/such/dir}\n"
        "  output: {run: ['true'], stdout: /no/such/file}\n"
        "  program: {run: [/no/such/program]}\n"
        "  script: {run: [./script]}\n"
        "  found: {run: [script], env: {PATH: '/no/such/dir:.'}}\n"
        "  signal: {signal: {pidfile: /no/such/pid, signal: HUP}}\n"
        "  long: {run: [sh, -c, 'printf \"%05000d\\n\" 0 >&2; echo more >&2; exit 1']}\n";

struct memory {
        unsigned int n_runs;
        bool success, has_complaint;
        int status;
        char complaint[2 * LIMIT_COMPLAINT];
};

static void on_run(void *arg, const struct run_result *result, const char *complaint) {
        struct memory *memory = arg;

        memory->n_runs++;
        memory->success = result->success;
        memory->status = result->status;
        memory->has_complaint = complaint != NULL;
        if (complaint) {
                ck_assert_uint_le(strlen(complaint), LIMIT_COMPLAINT);
                strcpy(memory->complaint, complaint);
        }
}

/* Runs each of the handles once, and says what is remembered of it. */
static void run_all(const char *const *names, struct memory *memories, size_t n) {
        static char *env[] = {"PATH=/usr/bin:/bin", NULL};
        struct conf_errors errors = CONF_ERRORS_NULL;
        struct handle_tools tools = {.env = env};
        struct registry_changes changes = {0};
        struct configuration *configuration;
        struct registry *registry;
        uv_loop_t loop;
        int error;

        ck_assert_int_eq(uv_loop_init(&loop), 0);
        ck_assert_int_eq(reaper_new(&loop, &tools.reaper), 0);
        ck_assert_int_eq(rouse_hub_create(&loop, &tools.hub), 0);
        ck_assert_int_eq(deadline_queue_new(&loop, NULL, &tools.deadlines), 0);
        ck_assert_int_eq(seqfile_open(test_path("seq"), &error, &tools.seqfile), 0);
        ck_assert_int_eq(configuration_parse("t", config, strlen(config), &errors, &configuration),
                         0);
        ck_assert_int_eq(registry_new(&tools, &registry), 0);
        ck_assert_int_eq(registry_apply(registry, configuration, &changes), 0);
        for (size_t i = 0; i < n; i++) {
                struct handle *handle = registry_find(registry, names[i]);
                struct run_result last;

                ck_assert_int_eq(handle_start(handle), 0);
                ck_assert_int_eq(handle_send(handle, NULL, 0, NULL), 0);
                while (!handle_last_run(handle, &last))
                        uv_run(&loop, UV_RUN_ONCE);
                handle_each_run(handle, on_run, &memories[i]);
        }
        registry_free(registry);
        rouse_hub_close(tools.hub, NULL, NULL);
        deadline_queue_close(tools.deadlines);
        reaper_close(tools.reaper);
        uv_run(&loop, UV_RUN_DEFAULT);
        ck_assert_int_eq(uv_loop_close(&loop), 0);
        seqfile_close(tools.seqfile);
        configuration_unref(configuration);
}

static void what_a_failed_run_complained_about_is_remembered(void) {
        static const char *const names[] = {"fails",     "silent", "good", "allowed",
                                            "elsewhere", "much",   "long"};
        struct memory memories[7] = {0};

        run_all(names, memories, 7);
        for (size_t i = 0; i < 7; i++) {
                ck_assert_uint_eq(memories[i].n_runs, 1);
                ck_assert(memories[i].success == (i == 2 || i == 3));
                ck_assert(memories[i].has_complaint == (i == 0 || i >= 5));
        }
        ck_assert_str_eq(memories[0].complaint, "first\nsecond\n");
        for (size_t i = 5; i < 7; i++) { /* the beginning, up to the limit */
                ck_assert_uint_eq(strlen(memories[i].complaint), LIMIT_COMPLAINT);
                ck_assert_int_eq(memories[i].complaint[LIMIT_COMPLAINT - 1], '\n');
        }
}

static void why_a_run_could_not_be_started_is_remembered(void) {
        static const char *const names[] = {"cwd",    "output", "program",
                                            "script", "found",  "signal"};
        static const char *const complaints[] = {
                "cannot run true: chdir /no/such/dir: No such file or directory\n",
                "cannot run true: stdout /no/such/file: No such file or directory\n",
                "cannot run /no/such/program: exec: No such file or directory\n",
                "cannot run ./script: interpreter: No such file or directory\n",
                "cannot run script: interpreter: No such file or directory\n",
                ("cannot send signal 1 (HUP) to the process of /no/such/pid: "
                 "No such file or directory\n"),
        };
        struct memory memories[6] = {0};

        ck_assert_int_eq(chdir(test_dir()), 0);
        test_write_file("script", "#!/no/such/interpreter\n");
        ck_assert_int_eq(chmod("script", 0755), 0);
        run_all(names, memories, 6);
        for (size_t i = 0; i < 6; i++) {
                ck_assert(!memories[i].success);
                ck_assert_str_eq(memories[i].complaint, complaints[i]);
        }
}

static void times_beyond_the_end_of_the_clock_do_not_come(void) {
        static const char *const names[] = {"patient", "lenient"};
        struct memory memories[2] = {0};

        run_all(names, memories, 2);
        ck_assert(memories[0].success);
        ck_assert_int_eq(memories[1].status, 5); /* it was told to end, and not killed */
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(what_a_failed_run_complained_about_is_remembered),
                TEST(why_a_run_could_not_be_started_is_remembered),
                TEST(times_beyond_the_end_of_the_clock_do_not_come),
                {0},
        };

        return test_main("command", tests, argc, argv);
}
