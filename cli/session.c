/* Every message names what failed and, where somebody can do something about it, what that is. */

#include "config.h"

#include "cli/session.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/exit-code.h"
#include "cli/message.h"
#include "cli/result.h"
#include "cli/verb.h"
#include "lib/buffer.h"
#include "lib/client-ask.h"
#include "lib/clock.h"
#include "lib/deadline.h"
#include "lib/suggest.h"
#include "lib/timespan.h"

#define LOOK_UP_MS 1000
#define NAME_SIZE  256

void session_deinit(struct session *session) {
        session->client = rouse_client_free(session->client);
}

int session_open(struct session *session) {
        int r;

        if (session->client)
                return 0;
        if (session->dir && !*session->dir) {
                message("--dir needs a directory, not ''");
                return EXIT_USAGE;
        }
        r = rouse_client_create(session->dir, &session->client);
        if (r == -ENAMETOOLONG)
                message("the directory's path is too long: %s",
                        session->dir ?: getenv("ROUSE_DIR"));
        else if (r < 0)
                message("cannot begin: %s", strerror(-r));
        return r < 0 ? EXIT_FAILED : 0;
}

int session_ask(struct session *session, const char *method, struct buffer *params,
                uint64_t deadline_ns) {
        const char *text = NULL;
        int r;

        r = session_open(session);
        if (r)
                return r;
        if (params) {
                buffer_add(params, "", 1);
                if (params->failed) {
                        message("out of memory");
                        return EXIT_FAILED;
                }
                text = params->data;
        }
        r = rouse__client_ask(session->client, method, text, deadline_ns);
        return r < 0 ? session_failed(session) : 0;
}

int session_answer(struct session *session, uint64_t deadline_ns, struct json_text *ret_result) {
        const char *result;
        int r;

        r = rouse__client_answer(session->client, deadline_ns, &result);
        if (r < 0)
                return session_failed(session);
        *ret_result = (struct json_text){.at = result, .n = strlen(result)};
        return 0;
}

int session_call(struct session *session, const char *method, struct buffer *params,
                 int64_t timeout_ms, struct json_text *ret_result) {
        uint64_t deadline_ns = deadline_in_ms(timeout_ms);

        return session_ask(session, method, params, deadline_ns)
                       ?: session_answer(session, deadline_ns, ret_result);
}

int session_call_name(struct session *session, const char *method, const char *name,
                      struct json_text *ret_result) {
        struct buffer params = BUFFER_NULL;
        int r;

        buffer_add_str(&params, "{\"name\":");
        buffer_add_json_string(&params, name);
        buffer_add_str(&params, "}");
        r = session_call(session, method, &params, ANSWER_MS, ret_result);
        rouse__buffer_deinit(&params);
        return r;
}

/* Writes the name of a group without asking a name service, which a static program cannot. */
static void group_name(gid_t gid, char *name, size_t n_name) {
        FILE *file = fopen("/etc/group", "re");
        char line[4096], found[64];
        unsigned int number;

        snprintf(name, n_name, "%u", (unsigned int)gid);
        if (!file)
                return;
        while (fgets(line, sizeof(line), file))
                if (sscanf(line, "%63[^:]:%*[^:]:%u:", found, &number) == 2 && number == gid) {
                        snprintf(name, n_name, "%s", found);
                        break;
                }
        fclose(file);
}

/* For a socket that may not be opened: who may. */
static void say_denied(const rouse_client_error_t *error, const char *dir) {
        char path[PATH_MAX + 16], group[64];
        struct stat st;

        snprintf(path, sizeof(path), "%s/poke.sock", dir);
        if (stat(path, &st) < 0 || !(st.st_mode & S_IWGRP) || st.st_gid == 0) {
                message("%s; the daemon's owner may", error->message);
                return;
        }
        group_name(st.st_gid, group, sizeof(group));
        message("%s; members of group %s may: usermod -aG %s USER, and log in again",
                error->message, group, group);
}

static void say_unreachable(const struct session *session, const rouse_client_error_t *error) {
        const char *dir = rouse_client_dir(session->client);
        const char *runtime_dir = getenv("XDG_RUNTIME_DIR");
        size_t n = runtime_dir ? strlen(runtime_dir) : 0;

        if (strcmp(dir, "/run/roused") == 0)
                message("%s; is the service running? (systemctl status roused)", error->message);
        else if (n > 0 && strncmp(dir, runtime_dir, n) == 0 && strcmp(dir + n, "/roused") == 0)
                message("%s; is the service running? (systemctl --user status roused)",
                        error->message);
        else
                message("%s; is a daemon running there? (roused --dir %s)", error->message, dir);
}

static bool is_unreachable(int error) {
        return error == -ENOENT || error == -ECONNREFUSED || error == -ENOTDIR || error == -ELOOP ||
               error == -ENOTSOCK || error == -EPROTOTYPE;
}

