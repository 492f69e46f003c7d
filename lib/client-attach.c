/*
 * Attachments, as a client has them. attach-words.h has the protocol of the memory.
 *
 * A request makes one, on the client's connection to control.sock; then the connection becomes the
 * attachment's own, since the daemon ends the attachment with it, and the client makes another one
 * when it needs it. So calls that fail, or time out, do not concern attachments.
 *
 * The address of the memory and the number of the bell never change, so senders need no lock. To
 * attach again, the new bell takes the number of the old one (dup3), then the new memory moves to
 * the place of the old one (mremap), each in one step, while other threads send:
 *
 *   - A sender that counts in the old memory does so before the place changes hands. What stands
 *     there afterwards can change no more, and is counted again in the new memory, by us.
 *   - It may set its bit in the new memory, then: the daemon finds a word there that counts
 *     nothing.
 *   - A sender that took the token of the old memory may ring the new bell for nothing. One that
 *     took the token of the new memory finds the new bell, which was in place before.
 *
 * The old daemon may be alive, and take what is pending at the same time: each word is taken by an
 * exchange, so every send is taken once.
 */

#include "lib/client-private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/attach-words.h"
#include "lib/cleanup.h"
#include "lib/deadline.h"

struct rouse_attachment {
        struct attach_memory *memory;
        size_t n_words;
        int bell_fd;
        rouse_client_t *client;
        int connection_fd; /* -1: there is none */
        struct buffer params;
};

/* What the daemon handed over. */
struct handed {
        int memory_fd, bell_fd;
        struct attach_memory *memory;
        size_t n_words;
};

#define HANDED_NULL \
        { .memory_fd = -1, .bell_fd = -1 }

static void handed_deinit(struct handed *handed) {
        if (handed->memory)
                munmap(handed->memory, attach_size(handed->n_words));
        handed->memory_fd = close_fd(handed->memory_fd);
        handed->bell_fd = close_fd(handed->bell_fd);
}

/* Maps the memory and looks whether it is what we understand. */
static int map(struct handed *handed) {
        struct stat st;

        if (fstat(handed->memory_fd, &st) < 0)
                return -errno;
        if (st.st_size < 0 || (size_t)st.st_size < attach_size(handed->n_words))
                return -EPROTO;
        handed->memory = mmap(NULL, attach_size(handed->n_words), PROT_READ | PROT_WRITE,
                              MAP_SHARED, handed->memory_fd, 0);
        if (handed->memory == MAP_FAILED) {
                handed->memory = NULL;
                return -errno;
        }
        if (handed->memory->version != ATTACH_VERSION || handed->memory->n_words != handed->n_words)
                return -EPROTO;
        return 0;
}

static int fail(rouse_client_t *client, int error) {
        if (error == -EPROTO)
                return rouse__client_broken(client, error);
        return rouse__client_fail(client, error, "cannot attach: %s", strerror(-error));
}

/* On success the connection is no longer the client's. */
static int request(rouse_client_t *client, const struct buffer *params, size_t n_words,
                   int64_t timeout_ms, struct handed *ret, int *ret_connection_fd) {
        struct handed handed = HANDED_NULL;
        struct json_text result;
        int fds[STREAM_N_FDS], r;

        r = rouse__client_request(client, "attach", params->data, params->n,
                                  deadline_in_ms(timeout_ms), &result);
        if (r < 0)
                return r;
        if (!rouse__stream_take_fds(&client->control, fds))
                return fail(client, -EPROTO);
        handed.memory_fd = fds[0];
        handed.bell_fd = fds[1];
        handed.n_words = n_words;
        r = map(&handed);
        if (r < 0) {
                handed_deinit(&handed);
                /* The daemon is not to keep what nobody uses. */
                rouse__stream_close(&client->control);
                return fail(client, r);
        }
        *ret_connection_fd = steal_fd(&client->control.fd);
        rouse__stream_close(&client->control);
        *ret = handed;
        return 0;
}

static int compose(struct buffer *params, const char *const *names, size_t n_names) {
        buffer_add_str(params, "{\"names\":");
        for (size_t i = 0; i < n_names; i++) {
                buffer_add_str(params, i == 0 ? "[" : ",");
                buffer_add_json_string(params, names[i]);
        }
        buffer_add_str(params, "]}");
        return params->failed ? -ENOMEM : 0;
}

static rouse_attachment_t *attachment_free(rouse_attachment_t *attachment) {
        rouse__buffer_deinit(&attachment->params);
        free(attachment);
        return NULL;
}

