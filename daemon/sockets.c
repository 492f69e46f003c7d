/*
 * A directory belongs to the process that holds the lock on its file "lock". The lock is of the
 * open file (flock), so it ends with the process however that ends, and a run does not inherit it
 * because the descriptor is close-on-exec. A child that was on its way to be a run when the owner
 * was killed still has it until then, so the next one waits a while for the lock of an owner that
 * is gone. The file holds the owner's pid, for this and for the message that the next one gets. It
 * is removed while the lock is held; who gets a lock therefore looks whether the file he locked is
 * still the one in the directory.
 *
 * Under the lock, a socket file without a process behind it is stale and goes. One with a process
 * behind it is somebody else's (systemd's, when its socket unit is active and this daemon was
 * started by hand) and stays. Connecting a datagram socket tells the two apart without the other
 * side noticing: ECONNREFUSED is what only a dead socket answers, and a stream socket is never
 * connected to in this way, which would start its service.
 *
 * A socket is reachable from bind() on. Its file takes its mode from the socket's own inode, so a
 * mode that is set before bind() is there from birth, whatever the umask of other threads. It is
 * born for the owner alone, then gets its group, then its mode, and then control.sock listens. In
 * no moment may anybody in who may not.
 *
 * There is no room to ask for on the receiving side: the kernel charges a message to its sender and
 * bounds the queue of datagrams by net.unix.max_dgram_qlen, which makes a sender wait. Replies to
 * datagrams are charged to poke.sock, so that has a large send buffer.
 */

#include "daemon/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "daemon/notify.h"
#include "daemon/own-group.h"
#include "lib/cleanup.h"
#include "lib/socket-address.h"

#define LOCK_FILE       "lock"
#define LOCK_MODE       0600 /* who could read it could lock it, and keep roused from starting */
#define POKE_FILE       "poke.sock"
#define CONTROL_FILE    "control.sock"
#define POKE_BUFFER     (8 << 20)
#define N_LOCK_ATTEMPTS 100
#define N_LOCK_WAITS    400 /* for an owner that is gone */
#define LOCK_WAIT_NS    (5L * 1000 * 1000)

/* Fills in the message and returns the error. */
static int fail(char **reterr_message, int error, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

static int fail(char **reterr_message, int error, const char *format, ...) {
        va_list args;

        va_start(args, format);
        if (vasprintf(reterr_message, format, args) < 0)
                *reterr_message = NULL;
        va_end(args);
        return error;
}

static int open_directory(const char *dir, int *ret_fd, char **reterr_message) {
        int fd;

        if (mkdir(dir, 0755) < 0 && errno != EEXIST) {
                int error = -errno;

                return fail(reterr_message, error, "cannot make the directory %s: %s", dir,
                            strerror(-error));
        }
        fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0) {
                int error = -errno;

                return fail(reterr_message, error, "cannot open the directory %s: %s", dir,
                            strerror(-error));
        }
        *ret_fd = fd;
        return 0;
}

/* The pid in the lock's file, or 0. */
static long read_owner(int lock_fd) {
        char text[32] = "";
        char *end;
        long pid;

        if (pread(lock_fd, text, sizeof(text) - 1, 0) <= 0)
                return 0;
        pid = strtol(text, &end, 10);
        return *end == '\n' && pid > 0 ? pid : 0;
}

/* A full disk is no reason not to start. */
static void write_owner(int lock_fd) {
        if (ftruncate(lock_fd, 0) < 0 || dprintf(lock_fd, "%ld\n", (long)getpid()) < 0)
                return;
}

/* Whether `name` still is the file that we made. */
static bool is_ours(int dir_fd, const char *name, const struct sockets_file *file) {
        struct stat st;

        return file->ino != 0 && fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
               st.st_dev == file->dev && st.st_ino == file->ino;
}

/* 0, -EAGAIN: the file was removed meanwhile; -EADDRINUSE: another process has it. */
static int try_lock(int dir_fd, int *ret_fd, struct sockets_file *ret_file, long *reterr_owner) {
        _cleanup_close_ int fd = -1;
        struct sockets_file file;
        struct stat st;

        /* Neither a symbolic link nor a fifo that somebody has put here leads us anywhere. */
        fd = openat(dir_fd, LOCK_FILE, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
                    LOCK_MODE);
        if (fd < 0)
                return -errno;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -EEXIST;
        if ((st.st_mode & 07777) != LOCK_MODE && fchmod(fd, LOCK_MODE) < 0)
                return -errno;
        if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
                if (errno != EWOULDBLOCK)
                        return -errno;
                *reterr_owner = read_owner(fd);
                return -EADDRINUSE;
        }
        file = (struct sockets_file){.dev = st.st_dev, .ino = st.st_ino};
        if (!is_ours(dir_fd, LOCK_FILE, &file))
                return -EAGAIN;
        write_owner(fd);
        *ret_file = file;
        *ret_fd = steal_fd(&fd);
        return 0;
}

