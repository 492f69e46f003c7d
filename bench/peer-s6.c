/*
 * s6's fifodirs: a name is a directory, a listener makes a fifo in it, and who notifies writes a
 * byte to every fifo there. There is no server between them, and nothing is coalesced.
 *
 * The bytes go from process to process as s6-ftrig-notify writes them; that program itself would
 * be measured as a command, not as a way to notify. So that a hundred thousand names do not become
 * as many directories, names share those that there are.
 */

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/measure.h"
#include "bench/peer.h"
#include "lib/cleanup.h"

#define N_DIRS 64U
#define PREFIX "ftrig1:"

static bool s6_start(struct server *server) {
        for (unsigned int i = 0; i < N_DIRS; i++) {
                char name[MAX_NAME];

                snprintf(name, sizeof(name), "%u", i);
                if (mkdir(server_path(server, name), 0700) < 0)
                        die("cannot make a directory: %m");
        }
        return true;
}

static void s6_open(struct link *link) {
        link->fd = -1;
}

/* The directory's path. */
static size_t s6_marshal(char *to, const char *name) {
        unsigned int i = (unsigned int)atoi(strrchr(name, '_') + 1) % N_DIRS;

        return (size_t)snprintf(to, MAX_MESSAGE, "%u", i) + 1;
}

static void notify(struct link *link, const char *name) {
        const char *path = server_path(link->server, name);
        DIR *dir = opendir(path);
        struct dirent *entry;

        if (!dir)
                die("cannot open %s: %m", path);
        while ((entry = readdir(dir))) {
                _cleanup_close_ int fd = -1;

                if (strncmp(entry->d_name, PREFIX, strlen(PREFIX)) != 0)
                        continue;
                fd = openat(dirfd(dir), entry->d_name, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
                if (fd >= 0 && write(fd, "1", 1) < 0)
                        link->n_owed++; /* it has lost one; s6 does not mind either */
        }
        closedir(dir);
}

static void s6_publish(struct link *link, const char *data, size_t n_data, size_t n) {
        (void)n;
        for (const char *at = data; at < data + n_data; at += strlen(at) + 1)
                notify(link, at);
}

/* Writing to a fifo is all. */
static void s6_settle(struct link *link) {
        (void)link;
}

static void s6_subscribe(struct link *link, const char *name) {
        char path[2 * SERVER_PATH], dir[MAX_MESSAGE];

        s6_marshal(dir, name);
        snprintf(path, sizeof(path), "%s/" PREFIX "listener", server_path(link->server, dir));
        if (mkfifo(path, 0600) < 0 && access(path, F_OK) < 0)
                die("cannot make a fifo: %m");
        link->fd = open(path, O_RDWR | O_CLOEXEC);
        if (link->fd < 0)
                die("cannot open a fifo: %m");
}

static void s6_receive(struct link *link) {
        char byte;

        if (read(link->fd, &byte, 1) != 1)
                die("cannot read from a fifo: %m");
}

const struct peer peer_s6 = {
        .name = "s6 ftrig",
        .programs = {"s6-ftrig-notify"},
        .what = "fifodirs, no server",
        .start = s6_start,
        .open = s6_open,
        .marshal = s6_marshal,
        .publish = s6_publish,
        .settle = s6_settle,
        .subscribe = s6_subscribe,
        .receive = s6_receive,
};
