/*
 * A worker outlives configurations: a reload gives it another set of sources, and those that stay
 * the same do not notice. All new sources of all workers are opened before any other is closed, so
 * that nothing falls between when one is changed, moved to another worker, or its worker renamed.
 */

#include "daemon/workforce.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/configuration.h"
#include "daemon/log.h"
#include "daemon/worker.h"

struct workforce {
        rouse_hub_t *hub;
        struct mailbox *mailbox;
        struct worker **workers;
        size_t n_workers;
};

int workforce_new(rouse_hub_t *hub, struct mailbox *mailbox, struct workforce **ret) {
        struct workforce *workforce = calloc(1, sizeof(*workforce));

        if (!workforce)
                return -ENOMEM;
        workforce->hub = hub;
        workforce->mailbox = mailbox;
        *ret = workforce;
        return 0;
}

static rouse_async_t *resolve(void *arg, const char *name) {
        struct workforce *workforce = arg;
        rouse_async_t *async = rouse_hub_find(workforce->hub, name);

        return async ? rouse_async_retain(async) : NULL;
}

static struct worker *find(const struct workforce *workforce, const char *name) {
        for (size_t i = 0; i < workforce->n_workers; i++)
                if (strcmp(worker_name(workforce->workers[i]), name) == 0)
                        return workforce->workers[i];
        return NULL;
}

static int employ(struct workforce *workforce, const struct worker_conf *conf) {
        struct worker **workers;
        int r;

        workers = realloc(workforce->workers, (workforce->n_workers + 1) * sizeof(*workers));
        if (!workers)
                return -ENOMEM;
        workforce->workers = workers;
        r = worker_new(conf, workforce->mailbox, resolve, workforce,
                       &workers[workforce->n_workers]);
        if (r < 0)
                return r;
        workforce->n_workers++;
        return 0;
}

static void dismiss(struct workforce *workforce, size_t i) {
        worker_free(workforce->workers[i]);
        workforce->workers[i] = workforce->workers[--workforce->n_workers];
}

int workforce_apply(struct workforce *workforce, const struct configuration *configuration) {
        int result = 0;

        for (size_t i = 0; i < configuration->n_workers; i++) {
                const struct worker_conf *conf = configuration->workers[i];
                struct worker *worker = find(workforce, conf->name);
                int r;

                r = worker ? worker_extend(worker, conf, resolve, workforce)
                           : employ(workforce, conf);
                if (r < 0)
                        log_error("cannot %s worker %s: %s", worker ? "change" : "start",
                                  conf->name, strerror(-r));
                if (result == 0)
                        result = r;
        }
        for (size_t i = workforce->n_workers; i > 0; i--) {
                struct worker *worker = workforce->workers[i - 1];

                if (configuration_find_worker(configuration, worker_name(worker)))
                        worker_prune(worker);
                else
                        dismiss(workforce, i - 1);
        }
        return result;
}

struct workforce *workforce_free(struct workforce *workforce) {
        if (!workforce)
                return NULL;
        while (workforce->n_workers)
                dismiss(workforce, workforce->n_workers - 1);
        free(workforce->workers);
        free(workforce);
        return NULL;
}
