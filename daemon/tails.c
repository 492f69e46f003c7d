/*
 * A process that outlives its run still has the run's pipes. If they were closed, SIGPIPE would
 * end it at the next line that it writes, so they are read until their end, which comes when the
 * last process that has them is gone. Nobody waits for that: the run has ended, and its handle may
 * be another or none by now. So a tail knows the handle's name alone.
 *
 * Each costs a descriptor. They may not take those that connections and new runs need: there are
 * LIMIT_TAILS at most, and not more than a part of what the process may open.
 */

#include "daemon/tails.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "daemon/limits.h"
#include "daemon/line-reader.h"
#include "daemon/log.h"

#define PART_OF_FDS 4U
#define FINAL_READ  (64U << 10) /* of each, at the daemon's end: what a pipe holds */

struct tail {
        struct list link;
        struct tails *tails;
        struct line_reader *reader;
        char handle[];
};

void tails_init(struct tails *tails) {
        *tails = (struct tails){0};
        list_init(&tails->list);
}

static size_t max_tails(void) {
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur / PART_OF_FDS > LIMIT_TAILS)
                return LIMIT_TAILS;
        return limit.rlim_cur / PART_OF_FDS;
}

static void tail_free(struct tail *tail) {
        list_remove(&tail->link);
        tail->tails->n--;
        line_reader_close(tail->reader);
        free(tail);
}

static void on_line(void *arg, unsigned int stream, const char *line, size_t n_line) {
        const struct tail *tail = arg;

        (void)stream;
        log_output(tail->handle, line, n_line);
}

static void on_end(void *arg) {
        tail_free(arg);
}

void tails_take(struct tails *tails, const char *handle, struct line_reader *reader) {
        size_t n_handle = strlen(handle) + 1;
        struct tail *tail = NULL;

        if (tails->n < max_tails())
                tail = malloc(sizeof(*tail) + n_handle);
        if (!tail) {
                log_warning("%s: what it left behind cannot write to the log any more: the output "
                            "of %zu others is read already",
                            handle, tails->n);
                line_reader_close(reader);
                return;
        }
        tail->tails = tails;
        tail->reader = reader;
        memcpy(tail->handle, handle, n_handle);
        list_append(&tails->list, &tail->link);
        tails->n++;
        line_reader_hand_over(reader, on_line, on_end, tail);
}

void tails_close(struct tails *tails) {
        list_for_each_safe (link, &tails->list) {
                struct tail *tail = container_of(link, struct tail, link);

                (void)line_reader_drain(tail->reader, FINAL_READ);
                tail_free(tail);
        }
}
