/* Shows handles and counters: list, status, runs, stats. */

#include <errno.h>

#include "daemon/client.h"
#include "daemon/core.h"
#include "daemon/control-private.h"
#include "daemon/daemon.h"
#include "daemon/glob.h"
#include "daemon/handle.h"
#include "daemon/histogram.h"
#include "daemon/json-view.h"
#include "daemon/json-write.h"
#include "daemon/limits.h"
#include "daemon/methods.h"
#include "daemon/poke.h"
#include "daemon/registry.h"
#include "daemon/rpc-call.h"
#include "daemon/rpc-error.h"
#include "lib/cleanup.h"
#include "lib/clock.h"

DEFINE_CLEANUP(struct glob *, glob_free)

struct listing {
        const struct client *client;
        const struct glob *pattern; /* NULL: all */
        struct buffer *out;
};

static void list_one(struct handle *handle, void *arg) {
        struct listing *listing = arg;

        if ((!listing->pattern || glob_fits(listing->pattern, handle_name(handle))) &&
            client_may(listing->client, handle, ACCESS_READ))
                view_handle(listing->out, handle);
}

static void list(struct rpc_call *call, const struct rpc_arg *args) {
        struct client *client = client_of(call);
        _cleanup_(glob_freep) struct glob *pattern = NULL;
        struct listing listing = {.client = client};
        int r = 0;

        if (rpc_arg_is_given(&args[0]))
                r = glob_new(args[0].string.at, args[0].string.n, &pattern);
        if (r == -ENAMETOOLONG) {
                rpc_fail(call, &rpc_too_long, NULL, "A pattern is longer than %u bytes",
                         LIMIT_PATTERN_BYTES);
                return;
        }
        if (r < 0) {
                rpc_fail_errno(call, r);
                return;
        }
        if (client_is_behind(client)) {
                rpc_fail(call, &rpc_limit_reached, NULL,
                         "More than %zu bytes of answers to this user are unread",
                         client->user->account.unsent.max);
                return;
        }
        listing.pattern = pattern;
        listing.out = rpc_result_begin(call);
        json_write_open(listing.out, '[');
        registry_each(client->set->core->registry, list_one, &listing);
        json_write_close(listing.out, ']');
        rpc_result_end(call);
}

static void status(struct rpc_call *call, const struct rpc_arg *args) {
        const struct handle *handle = method_handle(call, args[0].string, ACCESS_READ);

        if (!handle)
                return;
        view_status(rpc_result_begin(call), handle);
        rpc_result_end(call);
}

struct run_listing {
        struct buffer *out;
        uint64_t n_left;
};

static void list_run(void *arg, const struct run_result *result, const char *complaint) {
        struct run_listing *listing = arg;

        if (listing->n_left == 0)
                return;
        listing->n_left--;
        view_run(listing->out, result, complaint);
}

static void runs(struct rpc_call *call, const struct rpc_arg *args) {
        const struct handle *handle = method_handle(call, args[0].string, ACCESS_READ);
        struct run_listing listing = {.n_left = UINT64_MAX};

        if (!handle)
                return;
        if (rpc_arg_is_given(&args[1]))
                listing.n_left = args[1].integer;
        listing.out = rpc_result_begin(call);
        json_write_open(listing.out, '[');
        handle_each_run(handle, list_run, &listing);
        json_write_close(listing.out, ']');
        rpc_result_end(call);
}

struct counter {
        const char *key;
        uint64_t value;
};

static void write_counters(struct buffer *out, const char *key, const struct counter *counters,
                           size_t n) {
        json_write_key(out, key);
        json_write_open(out, '{');
        for (size_t i = 0; i < n; i++) {
                json_write_key(out, counters[i].key);
                json_write_u64(out, counters[i].value);
        }
        json_write_close(out, '}');
}

static void write_control(struct buffer *out, const struct control *control) {
        struct control_stats stats;

        control_get_stats(control, &stats);
        const struct counter counters[] = {
                {"clients", stats.clients},
                {"clients_total", stats.clients_total},
                {"clients_refused", stats.clients_refused},
                {"requests", stats.requests},
                {"errors", stats.errors},
                {"notifications", stats.notifications},
                {"missed", stats.missed},
                {"watched", stats.watched},
                {"attachments", stats.attachments},
        };

        write_counters(out, "control", counters, sizeof(counters) / sizeof(*counters));
}

