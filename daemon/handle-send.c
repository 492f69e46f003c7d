/*
 * Sends of the loop thread: those of the sockets' clients, and of handles to handles. A key goes to
 * the handle before its send, so that the wake which covers the send finds it. What becomes of a
 * send: handle.c.
 */

#include "daemon/handle.h"

#include "daemon/configuration.h"
#include "daemon/handle-private.h"
#include "daemon/histogram.h"
#include "daemon/keyset.h"
#include "daemon/policy.h"
#include "lib/async.h"
#include "lib/names.h"

static __attribute__((noinline)) int send_with(struct handle *handle, const char *key, size_t n_key,
                                               struct handle_receipt *ret) {
        enum handle_disposition disposition;
        struct handle_life *life;
        int r;

        if (n_key && handle_has_action(handle) && handle_is_active(handle)) {
                life = handle_live(handle);
                if (life)
                        keyset_add(&life->keys, &handle_policy(handle)->keys, key, n_key);
        }
        if (!ret)
                return rouse_async_send(handle_async(handle));
        disposition = handle_foresee(handle);
        r = rouse_async_send(handle_async(handle));
        if (r < 0)
                return r;
        *ret = (struct handle_receipt){.ticket = handle->seq + 1, .disposition = disposition};
        return 0;
}

int handle_send(struct handle *handle, const char *key, size_t n_key, struct handle_receipt *ret) {
        if (n_key == 0 && !ret)
                return rouse_async_send(handle_async(handle));
        return send_with(handle, key, n_key, ret);
}

int handle_send_many(struct handle *handle, uint64_t n_sends) {
        return rouse__async_send_many(handle_async(handle), n_sends);
}

int handle_send_keys(struct handle *handle, const struct keyset *keys) {
        if (keys && handle_has_action(handle) && handle_is_active(handle) && handle_live(handle))
                keyset_add_all(&handle_own_life(handle)->keys, &handle_policy(handle)->keys, keys);
        return handle_send(handle, NULL, 0, NULL);
}

static void prefetch_life(const struct handle *handle) {
        const char *life = (const char *)handle->life;

        if (handle->conf) {
                __builtin_prefetch(&handle->conf->action);
                __builtin_prefetch(&handle->conf->policy);
        }
        for (size_t at = 0; at < sizeof(*handle->life); at += 64)
                __builtin_prefetch(life + at, 1);
}

void handle_prefetch_wakes(struct handle *const *handles, size_t n) {
        const struct handle_life *lives[NAMES_AT_ONCE];
        size_t n_lives = 0;

        for (size_t i = 0; i < n; i++) {
                const struct handle *handle = handles[i];

                if (!handle)
                        continue;
                seqfile_prefetch(handle_context(handle)->tools.seqfile, handle->entry);
                if (handle->has_life) {
                        lives[n_lives++] = handle->life;
                        prefetch_life(handle);
                }
        }
        for (size_t i = 0; i < n_lives; i++)
                histogram_prefetch(lives[i]->wake_latency);
        for (size_t i = 0; i < n_lives; i++)
                if (lives[i]->wake_latency)
                        histogram_prefetch_bucket(lives[i]->wake_latency);
}
