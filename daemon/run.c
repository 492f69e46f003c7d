#include "daemon/run.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/action.h"
#include "daemon/configuration.h"
#include "daemon/deadline.h"
#include "daemon/handle-private.h"
#include "daemon/keyset.h"
#include "daemon/registry-private.h"
#include "lib/cleanup.h"
#include "lib/clock.h"

int run_new(struct handle *handle, struct configuration *configuration,
            const struct action_conf *action, uint64_t seq, uint64_t n_sends, struct run **ret) {
        struct run *run = calloc(1, sizeof(*run));

        if (!run)
                return -ENOMEM;
        *run = (struct run){
                .handle = handle,
                .configuration = configuration_ref(configuration),
                .action = action,
                .result =
                        {
                                .seq = seq,
                                .n_sends = n_sends,
                                .started_ns = deadline_now(handle_registry(handle)->deadlines),
                                .started_realtime_ms = clock_realtime_ms(),
                        },
        };
        *ret = run;
        return 0;
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

const char *run_handle_name(const struct run *run) {
        return handle_name(run->handle);
}

struct registry *run_registry(const struct run *run) {
        return handle_registry(run->handle);
}

void run_stop(struct run *run, bool kill) {
        if (run->action->kind->stop)
                run->action->kind->stop(run, kill);
}

void run_finish(struct run *run, enum run_outcome outcome, int status, bool success) {
        run->result.ended_ns = deadline_now(handle_registry(run->handle)->deadlines);
        run->result.outcome = outcome;
        run->result.status = status;
        run->result.success = success;
        handle_run_ended(run->handle, run);
}
