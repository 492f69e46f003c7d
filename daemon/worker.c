/*
 * A worker is a thread, a loop and the sources on it.
 *
 * What both threads touch is handed over whole: the outlets are made before the thread begins, it
 * tells by a semaphore that its sources are open, and what it leaves is read after the join. In
 * between there is one call from outside, uv_async_send(), and it says one thing: stop. The worker
 * then closes its sources, and its loop ends by itself when nothing is left in it.
 *
 * All signals are blocked in the thread from its birth. They are blocked in the calling thread too
 * while sources open and close: libuv takes a signal's handler away with its last source, and until
 * the source has put another in its place a signal would end the process.
 */

#include "daemon/worker.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "daemon/configuration.h"
#include "daemon/log.h"
#include "daemon/outlet.h"
#include "daemon/source.h"
#include "lib/cleanup.h"

#define THREAD_NAME_SIZE 16 /* the kernel's, with the NUL */

struct worker {
        const struct worker_conf *conf;
        uv_loop_t loop;
        uv_async_t stop;
        pthread_t thread;
        uv_sem_t opened;
        int error; /* of opening the sources; before `opened` the thread's, then the caller's */
        size_t n_sources, n_outlets;
        struct source **sources; /* the thread's */
        struct outlet outlets[];
};

static void close_sources(struct worker *worker) {
        while (worker->n_sources > 0)
                source_close(worker->sources[--worker->n_sources]);
        uv_close((uv_handle_t *)&worker->stop, NULL);
}

static void worker_on_stop(uv_async_t *stop) {
        close_sources(stop->data);
}

static int open_sources(struct worker *worker) {
        const struct worker_conf *conf = worker->conf;

        for (size_t i = 0; i < conf->n_sources; i++) {
                int r = source_open(&worker->loop, conf->sources[i], &worker->outlets[i],
                                    &worker->sources[i]);

                if (r < 0) {
                        log_error("%s: worker %s cannot open its source: %s",
                                  conf->sources[i]->place, conf->name, strerror(-r));
                        return r;
                }
                worker->n_sources++;
        }
        return 0;
}

static void *worker_main(void *arg) {
        struct worker *worker = arg;
        char name[THREAD_NAME_SIZE];
        int r;

        snprintf(name, sizeof(name), "rouse:%s", worker->conf->name);
        (void)pthread_setname_np(pthread_self(), name);
        r = open_sources(worker);
        if (r < 0) {
                worker->error = r;
                close_sources(worker);
        }
        uv_sem_post(&worker->opened);
        (void)uv_run(&worker->loop, UV_RUN_DEFAULT);
        return NULL;
}

/* Releases what is left when no thread runs. */
static struct worker *worker_deinit(struct worker *worker) {
        for (size_t i = 0; i < worker->n_outlets; i++)
                rouse_async_release(worker->outlets[i].async);
        free(worker->sources);
        free(worker);
        return NULL;
}
DEFINE_CLEANUP(struct worker *, worker_deinit)

static void join(struct worker *worker) {
        int r;

        r = pthread_join(worker->thread, NULL);
        assert(r == 0);
        r = uv_loop_close(&worker->loop);
        assert(r == 0);
        (void)r;
        uv_sem_destroy(&worker->opened);
}

static int make_outlets(struct worker *worker, struct mailbox *mailbox, worker_resolve_fn resolve,
                        void *arg) {
        for (size_t i = 0; i < worker->conf->n_sources; i++) {
                const char *target = worker->conf->sources[i]->target;
                rouse_async_t *async = target ? resolve(arg, target) : NULL;

                if (target && !async)
                        return -ENOENT;
                worker->outlets[i] = (struct outlet){.async = async, .mailbox = mailbox};
                worker->n_outlets++;
        }
        return 0;
}

/* Starts the thread; the caller has blocked all signals, and it inherits that. */
static int start(struct worker *worker) {
        int r;

        r = uv_sem_init(&worker->opened, 0);
        if (r < 0)
                return r;
        r = uv_loop_init(&worker->loop);
        if (r < 0) {
                uv_sem_destroy(&worker->opened);
                return r;
        }
        worker->stop.data = worker;
        r = uv_async_init(&worker->loop, &worker->stop, worker_on_stop);
        if (r >= 0) {
                r = -pthread_create(&worker->thread, NULL, worker_main, worker);
                if (r >= 0)
                        return 0;
                uv_close((uv_handle_t *)&worker->stop, NULL);
                (void)uv_run(&worker->loop, UV_RUN_DEFAULT);
        }
        (void)uv_loop_close(&worker->loop);
        uv_sem_destroy(&worker->opened);
        return r;
}

int worker_new(const struct worker_conf *conf, struct mailbox *mailbox, worker_resolve_fn resolve,
               void *arg, struct worker **ret) {
        _cleanup_(worker_deinitp) struct worker *worker = NULL;
        sigset_t all, before;
        int r;

        worker = calloc(1, sizeof(*worker) + conf->n_sources * sizeof(*worker->outlets));
        if (!worker)
                return -ENOMEM;
        worker->conf = conf;
        worker->sources = calloc(conf->n_sources ?: 1, sizeof(*worker->sources));
        if (!worker->sources)
                return -ENOMEM;
        r = make_outlets(worker, mailbox, resolve, arg);
        if (r < 0)
                return r;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        r = start(worker);
        if (r >= 0) {
                uv_sem_wait(&worker->opened);
                r = worker->error;
                if (r < 0)
                        join(worker);
        }
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        if (r < 0)
                return r;
        *ret = steal_ptr(worker);
        return 0;
}

struct worker *worker_free(struct worker *worker) {
        sigset_t all, before;

        if (!worker)
                return NULL;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        (void)uv_async_send(&worker->stop);
        join(worker);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        return worker_deinit(worker);
}

bool worker_targets_are(const struct worker *worker, worker_resolve_fn resolve, void *arg) {
        for (size_t i = 0; i < worker->n_outlets; i++) {
                const char *target = worker->conf->sources[i]->target;
                rouse_async_t *async = target ? resolve(arg, target) : NULL;

                /* Our own reference keeps the address from being given to another one. */
                rouse_async_release(async);
                if (async != worker->outlets[i].async)
                        return false;
        }
        return true;
}

const struct worker_conf *worker_get_conf(const struct worker *worker) {
        return worker->conf;
}