int rouse_client_attach(rouse_client_t *client, const char *const *names, size_t n_names,
                        int64_t timeout_ms, rouse_attachment_t **ret_attachment) {
        rouse_attachment_t *attachment;
        struct handed handed;
        int r;

        if (client->watching)
                return rouse__client_fail(client, -EBUSY, "this client watches");
        if (n_names == 0)
                return rouse__client_fail(client, -EINVAL, "no handle to attach to");
        attachment = calloc(1, sizeof(*attachment));
        if (!attachment)
                return rouse__client_fail(client, -ENOMEM, "out of memory");
        r = compose(&attachment->params, names, n_names);
        if (r < 0)
                r = rouse__client_fail(client, r, "out of memory");
        else
                r = request(client, &attachment->params, n_names, timeout_ms, &handed,
                            &attachment->connection_fd);
        if (r < 0) {
                attachment_free(attachment);
                return r;
        }
        attachment->client = client;
        attachment->memory = handed.memory;
        attachment->n_words = n_names;
        attachment->bell_fd = handed.bell_fd;
        close_fd(handed.memory_fd);
        *ret_attachment = attachment;
        return 0;
}

static void ring(const rouse_attachment_t *attachment) {
        const uint64_t one = 1;
        int saved_errno = errno;

        while (write(attachment->bell_fd, &one, sizeof(one)) < 0 && errno == EINTR)
                ; /* any other error is impossible: the counter has room for 2^64 - 2 rings */
        errno = saved_errno;
}

static inline int send_n(rouse_attachment_t *attachment, size_t i, uint64_t n) {
        switch (attach_send(attachment->memory, i, n)) {
        case ATTACH_SENT:
                return 0;
        case ATTACH_RING:
                ring(attachment);
                return 0;
        case ATTACH_REFUSED:
        default:
                return -EBADF;
        }
}

int rouse_attachment_send(rouse_attachment_t *attachment, size_t index) {
        return index < attachment->n_words ? send_n(attachment, index, 1) : -EINVAL;
}

int rouse_attachment_fd(const rouse_attachment_t *attachment) {
        return attachment->connection_fd;
}

/* The daemon says nothing on it any more; it can only end. */
static bool is_connected(const rouse_attachment_t *attachment) {
        char byte;

        return attachment->connection_fd >= 0 &&
               recv(attachment->connection_fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
               (errno == EAGAIN || errno == EINTR);
}

/* Puts the new memory and bell in the place of the old ones. On success `handed` has the old memory
 * in its stead, which no other thread can reach. */
static int replace(rouse_attachment_t *attachment, struct handed *handed) {
        size_t size = attach_size(attachment->n_words);
        /* With a length of 0 it maps the same pages once more. */
        struct attach_memory *old = mremap(attachment->memory, 0, size, MREMAP_MAYMOVE);

        if (old == MAP_FAILED)
                return -errno;
        if (dup3(handed->bell_fd, attachment->bell_fd, O_CLOEXEC) < 0 ||
            mremap(handed->memory, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, attachment->memory) ==
                    MAP_FAILED) {
                int r = -errno;

                munmap(old, size);
                return r;
        }
        handed->memory = old;
        return 0;
}

/* Sends what was not taken from the old memory. What counts on a closed word was refused, or
 * dropped with the handle. */
static void send_again(rouse_attachment_t *attachment, struct attach_memory *old) {
        for (size_t i = 0; i < attachment->n_words; i++) {
                uint64_t word = atomic_exchange_explicit(&old->words[i], 0, memory_order_acquire);

                if (word >> ATTACH_SHIFT && !(word & ATTACH_CLOSED))
                        (void)send_n(attachment, i, word >> ATTACH_SHIFT);
        }
}

int rouse_attachment_reattach(rouse_attachment_t *attachment, int64_t timeout_ms) {
        rouse_client_t *client = attachment->client;
        struct handed handed;
        int r;

        if (is_connected(attachment))
                return 0;
        if (client->watching)
                return rouse__client_fail(client, -EBUSY, "this client watches");
        attachment->connection_fd = close_fd(attachment->connection_fd);
        r = request(client, &attachment->params, attachment->n_words, timeout_ms, &handed,
                    &attachment->connection_fd);
        if (r < 0)
                return r;
        r = replace(attachment, &handed);
        if (r < 0) {
                attachment->connection_fd = close_fd(attachment->connection_fd);
                r = fail(client, r);
        } else {
                send_again(attachment, handed.memory);
        }
        handed_deinit(&handed);
        return r;
}

rouse_attachment_t *rouse_attachment_detach(rouse_attachment_t *attachment) {
        if (!attachment)
                return NULL;
        close_fd(attachment->connection_fd);
        close_fd(attachment->bell_fd);
        munmap(attachment->memory, attach_size(attachment->n_words));
        return attachment_free(attachment);
}
