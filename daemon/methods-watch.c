/* Wakes and runs told to whoever watches: subscribe, unsubscribe. */

#include <errno.h>
#include <string.h>

#include "lib/buffer.h"
#include "daemon/client.h"
#include "daemon/json-write.h"
#include "daemon/limits.h"
#include "daemon/methods.h"
#include "daemon/rpc-call.h"
#include "daemon/rpc-error.h"
#include "daemon/subscription.h"

/* Each is looked for among those that are there. */
static bool patterns_are_few(struct rpc_call *call, const struct rpc_arg *patterns) {
        if (patterns->strings.n <= LIMIT_SUBSCRIPTIONS)
                return true;
        rpc_fail(call, &rpc_limit_reached, NULL, "More than %u patterns in one request",
                 LIMIT_SUBSCRIPTIONS);
        return false;
}

static bool patterns_are_legal(struct rpc_call *call, const struct rpc_arg *patterns) {
        for (size_t i = 0; i < patterns->strings.n; i++) {
                const struct json_text *pattern = &patterns->strings.items[i];

                if (pattern->n > LIMIT_PATTERN_BYTES) {
                        rpc_fail(call, &rpc_too_long, NULL, "A pattern is longer than %u bytes",
                                 LIMIT_PATTERN_BYTES);
                        return false;
                }
                if (pattern->n == 0 || memchr(pattern->at, 0, pattern->n)) {
                        rpc_fail(call, &rpc_bad_name, NULL, "A pattern is text and not empty");
                        return false;
                }
        }
        return true;
}

static void answer_subscription(struct rpc_call *call) {
        const struct subscription *subscription = &client_of(call)->subscription;
        struct buffer *out = rpc_result_begin(call);

        json_write_open(out, '{');
        json_write_key(out, "patterns");
        json_write_open(out, '[');
        for (size_t i = 0; i < subscription->n_patterns; i++)
                json_write_string(out, subscription->patterns[i].text);
        json_write_close(out, ']');
        json_write_key(out, "handles");
        json_write_u64(out, subscription->n_entries);
        json_write_close(out, '}');
        rpc_result_end(call);
}

static void subscribe(struct rpc_call *call, const struct rpc_arg *args) {
        int r;

        if (!patterns_are_few(call, &args[0]) || !patterns_are_legal(call, &args[0]))
                return;
        r = subscription_add(&client_of(call)->subscription, args[0].strings.items,
                             args[0].strings.n, rpc_arg_is_given(&args[1]) && args[1].boolean);
        if (r == -E2BIG)
                rpc_fail(call, &rpc_limit_reached, NULL, "More than %u patterns on one connection",
                         LIMIT_SUBSCRIPTIONS);
        else if (r == -ENOSPC)
                rpc_fail(call, &rpc_limit_reached, NULL, "The patterns cover more than %u handles",
                         LIMIT_WATCHED_HANDLES);
        else if (r == -EDQUOT)
                rpc_fail(
                        call, &rpc_limit_reached, NULL,
                        "All connections together watch %u handles already, and the patterns cover "
                        "more than %u",
                        LIMIT_WATCHED_BY_ALL, LIMIT_WATCHED_FEW);
        else if (r < 0)
                rpc_fail_errno(call, r);
        else
                answer_subscription(call);
}

static void unsubscribe(struct rpc_call *call, const struct rpc_arg *args) {
        struct subscription *subscription = &client_of(call)->subscription;

        if (!rpc_arg_is_given(&args[0]))
                subscription_remove_all(subscription);
        else if (patterns_are_few(call, &args[0]))
                subscription_remove(subscription, args[0].strings.items, args[0].strings.n);
        else
                return;
        answer_subscription(call);
}

static const struct rpc_param subscribe_params[] = {
        {"patterns", RPC_STRING_OR_ARRAY, true, NULL, "Which names: * ? [a-z] as in shells"},
        {"runs", RPC_BOOLEAN, false, NULL, "Tell of the beginning and the end of runs, too"},
        {},
};
static const struct rpc_param unsubscribe_params[] = {
        {"patterns", RPC_STRING_OR_ARRAY, false, NULL, "As they were subscribed; all if left out"},
        {},
};

static const struct rpc_error *const subscribe_errors[] = {&rpc_bad_name, &rpc_too_long,
                                                           &rpc_limit_reached, NULL};
static const struct rpc_error *const unsubscribe_errors[] = {&rpc_limit_reached, NULL};

const struct rpc_method methods_watch[] = {
        {
                .name = "subscribe",
                .description =
                        "Asks to be told of wakes, by notifications \"wake\", and of runs, by "
                        "\"run_started\" and \"run_ended\"",
                .params = subscribe_params,
                .result = "{\"$ref\":\"#/components/schemas/Subscription\"}",
                .errors = subscribe_errors,
                .scope = RPC_PER_HANDLE,
                .right = ACCESS_READ,
                .fn = subscribe,
        },
        {
                .name = "unsubscribe",
                .description = "Ends that",
                .params = unsubscribe_params,
                .result = "{\"$ref\":\"#/components/schemas/Subscription\"}",
                .errors = unsubscribe_errors,
                .scope = RPC_FREE,
                .fn = unsubscribe,
        },
        {},
};
