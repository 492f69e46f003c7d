/*
 * Put together in the order in which one needs the other: loop, reaper of children, hub, deadlines,
 * file of numbers, registry with its handles. Taken apart the other way round, however far that had
 * come: what is on the loop first, then, when it has run dry, what the last callbacks still used.
 */

#include "daemon/core.h"

#include <errno.h>
#include <string.h>

#include "daemon/configuration.h"
#include "daemon/deadline.h"
#include "daemon/handle-tools.h"
#include "daemon/handle.h"
#include "daemon/log.h"
#include "daemon/reaper.h"
#include "daemon/registry-setup.h"
#include "daemon/run-env.h"
#include "daemon/seqfile.h"
#include "lib/clock.h"

int core_init(struct core *core, struct configuration *configuration) {
        int r;

        *core = (struct core){.started_ns = clock_now_ns(), .configuration = configuration};
        tails_init(&core->tails);
        r = uv_loop_init(&core->loop);
        if (r < 0)
                core->configuration = configuration_unref(configuration);
        return r;
}

static int open_registry(struct core *core) {
        const struct handle_tools tools = {
                .hub = core->hub,
                .deadlines = core->deadlines,
                .seqfile = core->seqfile,
                .reaper = core->reaper,
                .tails = &core->tails,
                .env = core->env,
        };
        struct registry_changes changes = {0};
        int r;

        r = registry_new(&tools, &core->registry);
        if (r < 0)
                return r;
        r = registry_apply(core->registry, core->configuration, &changes);
        registry_changes_deinit(&changes);
        return r;
}

static int open_seqfile(struct core *core, const char *path) {
        int error, r;

        r = seqfile_open(path, &error, &core->seqfile);
        if (r < 0)
                return r;
        if (r == SEQFILE_WAS_DAMAGED)
                log_warning("the numbers of wakes in %s are damaged and were set aside as %s.bad; "
                            "they begin at the time of day instead",
                            path, path);
        if (error < 0)
                log_warning("cannot keep the numbers of wakes in %s: %s; they begin at the time of "
                            "day instead",
                            path, strerror(-error));
        else if (r == SEQFILE_WAS_EMPTY)
                log_warning("the file of the numbers of wakes, %s, is empty; they begin at the "
                            "time of day instead",
                            path);
        return 0;
}

int core_open(struct core *core, const char *dir, const char *seq_file) {
        int r;

        r = reaper_new(&core->loop, &core->reaper);
        if (r < 0)
                return r;
        r = rouse_hub_create(&core->loop, &core->hub);
        if (r < 0)
                return r;
        r = deadline_queue_new(&core->loop, NULL, &core->deadlines);
        if (r < 0)
                return r;
        r = open_seqfile(core, seq_file);
        if (r < 0)
                return r;
        r = run_env_new(dir, &core->env);
        if (r < 0)
                return r;
        return open_registry(core);
}

int core_close(struct core *core) {
        core->registry = registry_free(core->registry);
        tails_close(&core->tails);
        if (core->hub)
                (void)rouse_hub_close(core->hub, NULL, NULL);
        core->deadlines = deadline_queue_close(core->deadlines);
        core->reaper = reaper_close(core->reaper);
        (void)uv_run(&core->loop, UV_RUN_DEFAULT);
        core->hub = NULL;
        core->seqfile = seqfile_close(core->seqfile);
        core->env = run_env_free(core->env);
        core->configuration = configuration_unref(core->configuration);
        return uv_loop_close(&core->loop) == 0 ? 0 : -EBUSY;
}

const struct access_rules *core_access(const struct core *core) {
        return core->configuration->access;
}

bool core_allows(const struct core *core, const struct peer *peer, const struct handle *handle,
                 enum access_right right) {
        return access_allows(core_access(core), handle ? handle_access(handle) : NULL, peer, right);
}
