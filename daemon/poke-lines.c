/*
 * A line is `NAME` or `NAME KEY`; its answer is `ok TICKET` or `error REASON`. The names of many
 * lines, of however many messages, are looked up together, which is faster than one by one.
 */

#include "daemon/poke-lines.h"

#include <stdio.h>
#include <string.h>

#include "daemon/core.h"
#include "daemon/handle.h"
#include "daemon/limits.h"
#include "daemon/registry.h"

#define N_LINE 64 /* of an answer, at most */

void poke_lines_fail(struct poke_lines *lines, struct poke_message *message, const char *reason) {
        lines->n_errors++;
        if (message->reply && message->n_reply + N_LINE <= N_POKE_REPLY)
                message->n_reply += (size_t)snprintf(message->reply + message->n_reply, N_LINE,
                                                     "error %s\n", reason);
}

static void answer_ok(struct poke_message *message, uint64_t ticket) {
        char digits[24];
        size_t n = 0;

        if (message->n_reply + N_LINE > N_POKE_REPLY)
                return;
        memcpy(message->reply + message->n_reply, "ok ", 3);
        message->n_reply += 3;
        do
                digits[n++] = (char)('0' + ticket % 10);
        while (ticket /= 10);
        while (n)
                message->reply[message->n_reply++] = digits[--n];
        message->reply[message->n_reply++] = '\n';
}

static bool is_allowed(const struct core *core, const struct poke_message *message,
                       const struct handle *handle) {
        /* Who may send to all handles may do so without a look at each of them. */
        return message->may_all ||
               (message->peer && core_allows(core, message->peer, handle, ACCESS_SEND));
}

static const char *no_handle(struct rouse__text name) {
        return strlen(name.at) == name.n && rouse__name_is_legal(name.at) ? "no_such_handle"
                                                                          : "bad_name";
}

static void take_line(struct poke_lines *lines, const struct poke_line *line,
                      struct rouse__text name, struct handle *handle) {
        struct poke_message *message = line->message;
        struct handle_receipt receipt;

        /* There is room for one answer more: that it was too much. */
        if (message->reply && message->n_reply + (size_t)2 * N_LINE > N_POKE_REPLY) {
                message->is_full = true;
                return;
        }
        if (!handle) {
                poke_lines_fail(lines, message, no_handle(name));
                return;
        }
        if (!is_allowed(lines->core, message, handle)) {
                poke_lines_fail(lines, message, "permission_denied");
                return;
        }
        if (line->key.n > LIMIT_KEY_BYTES) {
                poke_lines_fail(lines, message, "too_long");
                return;
        }
        if (line->key.n && memchr(line->key.at, '\0', line->key.n)) {
                poke_lines_fail(lines, message, "bad_key");
                return;
        }
        if (handle_send(handle, line->key.at, line->key.n, message->reply ? &receipt : NULL) < 0) {
                poke_lines_fail(lines, message, "closed");
                return;
        }
        lines->n_sends++;
        if (message->reply)
                answer_ok(message, receipt.ticket);
}

/* Their handles are looked up before the first is sent to: a send closes none. */
void poke_lines_take(struct poke_lines *lines) {
        struct handle *handles[NAMES_AT_ONCE];
        size_t n = lines->n;

        if (n == 0)
                return;
        lines->n = 0;
        registry_find_many(lines->core->registry, lines->names, n, handles);
        for (size_t i = 0; i < n; i++)
                take_line(lines, &lines->lines[i], lines->names[i], handles[i]);
        handle_prefetch_wakes(handles, n);
}

static char *find_byte(char *from, char byte, char *end) {
        return memchr(from, byte, (size_t)(end - from)) ?: end;
}

void poke_lines_read(struct poke_lines *lines, struct poke_message *message, char *text,
                     size_t n_text) {
        char *end = text + n_text;
        char *space = find_byte(text, ' ', end); /* the first one from the line on */

        while (text < end) {
                char *newline = find_byte(text, '\n', end);
                char *line_end = newline, *name_end;
                struct poke_line line = {.message = message};

                if (line_end > text && line_end[-1] == '\r')
                        line_end--;
                name_end = line_end;
                if (space < line_end) {
                        name_end = space;
                        line.key = (struct rouse__text){space + 1, (size_t)(line_end - space - 1)};
                }
                if (line_end > text) {
                        *name_end = '\0';
                        lines->names[lines->n] =
                                (struct rouse__text){text, (size_t)(name_end - text)};
                        lines->lines[lines->n++] = line;
                }
                if (lines->n == NAMES_AT_ONCE)
                        poke_lines_take(lines);
                text = newline + 1;
                if (space < text && text < end)
                        space = find_byte(text, ' ', end);
        }
}
