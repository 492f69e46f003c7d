/* What makes sends inside the daemon. A kind of source is a row in source.c and a file of its own.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct conf_key;
struct outlet;
struct source;

/* A source's configuration: each kind embeds this as the first member of its own struct. Counted,
 * on the loop thread: the source that was made from it goes on when the rest of its configuration
 * has been replaced. */
struct source_conf {
        unsigned int n_refs;
        const struct source_kind *kind;
        char *target; /* name of the handle it sends to; NULL for kinds that read names */
        char *place;  /* "file:line", for messages */
};

struct source_kind {
        const char
                *key; /* the key that tells the kind: "every", "cron", "watch", "signal", "fifo" */
        size_t conf_size;
        bool has_target; /* takes, and needs, `send: NAME` */

        /* All keys but `send`, the kind's own first; ended by a row without a name. */
        const struct conf_key *keys;
        /* Sets defaults before the keys are read. NULL: all is 0. */
        void (*init)(struct source_conf *conf);
        bool (*equal)(const struct source_conf *a, const struct source_conf *b);
        void (*deinit)(struct source_conf *conf); /* the kind's own fields only; NULL: has none */

        /* On the worker's thread. `conf` and `outlet` stay until it was closed. A source that
         * cannot work now (a path that is not there yet, a fifo that cannot be made) logs it once
         * and tries again; it fails here only for lack of memory or descriptors. */
        int (*open)(uv_loop_t *loop, const struct source_conf *conf, struct outlet *outlet,
                    struct source **ret);
        /* Ends it: what has happened until now is still sent, and nothing later. It frees itself,
         * perhaps later from the loop, which has to run until nothing is left in it. */
        void (*close)(struct source *source);
};

/* Each kind embeds this in its own struct. */
struct source {
        const struct source_kind *kind;
};

/* Ended by NULL. */
extern const struct source_kind *const source_kinds[];

struct source_conf *source_conf_ref(struct source_conf *conf);
struct source_conf *source_conf_unref(struct source_conf *conf); /* returns NULL */
/* Its place in the file does not count. */
bool source_conf_equal(const struct source_conf *a, const struct source_conf *b);

/* On the worker's thread, as the kind's open and close. */
int source_open(uv_loop_t *loop, const struct source_conf *conf, struct outlet *outlet,
                struct source **ret);
void source_close(struct source *source);
