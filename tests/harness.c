/*
 * The daemon's standard error goes to a file, which the test can read at any time and which a
 * person can read when a test has failed. A child that is left over when a test fails is killed
 * with it (PDEATHSIG).
 */

#include "tests/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support.h"
#include "tests/unix-socket.h"

#define PATIENCE_MS 20000
#define MAX_ANSWER  (256U << 10)
#define LOG_TAIL    1500 /* bytes of it; check refuses long messages */

const char *built_program(const char *path) {
        static char programs[4][4096];
        static unsigned int n;
        const char *build = getenv("ROUSE_BUILD");
        char *program = programs[n++ % 4];

        snprintf(program, sizeof(programs[0]), "%s/%s", build ? build : ".", path);
        ck_assert_msg(access(program, X_OK) == 0, "%s: %s (is ROUSE_BUILD set?)", program,
                      strerror(errno));
        return program;
}

unsigned int count_lines(const char *text) {
        unsigned int n = 0;

        for (; text && *text; text++)
                n += *text == '\n';
        return n;
}

static struct sockaddr_un address_of(const struct roused *roused, const char *name) {
        char path[4096];

        snprintf(path, sizeof(path), "%s/%s", roused->dir, name);
        return unix_address(path);
}

static int try_connect(const struct roused *roused) {
        return unix_connect(address_of(roused, "control.sock").sun_path, SOCK_STREAM);
}

/* The end of the log, for messages; the process ends with them. */
static const char *log_tail(const struct roused *roused) {
        const char *log = test_read_file(roused->log);
        size_t n = log ? strlen(log) : 0;

        return n > LOG_TAIL ? log + n - LOG_TAIL : log;
}

static bool answers(void *arg) {
        static const char ping[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n";
        struct roused *roused = arg;
        int fd, status;
        bool is_up;
        char c;

        ck_assert_msg(waitpid(roused->pid, &status, WNOHANG) == 0, "roused did not start: %s",
                      log_tail(roused));
        fd = try_connect(roused);
        if (fd < 0)
                return false;
        /* What can be connected to may still be starting; what answers has started. */
        is_up = send(fd, ping, strlen(ping), MSG_NOSIGNAL) == (ssize_t)strlen(ping) &&
                recv(fd, &c, 1, 0) == 1;
        close(fd);
        return is_up;
}

void roused_become(const struct roused *roused) {
        uid_t uid = roused->uid;

        if (uid && (setgroups(0, NULL) < 0 || setresgid(uid, uid, uid) < 0 ||
                    setresuid(uid, uid, uid) < 0))
                _exit(126);
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* last: a change of user takes it away */
}

void roused_spawn(struct roused *roused) {
        int program_fd = open(built_program("daemon/roused"), O_RDONLY | O_CLOEXEC);

        ck_assert_int_ge(program_fd, 0);
        roused->pid = fork();
        ck_assert_int_ge(roused->pid, 0);
        if (roused->pid == 0) {
                int log_fd = open(roused->log, O_WRONLY | O_CREAT | O_APPEND, 0600);

                dup2(log_fd, STDERR_FILENO);
                dup2(log_fd, STDOUT_FILENO);
                roused_become(roused);
                for (int fd = 3; fd < 64; fd++)
                        if (fd != program_fd)
                                close(fd);
                /* by its descriptor: who has no rights might not reach the path */
                fexecve(program_fd,
                        (char *[]){"roused", "--config", (char *)roused->config, "--dir",
                                   (char *)roused->dir, (char *)roused->option, NULL},
                        environ);
                _exit(127);
        }
        close(program_fd);
}

void roused_restart(struct roused *roused) {
        roused_spawn(roused);
        ck_assert_msg(test_until(answers, roused, test_slow_ms(PATIENCE_MS)),
                      "roused does not answer: %s", log_tail(roused));
}

void roused_write_config(struct roused *roused, const char *config) {
        test_write_file(roused->config, config);
}

void roused_start(struct roused *roused, const char *name, const char *config) {
        roused_start_as(roused, 0, name, config);
}

void roused_prepare(struct roused *roused, uid_t uid, const char *name, const char *config) {
        *roused = (struct roused){
                .dir = test_path("%s", name),
                .config = test_path("%s/roused.yaml", name),
                .log = test_path("%s/log", name),
                .uid = geteuid() == 0 ? uid : 0,
        };
        ck_assert_int_eq(mkdir(roused->dir, 0755), 0);
        if (roused->uid) {
                ck_assert_int_eq(chown(roused->dir, uid, uid), 0);
                ck_assert_int_eq(chmod(test_dir(), 0711), 0);
        }
        roused_write_config(roused, config);
}

void roused_start_as(struct roused *roused, uid_t uid, const char *name, const char *config) {
        roused_prepare(roused, uid, name, config);
        roused_restart(roused);
}

void roused_stop(struct roused *roused) {
        int status;

        ck_assert_int_eq(kill(roused->pid, SIGTERM), 0);
        ck_assert_int_eq(waitpid(roused->pid, &status, 0), roused->pid);
        ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "roused ended with %#x: %s",
                      status, log_tail(roused));
        for (int i = 0; i < 2; i++) {
                struct sockaddr_un address = address_of(roused, i ? "poke.sock" : "control.sock");

                ck_assert_msg(!test_exists(address.sun_path), "%s was left behind",
                              address.sun_path);
        }
}

void roused_freeze(const struct roused *roused) {
        int status;

        ck_assert_int_eq(kill(roused->pid, SIGSTOP), 0);
        ck_assert_int_eq(waitpid(roused->pid, &status, WUNTRACED), roused->pid);
        ck_assert(WIFSTOPPED(status));
}

