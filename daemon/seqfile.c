/*
 * A header and an array of (hash of the name, number), mapped shared: a wake costs one store, and
 * the kernel keeps the page when the daemon is killed. The file's blocks are allocated before they
 * are used, so that a full disk is an error of seqfile_enter(), which can be dealt with, and no
 * SIGBUS.
 *
 * Names are kept as 64-bit hashes. Two names of one hash share a record; then both numbers go up in
 * larger steps, which is allowed: they never go back.
 *
 * What must not happen is a number that is used twice:
 * - after kill -9: the page cache has the last store;
 * - after a crash of the machine: stores of the last half minute may be missing. The header has the
 * id of the boot and whether the file was closed in order; if it was not, and the boot is another
 * one, all numbers jump by CRASH_JUMP, more wakes than fit into that time;
 * - when no record can be had (full disk, too many names): such a name's number raises the floor
 * from which unknown names start;
 * - without a usable file: the floor is the time since 1970 in microseconds. So it is with an empty
 * one, which tells of a daemon that had no room to write, and began so high, too.
 */

#include "daemon/seqfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "daemon/limits.h"
#include "lib/cleanup.h"

#define MAGIC      0x31307165736f7572ULL /* "rouseq01" */
#define CRASH_JUMP (1ULL << 28)
#define BOOT_ID    "/proc/sys/kernel/random/boot_id"
#define N_BOOT_ID  40

struct header {
        uint64_t magic;
        uint64_t floor;
        uint64_t n_records; /* in use, record 0 included, which is this header's place */
        uint64_t is_open;   /* not closed in order */
        char boot_id[N_BOOT_ID];
        char reserved[56];
};

#define N_HEADER_RECORDS (sizeof(struct header) / sizeof(struct seqfile_record))
#define FIRST_ROOM       256U

_Static_assert(offsetof(struct header, floor) == offsetof(struct seqfile_record, seq),
               "the floor is the number of record 0");

static struct header *header_of(struct seqfile *seqfile) {
        return (struct header *)(void *)seqfile->records;
}

/* FNV-1a, and a final mix, because the low bits choose the place in the index. */
static uint64_t hash_name(const char *name) {
        uint64_t hash = 0xcbf29ce484222325ULL;

        for (; *name; name++)
                hash = (hash ^ (unsigned char)*name) * 0x100000001b3ULL;
        hash ^= hash >> 32;
        return hash ?: 1;
}

static void read_boot_id(char boot_id[N_BOOT_ID]) {
        _cleanup_close_ int fd = open(BOOT_ID, O_RDONLY | O_CLOEXEC);

        memset(boot_id, 0, N_BOOT_ID);
        if (fd >= 0 && read(fd, boot_id, N_BOOT_ID - 1) < 0)
                memset(boot_id, 0, N_BOOT_ID);
}

