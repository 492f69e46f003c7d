/* A hub with the handles "a" and "b", a mailbox, and workers made from YAML. */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <uv.h>

#include "daemon/configuration.h"
#include "daemon/mailbox.h"
#include "daemon/worker.h"
#include "lib/rouse.h"
#include "tests/support.h"

#define ok(call) ck_assert_msg((call) >= 0, "%s: %s", #call, strerror(errno))

extern uv_loop_t loop;
extern rouse_hub_t *hub;
extern struct mailbox *mailbox;
extern rouse_async_t *a, *b;
extern uint64_t n_a, n_b; /* sends that woke them */
/* Letters as they came: "NAME|KEY\n". */
extern char *letters;
extern size_t n_letters;
/* Told of each key that a source sent to its own target, if that is `a`; or NULL. */
extern void (*on_key)(const char *key, size_t n_key);

void set_up(void);
void tear_down(void);
void make_handle(const char *name, uint64_t *counter, rouse_async_t **ret);

/* A configuration with one worker, "w", and these sources; relative paths are below the test's
 * directory. There is a third handle, "gone", that the hub does not know. */
struct configuration *configure(const char *sources);
struct configuration *configure_workers(const char *workers); /* the same, with any workers */
int try_start(struct configuration *configuration, struct worker **ret);
struct worker *start(struct configuration *configuration);
/* As a reload does it. The configuration may go when this returns. */
int try_change(struct worker *worker, struct configuration *configuration);
void change(struct worker *worker, const char *sources);

/* Runs the loop until the condition holds or it is too late; whether it does. */
bool run_until(bool (*condition)(void *arg), void *arg);
bool was_logged(void *arg);      /* const char * */
bool letters_reached(void *arg); /* size_t * */

struct at_least {
        const uint64_t *count;
        uint64_t n;
};

bool reached(void *arg);

#define ck_assert_reaches(counter, number)                                             \
        ck_assert_msg(run_until(reached, &(struct at_least){&(counter), (number)}),    \
                      "%s is %llu, not %llu", #counter, (unsigned long long)(counter), \
                      (unsigned long long)(number))

/* Waits for that many letters, looks at them, and forgets them. */
void expect_letters(size_t n, const char *text);

/* Writes to a fifo; opening waits until somebody reads. */
void put(const char *path, const char *text, size_t n);
void put_text(const char *path, const char *text);
