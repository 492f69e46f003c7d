/* What changes one handle, and what asks one question about it: each is the method of that name. */

#include <stddef.h>

#include "cli/exit-code.h"
#include "cli/message.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/verb.h"
#include "cli/verbs.h"
#include "lib/buffer.h"

static void print_json(const struct session *session, struct json_text result) {
        if (!session->json)
                return;
        out_bytes(result.at, result.n);
        out("\n");
}

static int change(struct session *session, const struct arguments *arguments, const char *method) {
        struct json_text result;
        int code;

        code = session_call_name(session, method, arguments->operands[0], &result);
        if (code == 0)
                print_json(session, result);
        return code;
}

static int ask(struct session *session, const struct arguments *arguments, const char *method) {
        struct json_text result;
        bool yes;
        int code;

        code = session_call_name(session, method, arguments->operands[0], &result);
        if (code)
                return code;
        yes = rouse__json_kind(result) == JSON_TYPE_TRUE;
        out(yes ? "true\n" : "false\n");
        return yes ? EXIT_DONE : EXIT_FALSE;
}

static int create(struct session *session, const struct arguments *arguments) {
        struct buffer params = BUFFER_NULL;
        struct json_text result;
        int code;

        buffer_add_str(&params, "{\"name\":");
        buffer_add_json_string(&params, arguments->operands[0]);
        if (arguments_has(arguments, "started", NULL))
                buffer_add_str(&params, ",\"started\":true");
        buffer_add_str(&params, "}");
        code = session_call(session, "create", &params, ANSWER_MS, &result);
        rouse__buffer_deinit(&params);
        if (code == 0)
                print_json(session, result);
        return code;
}

static int pause_handle(struct session *session, const struct arguments *arguments) {
        struct buffer params = BUFFER_NULL;
        struct json_text result;
        int64_t for_ms;
        int code;

        code = session_timespan(arguments, "for", &for_ms);
        if (code)
                return code;
        if (for_ms == 0) {
                message("--for 0: a pause takes some time");
                return EXIT_USAGE;
        }
        buffer_add_str(&params, "{\"name\":");
        buffer_add_json_string(&params, arguments->operands[0]);
        if (for_ms > 0) {
                buffer_add_str(&params, ",\"for_ms\":");
                rouse__buffer_add_u64(&params, (uint64_t)for_ms);
        }
        buffer_add_str(&params, "}");
        code = session_call(session, "pause", &params, ANSWER_MS, &result);
        rouse__buffer_deinit(&params);
        if (code == 0)
                print_json(session, result);
        return code;
}

static const struct option pause_options[] = {
        {"for", OPTION_VALUE, "T", "resume by itself after this time"},
        {},
};

const struct verb verb_pause = {
        .name = "pause",
        .operands = "NAME",
        .least = 1,
        .most = 1,
        .summary = "hold wakes back; sends are remembered",
        .help = "\nWhen it is resumed, by itself or by 'rouse resume', all that was sent meanwhile is one\n"
                "wake.\n",
        .options = pause_options,
        .json = true,
        .run = pause_handle,
};

static const struct option create_options[] = {
        {"started", OPTION_FLAG, NULL, "start it as well"},
        {},
};

const struct verb verb_create = {
        .name = "create",
        .operands = "NAME",
        .least = 1,
        .most = 1,
        .summary = "make a handle",
        .help = "\nIt has no action: it wakes those who watch it or wait for it. It is gone when the\n"
                "daemon ends.\n",
        .options = create_options,
        .json = true,
        .run = create,
};

#define VERB(id, verb_name, method, kind, text)                                           \
        static int run_##id(struct session *session, const struct arguments *arguments) { \
                return kind(session, arguments, method);                                  \
        }                                                                                 \
        const struct verb verb_##id = {                                                   \
                .name = verb_name,                                                        \
                .operands = "NAME",                                                       \
                .least = 1,                                                               \
                .most = 1,                                                                \
                .summary = text,                                                          \
                .json = true,                                                             \
                .run = run_##id,                                                          \
        }

VERB(start, "start", "start", change, "hold the daemon's loop by this handle");
VERB(stop, "stop", "stop", change, "let go of it; sends still wake the handle");
VERB(ref, "ref", "ref", change, "the same as start");
VERB(unref, "unref", "unref", change, "the same as stop");
VERB(resume, "resume", "resume", change, "wake again, once for all that was sent");
VERB(close, "close", "close", change, "close the handle for good");
VERB(is_active, "is-active", "is_active", ask, "print whether it is open; exit 3 if not");
VERB(has_ref, "has-ref", "has_ref", ask, "print whether it is started; exit 3 if not");