void roused_thaw(const struct roused *roused) {
        ck_assert_int_eq(kill(roused->pid, SIGCONT), 0);
}

void roused_kill(struct roused *roused) {
        ck_assert_int_eq(kill(roused->pid, SIGKILL), 0);
        ck_assert_int_eq(waitpid(roused->pid, NULL, 0), roused->pid);
}

struct expectation {
        const char *path;
        const char *text; /* NULL: so many lines */
        unsigned int n_lines;
        char *content;
};

static bool is_met(void *arg) {
        struct expectation *expectation = arg;

        free(expectation->content);
        expectation->content = test_read_file(expectation->path);
        if (!expectation->content)
                return false;
        if (expectation->text)
                return strstr(expectation->content, expectation->text) != NULL;
        return count_lines(expectation->content) >= expectation->n_lines;
}

void roused_expect_log(const struct roused *roused, const char *text) {
        struct expectation expectation = {.path = roused->log, .text = text};

        ck_assert_msg(test_until(is_met, &expectation, test_slow_ms(PATIENCE_MS)),
                      "no '%s' in the log:\n%s", text, log_tail(roused));
        free(expectation.content);
}

char *roused_expect_lines(const struct roused *roused, const char *file, unsigned int n) {
        char path[4096];
        struct expectation expectation = {.path = path, .n_lines = n};

        snprintf(path, sizeof(path), "%s/%s", roused->dir, file);
        ck_assert_msg(test_until(is_met, &expectation, test_slow_ms(PATIENCE_MS)),
                      "%s has not %u lines but %u; the log:\n%s", file, n,
                      count_lines(expectation.content), log_tail(roused));
        return expectation.content;
}

static int poke(const struct roused *roused, const char *text, bool wants_answer) {
        struct sockaddr_un address = address_of(roused, "poke.sock");
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        ck_assert_int_ge(fd, 0);
        if (wants_answer) /* the kernel gives an address of its own choice */
                ck_assert_int_eq(
                        bind(fd, &(struct sockaddr){.sa_family = AF_UNIX}, sizeof(sa_family_t)), 0);
        ck_assert_msg(sendto(fd, text, strlen(text), 0, (struct sockaddr *)&address,
                             sizeof(address)) == (ssize_t)strlen(text),
                      "cannot poke: %s", strerror(errno));
        return fd;
}

char *roused_poke(const struct roused *roused, const char *text) {
        char *answer = malloc(MAX_ANSWER + 1);
        int fd = poke(roused, text, true);
        ssize_t n = recv(fd, answer, MAX_ANSWER, 0);

        ck_assert_int_ge(n, 0);
        answer[n] = '\0';
        close(fd);
        return answer;
}

void roused_poke_quietly(const struct roused *roused, const char *text) {
        close(poke(roused, text, false));
}

uint64_t roused_send(const struct roused *roused, const char *name) {
        char *answer = roused_poke(roused, name);
        unsigned long long ticket;
        char end;

        ck_assert_msg(sscanf(answer, "ok %llu%c", &ticket, &end) == 2 && end == '\n', "%s: %s",
                      name, answer);
        free(answer);
        return ticket;
}

int roused_connect(const struct roused *roused) {
        int fd = try_connect(roused);

        ck_assert_msg(fd >= 0, "cannot connect: %s", strerror(-fd));
        return fd;
}

char *roused_read_line(int fd) {
        size_t n = 0, room = 256;
        char *line = malloc(room);

        while (read(fd, line + n, 1) == 1) {
                if (line[n] == '\n') {
                        line[n] = '\0';
                        return line;
                }
                if (++n == room)
                        line = realloc(line, room *= 2);
        }
        free(line);
        return NULL;
}

char *roused_call(const struct roused *roused, const char *request) {
        int fd = roused_connect(roused);
        char *line;

        ck_assert_int_eq(send(fd, request, strlen(request), MSG_NOSIGNAL),
                         (ssize_t)strlen(request));
        ck_assert_int_eq(send(fd, "\n", 1, MSG_NOSIGNAL), 1);
        line = roused_read_line(fd);
        ck_assert_msg(line != NULL, "no answer to %s", request);
        close(fd);
        return line;
}

static char *ask(const struct roused *roused, const char *method, const char *params) {
        char *request, *answer;

        ck_assert_int_gt(asprintf(&request,
                                  "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":%s}",
                                  method, params),
                         0);
        answer = roused_call(roused, request);
        free(request);
        return answer;
}

void roused_do(const struct roused *roused, const char *method, const char *params) {
        char *answer = ask(roused, method, params);

        ck_assert_msg(strstr(answer, "\"result\""), "%s: %s", method, answer);
        free(answer);
}

void roused_reload(struct roused *roused, const char *config) {
        roused_write_config(roused, config);
        roused_do(roused, "reload", "{}");
}

struct state {
        const struct roused *roused;
        const char *params, *wanted;
        char *answer;
};

static bool has_state(void *arg) {
        struct state *state = arg;

        free(state->answer);
        state->answer = ask(state->roused, "status", state->params);
        return strstr(state->answer, state->wanted);
}

void roused_expect_status(const struct roused *roused, const char *handle, const char *text) {
        struct state state = {.roused = roused, .wanted = text};
        char params[300];

        snprintf(params, sizeof(params), "{\"name\":\"%s\"}", handle);
        state.params = params;
        ck_assert_msg(test_until(has_state, &state, test_slow_ms(PATIENCE_MS)), "no %s: %s", text,
                      state.answer);
        free(state.answer);
}

void roused_expect_state(const struct roused *roused, const char *handle, const char *state) {
        char wanted[64];

        snprintf(wanted, sizeof(wanted), "\"state\":\"%s\"", state);
        roused_expect_status(roused, handle, wanted);
}