static uint64_t floor_from_clock(void) {
        struct timespec ts;

        clock_gettime(CLOCK_REALTIME, &ts);
        return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static void index_put(struct seqfile *seqfile, uint32_t number) {
        uint32_t place = (uint32_t)seqfile->records[number].hash & (seqfile->n_index - 1);

        while (seqfile->index[place])
                place = (place + 1) & (seqfile->n_index - 1);
        seqfile->index[place] = number;
}

static uint32_t index_find(const struct seqfile *seqfile, uint64_t hash) {
        for (uint32_t place = (uint32_t)hash & (seqfile->n_index - 1); seqfile->index[place];
             place = (place + 1) & (seqfile->n_index - 1))
                if (seqfile->records[seqfile->index[place]].hash == hash)
                        return seqfile->index[place];
        return 0;
}

/* Makes an index that is at most half full with n_room records. */
static int index_build(struct seqfile *seqfile, uint32_t n_room) {
        uint32_t n_index = 64;
        uint32_t *index;

        while (n_index < 2 * n_room)
                n_index *= 2;
        index = calloc(n_index, sizeof(*index));
        if (!index)
                return -ENOMEM;
        free(seqfile->index);
        seqfile->index = index;
        seqfile->n_index = n_index;
        for (uint32_t i = N_HEADER_RECORDS; i < header_of(seqfile)->n_records; i++)
                index_put(seqfile, i);
        return 0;
}

/* Makes room for twice as many records, in the file or in memory. */
static int grow(struct seqfile *seqfile, uint32_t n_room) {
        size_t n_old = seqfile->n_room * sizeof(struct seqfile_record),
               n_new = n_room * sizeof(struct seqfile_record);
        void *records;
        int r;

        if (seqfile->fd >= 0) {
                r = posix_fallocate(seqfile->fd, 0, (off_t)n_new);
                if (r != 0)
                        return -r;
                records = seqfile->records ? mremap(seqfile->records, n_old, n_new, MREMAP_MAYMOVE)
                                           : mmap(NULL, n_new, PROT_READ | PROT_WRITE, MAP_SHARED,
                                                  seqfile->fd, 0);
                if (records == MAP_FAILED)
                        return -errno;
        } else {
                records = realloc(seqfile->records, n_new);
                if (!records)
                        return -ENOMEM;
                memset((char *)records + n_old, 0, n_new - n_old);
        }
        seqfile->records = records;
        seqfile->n_room = n_room;
        return 0;
}

static void begin(struct seqfile *seqfile, uint64_t floor) {
        struct header *header = header_of(seqfile);

        *header = (struct header){.magic = MAGIC, .floor = floor, .n_records = N_HEADER_RECORDS};
}

static struct seqfile *seqfile_drop(struct seqfile *seqfile) {
        if (!seqfile)
                return NULL;
        if (seqfile->fd < 0)
                free(seqfile->records);
        else if (seqfile->records)
                munmap(seqfile->records, seqfile->n_room * sizeof(struct seqfile_record));
        close_fd(seqfile->fd);
        free(seqfile->index);
        free(seqfile);
        return NULL;
}
DEFINE_CLEANUP(struct seqfile *, seqfile_drop)

static bool is_sound(const struct header *header, uint64_t n_bytes) {
        return header->magic == MAGIC && header->n_records >= N_HEADER_RECORDS &&
               header->n_records <= n_bytes / sizeof(struct seqfile_record);
}

/* What a crash of the machine may have taken back is made good by a jump. */
static void jump_after_crash(struct seqfile *seqfile) {
        struct header *header = header_of(seqfile);
        char boot_id[N_BOOT_ID];

        read_boot_id(boot_id);
        if (header->is_open && memcmp(boot_id, header->boot_id, N_BOOT_ID) != 0) {
                header->floor += header->floor ? CRASH_JUMP : 0;
                for (uint64_t i = N_HEADER_RECORDS; i < header->n_records; i++)
                        seqfile->records[i].seq += CRASH_JUMP;
        }
        memcpy(header->boot_id, boot_id, N_BOOT_ID);
        header->is_open = 1;
}

/* The descriptor, or negative errno. */
static int open_or_make(const char *path, bool *ret_is_new) {
        const int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
        int fd = open(path, flags);
        bool is_new = fd < 0 && errno == ENOENT;

        if (is_new)
                fd = open(path, flags | O_CREAT | O_EXCL, 0600);
        if (fd < 0)
                return -errno;
        *ret_is_new = is_new;
        return fd;
}

/* Says a loss as soon as it is known: an error may follow. */
static int open_file(struct seqfile *seqfile, const char *path, int *loss) {
        struct stat st;
        uint64_t floor = 0;
        bool is_new = false;
        int r;

        for (int attempt = 0;; attempt++) {
                r = open_or_make(path, &is_new);
                if (r < 0)
                        return r;
                seqfile->fd = r;
                if (fstat(seqfile->fd, &st) < 0)
                        return -errno;
                if (!S_ISREG(st.st_mode))
                        return -EINVAL;
                if (st.st_size == 0) {
                        if (!is_new) {
                                *loss = SEQFILE_WAS_EMPTY;
                                floor = floor_from_clock();
                        }
                        break;
                }
                if ((uint64_t)st.st_size >= FIRST_ROOM * sizeof(struct seqfile_record) &&
                    (uint64_t)st.st_size / sizeof(struct seqfile_record) < UINT32_MAX / 4) {
                        r = grow(seqfile,
                                 (uint32_t)((uint64_t)st.st_size / sizeof(struct seqfile_record)));
                        if (r < 0)
                                return r;
                        if (is_sound(header_of(seqfile), (uint64_t)st.st_size)) {
                                jump_after_crash(seqfile);
                                return 0;
                        }
                        munmap(seqfile->records, seqfile->n_room * sizeof(struct seqfile_record));
                        seqfile->records = NULL;
                        seqfile->n_room = 0;
                }
                if (attempt > 0)
                        return -EUCLEAN;
                {
                        _cleanup_free_ char *aside = NULL;

                        if (asprintf(&aside, "%s.bad", path) < 0)
                                return -ENOMEM;
                        if (rename(path, aside) < 0)
                                return -errno;
                }
                *loss = SEQFILE_WAS_DAMAGED;
                floor = floor_from_clock();
                seqfile->fd = close_fd(seqfile->fd);
        }
        r = grow(seqfile, FIRST_ROOM);
        if (r < 0)
                return r;
        begin(seqfile, floor);
        jump_after_crash(seqfile);
        return 0;
}

int seqfile_open(const char *path, int *ret_error, struct seqfile **ret) {
        _cleanup_(seqfile_dropp) struct seqfile *seqfile = calloc(1, sizeof(*seqfile));
        int error, loss = 0, r;

        if (!seqfile)
                return -ENOMEM;
        seqfile->fd = -1;
        error = open_file(seqfile, path, &loss);
        if (error < 0) {
                if (seqfile->records)
                        munmap(seqfile->records, seqfile->n_room * sizeof(struct seqfile_record));
                seqfile->records = NULL;
                seqfile->n_room = 0;
                seqfile->fd = close_fd(seqfile->fd);
                r = grow(seqfile, FIRST_ROOM);
                if (r < 0)
                        return r;
                begin(seqfile, floor_from_clock());
        }
        r = index_build(seqfile, seqfile->n_room);
        if (r < 0)
                return r;
        *ret_error = error;
        *ret = steal_ptr(seqfile);
        return loss;
}

struct seqfile *seqfile_close(struct seqfile *seqfile) {
        if (seqfile && seqfile->fd >= 0) {
                (void)msync(seqfile->records, seqfile->n_room * sizeof(struct seqfile_record),
                            MS_SYNC);
                header_of(seqfile)->is_open = 0;
                (void)msync(seqfile->records, sizeof(struct header), MS_SYNC);
        }
        return seqfile_drop(seqfile);
}

static int make_room(struct seqfile *seqfile) {
        int r;

        if (header_of(seqfile)->n_records < seqfile->n_room)
                return 0;
        if (seqfile->n_room >= 2 * LIMIT_HANDLES)
                return -ENOSPC;
        r = index_build(seqfile, 2 * seqfile->n_room);
        if (r < 0)
                return r;
        return grow(seqfile, 2 * seqfile->n_room);
}

uint64_t seqfile_enter(struct seqfile *seqfile, const char *name, struct seqfile_entry *ret_entry) {
        uint64_t hash = hash_name(name);
        uint32_t number = index_find(seqfile, hash);

        if (!number) {
                if (make_room(seqfile) < 0) {
                        ret_entry->index = 0;
                        return header_of(seqfile)->floor;
                }
                number = (uint32_t)header_of(seqfile)->n_records;
                seqfile->records[number] = (struct seqfile_record){hash, header_of(seqfile)->floor};
                header_of(seqfile)->n_records = number + 1;
                index_put(seqfile, number);
        }
        ret_entry->index = number;
        return seqfile->records[number].seq;
}
