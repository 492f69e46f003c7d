#include "daemon/handle-context.h"

#include "daemon/deadline.h"
#include "daemon/histogram.h"
#include "lib/random.h"

void handle_context_init(struct handle_context *context, const struct handle_tools *tools,
                         const struct handle_owner_ops *owner) {
        *context = (struct handle_context){
                .tools = *tools,
                .owner = owner,
                .chance = tools->chance,
                .is_monotonic = deadline_is_monotonic(tools->deadlines),
        };
        if (context->chance == 0)
                rouse__random(&context->chance, 1);
        runs_init(&context->runs);
}

void handle_context_deinit(struct handle_context *context) {
        groups_deinit(&context->groups);
        histogram_free(context->wake_latency);
        histogram_free(context->run_duration);
}

/* The hub has read the clock. One of a test's own is read as often. */
uint64_t handle_context_wake_time_there(struct handle_context *context) {
        uint64_t hub_ns = rouse__hub_now(context->tools.hub);

        if (context->hub_ns != hub_ns) {
                context->hub_ns = hub_ns;
                context->now_ns = deadline_now(context->tools.deadlines);
        }
        return context->now_ns;
}
