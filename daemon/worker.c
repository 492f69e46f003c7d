/*
 * A worker is a thread, a loop and the sources on it.
 *
 * The loop thread decides and makes what is needed; opening and closing is done by the worker's
 * thread, because a source lives on its loop. For that, the loop thread puts sources into an order,
 * rings, and waits for the semaphore. So an order, and every source in it, is touched by one thread
 * at a time, and sources that are in no order are not disturbed. The last order closes everything;
 * the loop ends by itself when nothing is left in it.
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
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "daemon/configuration.h"
#include "daemon/log.h"
#include "daemon/outlet.h"
#include "daemon/source.h"
#include "lib/cleanup.h"
#include "lib/list.h"

#define THREAD_NAME_SIZE 16 /* the kernel's, with the NUL */

/* A source and what it stands on. */
struct hosted {
        struct list link;
        struct source_conf *conf; /* counted */
        struct outlet outlet;
        struct source *source; /* the thread's; NULL: not open */
};

struct order {
        struct list sources;
        bool opens, is_last;
        int error;
};

struct worker {
        struct mailbox *mailbox;
        struct list sources;  /* struct hosted, all open */
        struct list unwanted; /* the same, which the last extension did not find in its `conf` */
        uv_loop_t loop;
        uv_async_t ring;
        pthread_t thread;
        uv_sem_t done;
        struct order *order; /* the thread's from the ring until `done` */
        char name[];
};

static struct hosted *hosted_at(struct list *link) {
        return container_of(link, struct hosted, link);
}

static struct hosted *hosted_free(struct hosted *hosted) {
        list_remove(&hosted->link);
        rouse_async_release(hosted->outlet.async);
        source_conf_unref(hosted->conf);
        free(hosted);
        return NULL;
}

static void free_all(struct list *sources) {
        struct list *link;

        while ((link = list_first(sources)))
                hosted_free(hosted_at(link));
}

/* The thread's side. */

static void close_sources(struct list *sources) {
        list_for_each (link, sources)
                if (hosted_at(link)->source)
                        source_close(steal_ptr(hosted_at(link)->source));
}

/* All or none. */
static int open_sources(struct worker *worker, struct list *sources) {
        list_for_each (link, sources) {
                struct hosted *hosted = hosted_at(link);
                int r = source_open(&worker->loop, hosted->conf, &hosted->outlet, &hosted->source);

                if (r < 0) {
                        log_error("%s: worker %s cannot open its source: %s", hosted->conf->place,
                                  worker->name, strerror(-r));
                        close_sources(sources);
                        return r;
                }
        }
        return 0;
}

static void on_ring(uv_async_t *ring) {
        struct worker *worker = ring->data;
        struct order *order = worker->order;

        if (order->opens)
                order->error = open_sources(worker, &order->sources);
        else
                close_sources(&order->sources);
        if (order->is_last)
                uv_close((uv_handle_t *)ring, NULL);
        uv_sem_post(&worker->done);
}

static void *worker_main(void *arg) {
        struct worker *worker = arg;
        char name[THREAD_NAME_SIZE];

        snprintf(name, sizeof(name), "rouse:%s", worker->name);
        (void)pthread_setname_np(pthread_self(), name);
        (void)uv_run(&worker->loop, UV_RUN_DEFAULT);
        return NULL;
}

/* The loop thread's side. */

static int carry_out(struct worker *worker, struct order *order) {
        sigset_t all, before;

        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        worker->order = order;
        (void)uv_async_send(&worker->ring);
        uv_sem_wait(&worker->done);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        return order->error;
}

/* A worker that is being extended. */
struct extension {
        struct worker *worker;
        worker_resolve_fn resolve;
        void *arg;
        struct list *next; /* of those that are not wanted yet, where to look first */
        struct list wanted;
        struct order order; /* those to be opened */
};

/* One that is open, is not wanted yet, and does what `conf` says; or NULL. Looks behind the one
 * that was found last and goes round: mostly they are in the same order as before. */
static struct hosted *find(struct extension *extension, const struct source_conf *conf,
                           const rouse_async_t *async) {
        struct list *link = extension->next;

        do {
                struct hosted *hosted = hosted_at(link);

                /* The reference that the outlet has keeps the handle's address from being given to
                 * another one. */
                if (link != &extension->worker->unwanted && hosted->outlet.async == async &&
                    source_conf_equal(hosted->conf, conf)) {
                        extension->next = link->next;
                        return hosted;
                }
                link = link->next;
        } while (link != extension->next);
        return NULL;
}