static bool is_gone(long pid) {
        return pid > 0 && kill((pid_t)pid, 0) < 0 && errno == ESRCH;
}

static int lock_directory(struct sockets *sockets, const char *dir, char **reterr_message) {
        const struct timespec wait = {.tv_nsec = LOCK_WAIT_NS};
        int n_attempts = 0, n_waits = 0;
        long owner;
        int r;

        for (;;) {
                owner = 0;
                r = try_lock(sockets->dir_fd, &sockets->lock_fd, &sockets->lock_file, &owner);
                if (r == -EAGAIN && ++n_attempts < N_LOCK_ATTEMPTS)
                        continue;
                if (r != -EADDRINUSE || !is_gone(owner) || ++n_waits > N_LOCK_WAITS)
                        break;
                (void)nanosleep(&wait, NULL);
        }
        if (r == -EADDRINUSE && owner > 0)
                return fail(reterr_message, r, "another roused (pid %ld) already serves %s", owner,
                            dir);
        if (r == -EADDRINUSE)
                return fail(reterr_message, r, "another roused already serves %s", dir);
        if (r < 0)
                return fail(reterr_message, r, "cannot lock %s/%s: %s", dir, LOCK_FILE,
                            strerror(-r));
        return 0;
}

/* Removes what a dead process has left. 0 also if there is nothing. */
static int remove_stale(int dir_fd, const char *name, const struct sockaddr_un *address) {
        _cleanup_close_ int fd = -1;
        struct stat st;

        if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : -errno;
        if (!S_ISSOCK(st.st_mode))
                return -EEXIST;
        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0)
                return -EADDRINUSE;
        if (errno == EPROTOTYPE || errno == EPERM) /* a stream, or taken by a peer: it lives */
                return -EADDRINUSE;
        if (errno != ECONNREFUSED)
                return -errno;
        return unlinkat(dir_fd, name, 0) < 0 ? -errno : 0;
}

/* Gives the file its group and mode. A group that is not ours to give is left out: then only the
 * owner and his own group get in, which is never more than was asked for. */
static int admit(int dir_fd, const char *name, gid_t gid) {
        if (fchownat(dir_fd, name, (uid_t)-1, gid, AT_SYMLINK_NOFOLLOW) < 0 && errno != EPERM)
                return -errno;
        return fchmodat(dir_fd, name, SOCKETS_MODE, 0) < 0 ? -errno : 0;
}

/* The steps from a new socket to a file that others may connect to. */
static int bind_file(int fd, int dir_fd, const char *name, const struct sockaddr_un *address,
                     gid_t gid, struct sockets_file *ret) {
        struct stat st;
        int r;

        if (fchmod(fd, 0600) < 0)
                return -errno;
        if (bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0)
                return -errno;
        if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return -errno;
        r = admit(dir_fd, name, gid);
        if (r < 0) {
                (void)unlinkat(dir_fd, name, 0);
                return r;
        }
        *ret = (struct sockets_file){.dev = st.st_dev, .ino = st.st_ino};
        return 0;
}

static int make_socket(int dir_fd, const char *dir, const char *name, int type, gid_t gid,
                       int *ret_fd, struct sockets_file *ret_file, char **reterr_message) {
        _cleanup_close_ int fd = -1;
        struct sockaddr_un address;
        int r;

        r = rouse__socket_address(dir, dir_fd, name, &address);
        if (r == 0)
                r = remove_stale(dir_fd, name, &address);
        if (r == -EEXIST)
                return fail(reterr_message, r, "%s/%s is in the way, and is no socket", dir, name);
        if (r == -EADDRINUSE)
                return fail(reterr_message, r,
                            "another program already serves %s/%s; if it is systemd, stop "
                            "roused.socket or start roused.service",
                            dir, name);
        if (r == 0) {
                fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
                r = fd < 0 ? -errno : bind_file(fd, dir_fd, name, &address, gid, ret_file);
        }
        if (r < 0)
                return fail(reterr_message, r, "cannot make %s/%s: %s", dir, name, strerror(-r));
        *ret_fd = steal_fd(&fd);
        return 0;
}

/* Linux 6.16; where headers are older, its number on most machines. */
#if !defined(SO_PASSRIGHTS) && SO_PASSCRED == 16
#define SO_PASSRIGHTS 83
#endif

