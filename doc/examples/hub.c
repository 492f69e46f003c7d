/* A thread finds work for the loop, and wakes it: as often as it likes, and the loop hears of it
 * as often as it has time. */

#include <inttypes.h>
#include <stdio.h>

#include <rouse.h>

static void on_work(rouse_async_t *work, uint64_t n_sends) {
        int *n_left = rouse_async_data(work);

        printf("%s: %" PRIu64 " more\n", rouse_async_name(work), n_sends);
        *n_left -= (int)n_sends;
        if (*n_left == 0)
                rouse_async_unref(work); /* uv_run() may return */
}

static void find_work(void *arg) {
        rouse_async_t *work = arg;

        for (int i = 0; i < 1000; i++)
                rouse_async_send(work);
        rouse_async_release(work);
}

int main(void) {
        uv_loop_t *loop = uv_default_loop();
        uv_thread_t thread;
        rouse_hub_t *hub;
        rouse_async_t *work;
        int n_left = 1000;
        int r;

        r = rouse_hub_create(loop, &hub);
        if (r < 0) {
                fprintf(stderr, "cannot make a hub: %s\n", uv_strerror(r));
                return 1;
        }
        r = rouse_async_create(hub, "work", on_work, &n_left, &work);
        if (r < 0) {
                fprintf(stderr, "cannot make a handle: %s\n", uv_strerror(r));
                return 1;
        }
        rouse_async_start(work);
        r = uv_thread_create(&thread, find_work, rouse_async_retain(work));
        if (r < 0) {
                fprintf(stderr, "cannot start a thread: %s\n", uv_strerror(r));
                return 1;
        }

        uv_run(loop, UV_RUN_DEFAULT);

        uv_thread_join(&thread);
        rouse_async_release(work);
        rouse_hub_close(hub, NULL, NULL);
        uv_run(loop, UV_RUN_DEFAULT);
        return uv_loop_close(loop) == 0 && n_left == 0 ? 0 : 1;
}