/* Finds the source, or adds it to those that are to be opened. */
static int want(struct extension *extension, struct source_conf *conf) {
        rouse_async_t *async = NULL;
        struct hosted *hosted;

        if (conf->target) {
                async = extension->resolve(extension->arg, conf->target);
                if (!async)
                        return -ENOENT;
        }
        hosted = find(extension, conf, async);
        if (hosted) {
                rouse_async_release(async);
                list_remove(&hosted->link);
                list_append(&extension->wanted, &hosted->link);
                return 0;
        }
        hosted = malloc(sizeof(*hosted));
        if (!hosted) {
                rouse_async_release(async);
                return -ENOMEM;
        }
        *hosted = (struct hosted){
                .conf = source_conf_ref(conf),
                .outlet = {.async = async, .mailbox = extension->worker->mailbox},
        };
        list_append(&extension->order.sources, &hosted->link);
        return 0;
}

int worker_extend(struct worker *worker, const struct worker_conf *conf, worker_resolve_fn resolve,
                  void *arg) {
        struct extension extension = {
                .worker = worker,
                .resolve = resolve,
                .arg = arg,
                .wanted = LIST_INIT(extension.wanted),
                .order = {.sources = LIST_INIT(extension.order.sources), .opens = true},
        };
        struct order *order = &extension.order;
        int r = 0;

        list_splice(&worker->unwanted, &worker->sources);
        extension.next = list_first(&worker->unwanted) ?: &worker->unwanted;
        for (size_t i = 0; i < conf->n_sources && r >= 0; i++)
                r = want(&extension, conf->sources[i]);
        if (r >= 0 && !list_is_empty(&order->sources))
                r = carry_out(worker, order);
        list_splice(&worker->sources, &extension.wanted);
        if (r >= 0) {
                list_splice(&worker->sources, &order->sources);
                return 0;
        }
        free_all(&order->sources);
        list_splice(&worker->sources, &worker->unwanted);
        return r;
}

void worker_prune(struct worker *worker) {
        struct order order = {.sources = LIST_INIT(order.sources)};

        if (list_is_empty(&worker->unwanted))
                return;
        list_splice(&order.sources, &worker->unwanted);
        (void)carry_out(worker, &order);
        free_all(&order.sources);
}

/* Starts the thread, with all signals blocked. */
static int start(struct worker *worker) {
        sigset_t all, before;
        int r;

        r = uv_sem_init(&worker->done, 0);
        if (r < 0)
                return r;
        r = uv_loop_init(&worker->loop);
        if (r < 0) {
                /* libuv before 1.51 leaves it open. Since then it is -1, and 0 if not even that was
                 * reached. */
                if (uv_backend_fd(&worker->loop) > STDERR_FILENO)
                        close(uv_backend_fd(&worker->loop));
                uv_sem_destroy(&worker->done);
                return r;
        }
        worker->ring.data = worker;
        r = uv_async_init(&worker->loop, &worker->ring, on_ring);
        if (r >= 0) {
                sigfillset(&all);
                pthread_sigmask(SIG_SETMASK, &all, &before);
                r = -pthread_create(&worker->thread, NULL, worker_main, worker);
                pthread_sigmask(SIG_SETMASK, &before, NULL);
                if (r >= 0)
                        return 0;
                uv_close((uv_handle_t *)&worker->ring, NULL);
                (void)uv_run(&worker->loop, UV_RUN_DEFAULT);
        }
        (void)uv_loop_close(&worker->loop);
        uv_sem_destroy(&worker->done);
        return r;
}

int worker_new(const struct worker_conf *conf, struct mailbox *mailbox, worker_resolve_fn resolve,
               void *arg, struct worker **ret) {
        _cleanup_free_ struct worker *worker = NULL;
        int r;

        worker = calloc(1, sizeof(*worker) + strlen(conf->name) + 1);
        if (!worker)
                return -ENOMEM;
        strcpy(worker->name, conf->name);
        worker->mailbox = mailbox;
        list_init(&worker->sources);
        list_init(&worker->unwanted);
        r = start(worker);
        if (r < 0)
                return r;
        r = worker_extend(worker, conf, resolve, arg);
        if (r < 0) {
                worker_free(steal_ptr(worker));
                return r;
        }
        *ret = steal_ptr(worker);
        return 0;
}

struct worker *worker_free(struct worker *worker) {
        struct order order = {.sources = LIST_INIT(order.sources), .is_last = true};
        int r;

        if (!worker)
                return NULL;
        list_splice(&order.sources, &worker->sources);
        list_splice(&order.sources, &worker->unwanted);
        (void)carry_out(worker, &order);
        r = pthread_join(worker->thread, NULL);
        assert(r == 0);
        r = uv_loop_close(&worker->loop);
        assert(r == 0);
        (void)r;
        uv_sem_destroy(&worker->done);
        free_all(&order.sources);
        free(worker);
        return NULL;
}

const char *worker_name(const struct worker *worker) {
        return worker->name;
}