static void write_poke(struct buffer *out, const struct poke *poke) {
        struct poke_stats stats;

        poke_get_stats(poke, &stats);
        const struct counter counters[] = {
                {"datagrams", stats.datagrams},
                {"sends", stats.sends},
                {"errors", stats.errors},
                {"replies_lost", stats.replies_lost},
        };

        write_counters(out, "poke", counters, sizeof(counters) / sizeof(*counters));
}

static void stats_of_daemon(struct rpc_call *call) {
        const struct client *client = client_of(call);
        const struct core *core = client->set->core;
        struct handle_stats stats;
        struct buffer *out;

        if (!client_may(client, NULL, ACCESS_READ)) {
                rpc_fail(call, &rpc_permission_denied, NULL,
                         "Permission denied: stats needs the right to read");
                return;
        }
        registry_get_stats(core->registry, &stats);
        out = rpc_result_begin(call);
        json_write_open(out, '{');
        json_write_key(out, "uptime_ms");
        json_write_u64(out, (clock_now_ns() - core->started_ns) / NS_PER_MS);
        json_write_key(out, "handles");
        json_write_u64(out, registry_n_handles(core->registry));
        view_stats(out, &stats);
        write_control(out, control_of(client));
        write_poke(out, daemon_poke(client->set->daemon));
        json_write_close(out, '}');
        rpc_result_end(call);
}

static void stats(struct rpc_call *call, const struct rpc_arg *args) {
        const struct handle *handle;
        _cleanup_(histogram_freep) struct histogram *sketched = NULL;
        struct handle_stats stats;
        struct buffer *out;

        if (!rpc_arg_is_given(&args[0])) {
                stats_of_daemon(call);
                return;
        }
        handle = method_handle(call, args[0].string, ACCESS_READ);
        if (!handle)
                return;
        handle_get_stats(handle, &stats);
        if (!stats.wake_latency)
                stats.wake_latency = sketched = handle_sketched_latency(handle);
        out = rpc_result_begin(call);
        json_write_open(out, '{');
        json_write_key(out, "name");
        json_write_string(out, handle_name(handle));
        view_stats(out, &stats);
        json_write_close(out, '}');
        rpc_result_end(call);
}

static const struct rpc_param list_params[] = {
        {"pattern", RPC_STRING, false, NULL,
         "Which names: * ? [a-z] as in shells; \"*\" if left out"},
        {},
};
static const struct rpc_param status_params[] = {
        {"name", RPC_STRING, true, NULL, "The handle's name"},
        {},
};
static const struct rpc_param runs_params[] = {
        {"name", RPC_STRING, true, NULL, "The handle's name"},
        {"limit", RPC_INTEGER, false, NULL,
         "How many at most; all that are remembered if left out"},
        {},
};
static const struct rpc_param stats_params[] = {
        {"name", RPC_STRING, false, NULL, "The handle's name; the whole daemon if left out"},
        {},
};

static const struct rpc_error *const list_errors[] = {&rpc_too_long, &rpc_limit_reached, NULL};
static const struct rpc_error *const handle_errors[] = {METHOD_HANDLE_ERRORS, NULL};

const struct rpc_method methods_query[] = {
        {
                .name = "list",
                .description = "Shows the handles that the client may read",
                .params = list_params,
                .result =
                        "{\"type\":\"array\",\"items\":{\"$ref\":\"#/components/schemas/Handle\"}}",
                .errors = list_errors,
                .scope = RPC_PER_HANDLE,
                .right = ACCESS_READ,
                .fn = list,
        },
        {
                .name = "status",
                .description = "Shows a handle, why it waits, and its runs",
                .params = status_params,
                .result = "{\"$ref\":\"#/components/schemas/Status\"}",
                .errors = handle_errors,
                .scope = RPC_PER_HANDLE,
                .right = ACCESS_READ,
                .fn = status,
        },
        {
                .name = "runs",
                .description = "Shows the last runs that have ended, the newest first",
                .params = runs_params,
                .result = "{\"type\":\"array\","
                          "\"items\":{\"$ref\":\"#/components/schemas/Run\"}}",
                .errors = handle_errors,
                .scope = RPC_PER_HANDLE,
                .right = ACCESS_READ,
                .fn = runs,
        },
        {
                .name = "stats",
                .description = "Shows counters and latencies of a handle or of the daemon",
                .params = stats_params,
                .result = "{\"$ref\":\"#/components/schemas/Stats\"}",
                .errors = handle_errors,
                .scope = RPC_PER_HANDLE,
                .right = ACCESS_READ,
                .fn = stats,
        },
        {},
};