/* Has the kernel refuse descriptors that somebody attaches to what he sends. Nobody here wants any,
 * and the last one to close a socket may have to wait for its other end. */
static void refuse_descriptors(int fd) {
#ifdef SO_PASSRIGHTS
        (void)setsockopt(fd, SOL_SOCKET, SO_PASSRIGHTS, &(int){0}, sizeof(int));
#else
        (void)fd;
#endif
}

/* What a poke socket needs, wherever it came from. */
static int set_up_poke(int fd) {
        int on = 1, bytes = POKE_BUFFER;

        refuse_descriptors(fd);

        /* Only root may have more than the system's limit; the rest gets as much as there is. */
        if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)) < 0)
                (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
        return setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0 ? -errno : 0;
}

static int open_sockets(struct sockets *sockets, const char *dir, char **reterr_message) {
        gid_t gid = (gid_t)-1;
        int r;

        r = open_directory(dir, &sockets->dir_fd, reterr_message);
        if (r < 0)
                return r;
        r = lock_directory(sockets, dir, reterr_message);
        if (r < 0)
                return r;
        r = notify_take_sockets(&sockets->poke_fd, &sockets->control_fd);
        if (r < 0)
                return fail(reterr_message, r,
                            "the service manager handed over something that is not one poke and "
                            "one control socket: %s",
                            strerror(-r));
        /* Without one, or a user database to ask, the files keep the group they are born with. */
        if (sockets->poke_fd < 0 || sockets->control_fd < 0)
                (void)own_group_find(&gid);
        if (sockets->poke_fd < 0) {
                r = make_socket(sockets->dir_fd, dir, POKE_FILE, SOCK_DGRAM, gid, &sockets->poke_fd,
                                &sockets->poke_file, reterr_message);
                if (r < 0)
                        return r;
                sockets->retire_fd = fcntl(sockets->poke_fd, F_DUPFD_CLOEXEC, 0);
                if (sockets->retire_fd < 0) {
                        r = -errno;
                        return fail(reterr_message, r, "cannot serve %s/%s: %s", dir, POKE_FILE,
                                    strerror(-r));
                }
        }
        r = set_up_poke(sockets->poke_fd);
        if (r < 0)
                return fail(reterr_message, r, "cannot set up %s/%s: %s", dir, POKE_FILE,
                            strerror(-r));
        if (sockets->control_fd < 0) {
                r = make_socket(sockets->dir_fd, dir, CONTROL_FILE, SOCK_STREAM, gid,
                                &sockets->control_fd, &sockets->control_file, reterr_message);
                if (r < 0)
                        return r;
        }
        refuse_descriptors(sockets->control_fd); /* and whoever connects inherits it */
        if (listen(sockets->control_fd, SOMAXCONN) < 0) {
                r = -errno;
                return fail(reterr_message, r, "cannot listen on %s/%s: %s", dir, CONTROL_FILE,
                            strerror(-r));
        }
        return 0;
}

int sockets_open(const char *dir, struct sockets *ret, char **reterr_message) {
        struct sockets sockets = SOCKETS_NULL;
        int r;

        r = open_sockets(&sockets, dir, reterr_message);
        if (r < 0) {
                sockets_close(&sockets);
                return r;
        }
        *ret = sockets;
        return 0;
}

static void remove_ours(int dir_fd, const char *name, struct sockets_file *file) {
        if (is_ours(dir_fd, name, file))
                (void)unlinkat(dir_fd, name, 0);
        *file = (struct sockets_file){0};
}

void sockets_retire(struct sockets *sockets) {
        if (sockets->lock_fd >= 0) {
                remove_ours(sockets->dir_fd, POKE_FILE, &sockets->poke_file);
                remove_ours(sockets->dir_fd, CONTROL_FILE, &sockets->control_file);
        }
        /* Senders that had connected go on without the file. */
        if (sockets->retire_fd >= 0)
                (void)shutdown(sockets->retire_fd, SHUT_RD);
        sockets->retire_fd = close_fd(sockets->retire_fd);
}

void sockets_close(struct sockets *sockets) {
        sockets_retire(sockets);
        if (sockets->lock_fd >= 0)
                remove_ours(sockets->dir_fd, LOCK_FILE, &sockets->lock_file);
        sockets->poke_fd = close_fd(sockets->poke_fd);
        sockets->control_fd = close_fd(sockets->control_fd);
        sockets->lock_fd = close_fd(sockets->lock_fd);
        sockets->dir_fd = close_fd(sockets->dir_fd);
}
