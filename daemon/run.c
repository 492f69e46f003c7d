#include "daemon/run.h"

#include <stdlib.h>

#include "daemon/action.h"
#include "daemon/configuration.h"
#include "daemon/deadline.h"
#include "daemon/handle-tools.h"
#include "daemon/keyset.h"
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

void run_finish(struct run *run, enum run_outcome outcome, int status, bool success) {
        run->result.ended_ns = deadline_now(run->tools->deadlines);
        run->result.outcome = outcome;
        run->result.status = status;
        run->result.success = success;
        run->ended(run);
}
