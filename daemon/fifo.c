/*
 * While a worker is replaced by another, both may have the same fifo open. So the process keeps a
 * list of the fifos that it reads, under a lock, for two reasons: the last one who closes it, and
 * no other, removes it; and only one reads at a time, who leaves the piece of a line that he has in
 * his buffer to the next one. A pipe keeps the pieces that writers write together, but readers cut
 * it anywhere.
 */

#include "daemon/fifo.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/cleanup.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct list all = LIST_INIT(all);

/* Numbers of inodes are not used again while they are open. */
static struct fifo *find(const struct stat *st) {
        list_for_each (link, &all) {
                struct fifo *fifo = container_of(link, struct fifo, link);

                if (fifo->dev == st->st_dev && fifo->ino == st->st_ino)
                        return fifo;
        }
        return NULL;
}

/* A fifo is looked at before it is opened, because opening has effects on some devices, and after
 * it, because it may be another by then. */
static int open_fifo(const char *path, struct stat *st, int *ret_fd) {
        _cleanup_close_ int fd = -1;

        if (stat(path, st) < 0)
                return -errno;
        if (!S_ISFIFO(st->st_mode))
                return -ENOTSUP;
        fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
        if (fd < 0 || fstat(fd, st) < 0)
                return -errno;
        if (!S_ISFIFO(st->st_mode))
                return -ENOTSUP;
        *ret_fd = steal_fd(&fd);
        return 0;
}

static int open_locked(const char *path, mode_t mode, struct fifo **ret, int *ret_fd) {
        _cleanup_free_ struct fifo *new = NULL;
        _cleanup_close_ int fd = -1;
        struct fifo *fifo;
        struct stat st;
        bool made;
        int r;

        new = calloc(1, sizeof(*new));
        if (!new)
                return -ENOMEM;
        made = mkfifo(path, mode) == 0;
        if (!made && errno != EEXIST)
                return -errno;
        r = open_fifo(path, &st, &fd);
        if (r >= 0 && made && fchmod(fd, mode) < 0)
                r = -errno;
        if (r < 0) {
                if (made)
                        (void)unlink(path);
                return r;
        }
        fifo = find(&st);
        if (!fifo) {
                fifo = steal_ptr(new);
                fifo->dev = st.st_dev;
                fifo->ino = st.st_ino;
                fifo->made = made;
                list_append(&all, &fifo->link);
        }
        fifo->n_users++;
        *ret = fifo;
        *ret_fd = steal_fd(&fd);
        return 0;
}

int fifo_open(const char *path, mode_t mode, struct fifo **ret, int *ret_fd) {
        int r;

        pthread_mutex_lock(&lock);
        r = open_locked(path, mode, ret, ret_fd);
        pthread_mutex_unlock(&lock);
        return r;
}

bool fifo_begin(struct fifo *fifo, const void *reader) {
        bool begins;

        pthread_mutex_lock(&lock);
        if (!fifo->reader)
                fifo->reader = reader;
        begins = fifo->reader == reader;
        pthread_mutex_unlock(&lock);
        return begins;
}

bool fifo_stands_at(const struct fifo *fifo, const char *path) {
        struct stat st;

        return stat(path, &st) == 0 && st.st_dev == fifo->dev && st.st_ino == fifo->ino;
}

bool fifo_close(struct fifo *fifo, const char *path, int fd, const void *reader) {
        bool lost = false;

        pthread_mutex_lock(&lock);
        if (fifo->reader == reader)
                fifo->reader = NULL;
        if (--fifo->n_users == 0) {
                lost = fifo->n > 0;
                if (fifo->made && fifo_stands_at(fifo, path))
                        (void)unlink(path);
                list_remove(&fifo->link);
                free(fifo);
        }
        close_fd(fd);
        pthread_mutex_unlock(&lock);
        return lost;
}