/* Of the names that stand in a list, the one that was probably meant. */
static bool find_nearest(struct json_text list, const char *name, char nearest[NAME_SIZE]) {
        struct json_iterator it = {.whole = list};
        struct json_text member;
        struct suggest suggest;
        char candidate[NAME_SIZE];

        suggest_init(&suggest, name);
        while (rouse__json_next(&it)) {
                if (!rouse__json_find(it.value, "name", &member) ||
                    rouse__json_string(member, candidate, sizeof(candidate), NULL) < 0)
                        continue;
                suggest_offer(&suggest, candidate);
                if (suggest.best == candidate)
                        suggest.best = strcpy(nearest, candidate);
        }
        return suggest.best;
}

/* What the daemon answers to a method without parameters; nothing if it does not. */
static struct json_text look_up(struct session *session, const char *method) {
        const char *result;

        if (rouse_client_call(session->client, method, NULL, LOOK_UP_MS, &result) < 0)
                return (struct json_text)JSON_TEXT_NULL;
        return (struct json_text){.at = result, .n = strlen(result)};
}

int session_tell_no_method(struct session *session, const char *name) {
        struct json_text methods = result_member(look_up(session, "describe"), "methods");
        char nearest[NAME_SIZE];

        if (find_nearest(methods, name, nearest))
                message("no such method: %s; %s?", name, nearest);
        else
                message("no such method: %s; 'rouse call describe' lists them", name);
        return EXIT_FAILED;
}

int session_tell_no_handle(struct session *session, const char *name) {
        char nearest[NAME_SIZE];

        if (find_nearest(look_up(session, "list"), name, nearest))
                message("no handle is named \"%s\"; %s?", name, nearest);
        else
                message("no handle is named \"%s\"; 'rouse list' shows them all", name);
        return EXIT_NO_HANDLE;
}

struct json_text session_refusal(const struct session *session) {
        struct json_text data = JSON_TEXT_NULL;
        const rouse_client_error_t *error;

        if (!session->client)
                return data;
        error = rouse_client_get_error(session->client);
        if (error->data)
                (void)rouse__json_parse(error->data, strlen(error->data), &data, NULL);
        return data;
}

/* The name of the handle that the daemon does not know. */
static bool read_name(const struct session *session, char *name, size_t n_name) {
        struct json_text member = result_member(session_refusal(session), "name");

        return rouse__json_string(member, name, n_name, NULL) == 0;
}

int session_show(const struct session *session, int code, struct json_text result,
                 void (*print)(struct json_text result)) {
        if (code)
                return code;
        if (session->json)
                result_print(result);
        else
                print(result);
        return EXIT_DONE;
}

int session_failed(struct session *session) {
        const rouse_client_error_t *error = rouse_client_get_error(session->client);
        bool refused = error->rpc_code || *error->reason;
        int code = session_exit_code(error->code);
        const char *text = error->message;
        char first = *text, name[256];

        session->broken = !refused;
        /* The daemon writes sentences, and here they follow a colon. */
        if (first >= 'A' && first <= 'Z' && (text[1] == ' ' || (text[1] >= 'a' && text[1] <= 'z')))
                first = (char)(first - 'A' + 'a');
        if (!refused && is_unreachable(error->code))
                say_unreachable(session, error);
        else if (!refused && error->code == -EACCES)
                say_denied(error, rouse_client_dir(session->client));
        else if (error->code == -ENXIO && read_name(session, name, sizeof(name)))
                return session_tell_no_handle(session, name);
        else if (*text)
                message("%c%s%s", first, text + 1, error->code == -EACCES ? ACCESS_HINT : "");
        return code;
}

int session_exit_code(int error) {
        switch (error) {
        case 0:
                return EXIT_DONE;
        case -ENXIO:
                return EXIT_NO_HANDLE;
        case -EACCES:
                return EXIT_DENIED;
        case -ETIMEDOUT:
                return EXIT_TIMEOUT;
        case -ECONNRESET:
        case -ESHUTDOWN:
                return EXIT_UNREACHABLE;
        default:
                return is_unreachable(error) ? EXIT_UNREACHABLE : EXIT_FAILED;
        }
}

int session_worse(int a, int b) {
        static const int ranks[] = {
                EXIT_DONE,      EXIT_FALSE,  EXIT_TIMEOUT,     EXIT_FAILED,
                EXIT_NO_HANDLE, EXIT_DENIED, EXIT_UNREACHABLE,
        };
        int worse = a;

        for (size_t i = 0; i < sizeof(ranks) / sizeof(ranks[0]); i++)
                if (ranks[i] == a || ranks[i] == b)
                        worse = ranks[i];
        return worse;
}

int session_timespan(const struct arguments *arguments, const char *option, int64_t *ret_ms) {
        uint64_t ns, ms;
        const char *text;
        int r;

        if (!arguments_has(arguments, option, &text)) {
                *ret_ms = -1;
                return 0;
        }
        r = timespan_parse(text, &ns);
        if (r < 0) {
                message(r == -ERANGE ? "--%s %s is too long"
                                     : "--%s %s is no length of time; write 500ms, 10s or "
                                       "'1min 30s'",
                        option, text);
                return EXIT_USAGE;
        }
        ms = ns / NS_PER_MS + (ns % NS_PER_MS != 0);
        *ret_ms = ns == TIMESPAN_INFINITY ? -1 : (int64_t)ms;
        return 0;
}

int session_timeout(const struct arguments *arguments, int64_t *ret_ms) {
        return session_timespan(arguments, "timeout", ret_ms);
}
