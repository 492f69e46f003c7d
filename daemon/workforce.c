/*
 * A worker stands for one configuration of a worker and for the handles that its sources send to. A
 * reload leaves it alone if its configuration is equal to the new one and its handles are the same
 * objects still, so that a timer which goes on does not start anew.
 */

#include "daemon/workforce.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/configuration.h"
#include "daemon/log.h"
#include "daemon/source.h"
#include "daemon/worker.h"

struct member {
        struct worker *worker;
        struct configuration *configuration; /* counted: the worker's configuration stands in it */
        bool is_needed;                      /* its successor could not start, so it goes on */
};

struct workforce {
        rouse_hub_t *hub;
        struct mailbox *mailbox;
        struct member *members;
        size_t n_members;
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

static void dismiss(struct workforce *workforce, size_t i) {
        worker_free(workforce->members[i].worker);
        configuration_unref(workforce->members[i].configuration);
        workforce->members[i] = workforce->members[--workforce->n_members];
}

/* The place of the member with this name among the first n, or n. */
static size_t find(const struct workforce *workforce, const char *name, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (strcmp(worker_get_conf(workforce->members[i].worker)->name, name) == 0)
                        return i;
        return n;
}

static bool can_stay(struct workforce *workforce, const struct worker *worker,
                     const struct worker_conf *next) {
        return worker_conf_equal(worker_get_conf(worker), next) &&
               worker_targets_are(worker, resolve, workforce);
}

/* False: it could not start. */
static bool employ(struct workforce *workforce, struct configuration *configuration,
                   const struct worker_conf *conf) {
        struct member *members;
        struct worker *worker;
        int r = -ENOMEM;

        members = realloc(workforce->members, (workforce->n_members + 1) * sizeof(*members));
        if (members) {
                workforce->members = members;
                r = worker_new(conf, workforce->mailbox, resolve, workforce, &worker);
        }
        if (r < 0) {
                log_error("cannot start worker %s: %s", conf->name, strerror(-r));
                return false;
        }
        members[workforce->n_members++] = (struct member){
                .worker = worker, .configuration = configuration_ref(configuration)};
        return true;
}

void workforce_apply(struct workforce *workforce, struct configuration *configuration) {
        size_t n_before = workforce->n_members;

        for (size_t i = 0; i < configuration->n_workers; i++) {
                const struct worker_conf *conf = configuration->workers[i];
                size_t at = find(workforce, conf->name, n_before);

                if (at < n_before && can_stay(workforce, workforce->members[at].worker, conf))
                        continue;
                /* One that changes is made before its predecessor goes, so that nothing falls
                 * between. */
                if (!employ(workforce, configuration, conf) && at < n_before)
                        workforce->members[at].is_needed = true;
        }
        for (size_t i = n_before; i > 0; i--) {
                struct worker *worker = workforce->members[i - 1].worker;
                const struct worker_conf *next =
                        configuration_find_worker(configuration, worker_get_conf(worker)->name);

                if (!next ||
                    (!can_stay(workforce, worker, next) && !workforce->members[i - 1].is_needed))
                        dismiss(workforce, i - 1);
                else
                        workforce->members[i - 1].is_needed = false;
        }
}

struct workforce *workforce_free(struct workforce *workforce) {
        if (!workforce)
                return NULL;
        while (workforce->n_members)
                dismiss(workforce, workforce->n_members - 1);
        free(workforce->members);
        free(workforce);
        return NULL;
}
