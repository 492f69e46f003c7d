/*
 * The mailbox: letters one after the other in a pile under a lock.
 *
 * A letter that finds the box empty rings; those behind it are taken out with it. The loop thread
 * swaps the pile for a fresh one under the lock and delivers outside of it, so a callback may
 * post again, and posting threads never wait for callbacks. An addressed handle is retained while
 * its letter is on the way, because its worker may be gone when the letter arrives.
 */

#include "daemon/mailbox.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/limits.h"
#include "lib/cleanup.h"

#define NAME_MAX_BYTES 255U        /* as the library has it */
#define KEPT_BYTES     (16U << 10) /* the memory of a pile that grew beyond it is not kept */

struct letter {
        rouse_async_t *async; /* retained; or NULL */
        uint32_t n_name;      /* without its NUL; nothing of a name follows if there is a handle */
        uint32_t n_key;
        char bytes[]; /* the name and its NUL, then the key; the next letter is aligned */
};

/* Letters, and memory for more. */
struct pile {
        char *bytes;
        size_t n, size;
};

struct mailbox {
        rouse_async_t *async;
        mailbox_cb cb;
        void *arg;
        bool *freed; /* set while letters are delivered: tells that the mailbox went meanwhile */

        pthread_mutex_t lock;
        struct pile box; /* under the lock */
};

static size_t letter_size(size_t n_name, size_t n_key) {
        size_t align = _Alignof(struct letter);

        return (sizeof(struct letter) + n_name + 1 + n_key + align - 1) / align * align;
}

static void mailbox_on_wake(rouse_async_t *async, uint64_t n_sends) {
        (void)n_sends;
        mailbox_deliver(rouse_async_data(async));
}

int mailbox_new(rouse_hub_t *hub, mailbox_cb cb, void *arg, struct mailbox **ret) {
        _cleanup_free_ struct mailbox *mailbox = malloc(sizeof(*mailbox));
        int r;

        if (!mailbox)
                return -ENOMEM;
        *mailbox = (struct mailbox){.cb = cb, .arg = arg, .lock = PTHREAD_MUTEX_INITIALIZER};
        r = rouse_async_create(hub, NULL, mailbox_on_wake, mailbox, &mailbox->async);
        if (r < 0)
                return r;
        *ret = steal_ptr(mailbox);
        return 0;
}

static struct letter *letter_at(const struct pile *pile, size_t i) {
        return (struct letter *)(void *)(pile->bytes + i);
}

static struct pile take_all(struct mailbox *mailbox) {
        struct pile taken;

        pthread_mutex_lock(&mailbox->lock);
        taken = mailbox->box;
        mailbox->box = (struct pile){0};
        pthread_mutex_unlock(&mailbox->lock);
        return taken;
}

/* Gives an emptied pile back, if none took its place meanwhile. */
static void give_back(struct mailbox *mailbox, struct pile *pile) {
        if (pile->size > KEPT_BYTES)
                return;
        pile->n = 0;
        pthread_mutex_lock(&mailbox->lock);
        if (!mailbox->box.bytes) {
                mailbox->box = *pile;
                pile->bytes = NULL;
        }
        pthread_mutex_unlock(&mailbox->lock);
}

void mailbox_deliver(struct mailbox *mailbox) {
        struct pile pile = take_all(mailbox);
        bool *outer = mailbox->freed, freed = false;

        if (pile.n)
                mailbox->freed = &freed;
        for (size_t i = 0; i < pile.n;) {
                struct letter *letter = letter_at(&pile, i);

                if (!freed)
                        mailbox->cb(mailbox->arg, letter->async,
                                    letter->async ? NULL : letter->bytes,
                                    letter->n_key ? letter->bytes + letter->n_name + 1 : NULL,
                                    letter->n_key);
                rouse_async_release(letter->async);
                i += letter_size(letter->n_name, letter->n_key);
        }
        if (!freed) {
                mailbox->freed = outer;
                give_back(mailbox, &pile);
        } else if (outer) {
                *outer = true;
        }
        free(pile.bytes);
}

struct mailbox *mailbox_free(struct mailbox *mailbox) {
        struct pile pile;

        if (!mailbox)
                return NULL;
        if (mailbox->freed)
                *mailbox->freed = true;
        pile = take_all(mailbox);
        for (size_t i = 0; i < pile.n;) {
                struct letter *letter = letter_at(&pile, i);

                rouse_async_release(letter->async);
                i += letter_size(letter->n_name, letter->n_key);
        }
        free(pile.bytes);
        rouse_async_close_noerr(mailbox->async);
        rouse_async_release(mailbox->async);
        pthread_mutex_destroy(&mailbox->lock);
        free(mailbox);
        return NULL;
}

/* Room for n more bytes. Under the lock. */
static int reserve(struct pile *box, size_t n) {
        size_t size = box->size ?: 512;
        char *bytes;

        if (n > LIMIT_MAILBOX_BYTES - box->n)
                return -EAGAIN;
        while (size < box->n + n)
                size *= 2;
        if (size == box->size)
                return 0;
        bytes = realloc(box->bytes, size);
        if (!bytes)
                return -EAGAIN; /* no room now, as if the box were full */
        box->bytes = bytes;
        box->size = size;
        return 0;
}

int mailbox_post(struct mailbox *mailbox, rouse_async_t *async, const char *name, const char *key,
                 size_t n_key) {
        size_t n_name = async ? 0 : strlen(name), size;
        struct letter *letter;
        bool first = false;
        int r;

        if (n_name > NAME_MAX_BYTES || n_key > LIMIT_KEY_BYTES)
                return -EINVAL;
        size = letter_size(n_name, n_key);
        pthread_mutex_lock(&mailbox->lock);
        r = reserve(&mailbox->box, size);
        if (r >= 0) {
                first = mailbox->box.n == 0;
                letter = letter_at(&mailbox->box, mailbox->box.n);
                *letter = (struct letter){
                        .async = async ? rouse_async_retain(async) : NULL,
                        .n_name = (uint32_t)n_name,
                        .n_key = (uint32_t)n_key,
                };
                if (n_name)
                        memcpy(letter->bytes, name, n_name);
                letter->bytes[n_name] = '\0';
                if (n_key)
                        memcpy(letter->bytes + n_name + 1, key, n_key);
                mailbox->box.n += size;
        }
        pthread_mutex_unlock(&mailbox->lock);
        if (first)
                (void)rouse_async_send(mailbox->async);
        return r;
}
