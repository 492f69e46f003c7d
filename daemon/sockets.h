/* The directory that a daemon serves: its lock and its two sockets. */
#pragma once

#include <sys/types.h>

#define SOCKETS_MODE 0660

/* A file that we made; ino 0: we did not. */
struct sockets_file {
        dev_t dev;
        ino_t ino;
};

struct sockets {
        int poke_fd;    /* datagrams; owned until somebody steals it */
        int control_fd; /* listens; the same */

        int dir_fd;
        int lock_fd;
        int retire_fd; /* poke_fd once more, if we made it */
        struct sockets_file lock_file, poke_file, control_file;
};

#define SOCKETS_NULL \
        { .poke_fd = -1, .control_fd = -1, .dir_fd = -1, .lock_fd = -1, .retire_fd = -1 }

/* Takes the directory for this process alone, and takes over the sockets that the service manager
 * opened, or makes them. The directory is made if only its last component is missing. 0, or
 * negative errno and a sentence for people in *reterr_message, to be freed (NULL when out of
 * memory): -EADDRINUSE: somebody else serves it. */
int sockets_open(const char *dir, struct sockets *ret, char **reterr_message);
/* From now on nobody reaches what we made: connecting and sending fail. What was sent before is
 * still there to be received, and no more than that. Sockets that the service manager opened are
 * left alone: it keeps what is sent for whoever comes next. May be repeated. */
void sockets_retire(struct sockets *sockets);
/* Closes what was not stolen, removes what we made and nobody has replaced, gives the directory
 * free. May be repeated. */
void sockets_close(struct sockets *sockets);
