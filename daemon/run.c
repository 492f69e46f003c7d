#include "daemon/run.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/action.h"
#include "daemon/configuration.h"
#include "daemon/deadline.h"
#include "daemon/handle-tools.h"
#include "daemon/keyset.h"
#include "daemon/limits.h"
#include "daemon/log.h"
#include "lib/clock.h"

struct run *run_new(const struct run *draft) {
        struct run *run = malloc(sizeof(*run));

        if (!run)
                return NULL;
        *run = *draft;
        configuration_ref(run->configuration);
        run->result.started_ns = deadline_now(run->tools->deadlines);
        run->result.started_realtime_ms = clock_realtime_ms();
        return run;
}

struct run *run_free(struct run *run) {
        if (run) {
                list_remove(&run->link);
                configuration_unref(run->configuration);
                keyset_free(run->keys);
                free(run->complaint);
                free(run);
        }
        return NULL;
}

void run_stop(struct run *run, bool kill) {
        if (run->action->kind->stop)
                run->action->kind->stop(run, kill);
}

void run_keep_complaint(struct run *run, const char *line, size_t n_line) {
        size_t room = LIMIT_COMPLAINT - run->n_complaint;
        char *complaint;

        if (room < 2)
                return;
        if (n_line > room - 1)
                n_line = room - 1;
        complaint = realloc(run->complaint, run->n_complaint + n_line + 2);
        if (!complaint)
                return;
        memcpy(complaint + run->n_complaint, line, n_line);
        run->n_complaint += n_line;
        complaint[run->n_complaint++] = '\n';
        complaint[run->n_complaint] = '\0';
        run->complaint = complaint;
}

void run_complain(struct run *run, const char *format, ...) {
        char line[LIMIT_OUTPUT_LINE];
        va_list args;

        va_start(args, format);
        vsnprintf(line, sizeof(line), format, args);
        va_end(args);
        log_warning("%s: %s", run->handle_name, line);
        run_keep_complaint(run, line, strlen(line));
}

void run_finish(struct run *run, enum run_outcome outcome, int status, bool success) {
        run->result.ended_ns = deadline_now(run->tools->deadlines);
        run->result.outcome = outcome;
        run->result.status = status;
        run->result.success = success;
        run->ended(run);
}
