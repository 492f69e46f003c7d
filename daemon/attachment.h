/* Handles that a client sends to through memory shared with it. Loop thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "lib/list.h"
#include "lib/rouse.h"

struct attachment;
struct handle;

/* What the attachments of a loop share. */
struct attachment_set {
        uv_loop_t *loop;
        rouse_hub_t *hub;
        rouse_async_t *again; /* sent to while … */
        struct list busy;     /* … some have more than they could be rid of in a turn */
};

/* 0, -ENOMEM. */
int attachment_set_init(struct attachment_set *set, uv_loop_t *loop, rouse_hub_t *hub);
/* When there are no attachments any more. May be repeated. */
void attachment_set_deinit(struct attachment_set *set);

/* Descriptors for the client. */
enum { ATTACHMENT_MEMORY, ATTACHMENT_BELL, N_ATTACHMENT_FDS };

/* The words stand in the order of the handles, which are open. The caller closes the descriptors,
 * and the attachment lasts until its attachment_close(). Negative errno; -EOPNOTSUPP: the kernel
 * cannot read a descriptor without waiting. */
int attachment_new(struct attachment_set *set, struct handle *const *handles, size_t n_handles,
                   struct attachment **ret, int ret_fds[N_ATTACHMENT_FDS]);
/* Takes what is pending one last time. The memory goes when the loop has let go of the bell.
 * Accepts and returns NULL. */
struct attachment *attachment_close(struct attachment *attachment);

size_t attachment_n_handles(const struct attachment *attachment);
size_t attachment_n_bytes(const struct attachment *attachment); /* of the memory */
/* Sends what is pending, all of it. */
void attachment_take(struct attachment *attachment);
/* Closes the words of handles that may not be sent to any more; sends what they counted until then.
 */
void attachment_revoke(struct attachment *attachment,
                       bool (*may)(const struct handle *handle, const void *arg), const void *arg);
