/*
 * A text of digits is a number and is not looked up. (uid_t)-1 means "nobody in particular" to the
 * kernel and is no user. The re-entrant calls say with ERANGE that their buffer was too small: a
 * group may have any number of members.
 *
 * The C library passes over a module of the user database that finds no descriptor free. If the
 * next one does not know the user, it says that there is none; and of groups it leaves out those of
 * that module. So it is not asked when there is no descriptor.
 */
#include "daemon/user-names.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"

#define BUFFER_BYTES     1024U
#define BUFFER_BYTES_MAX (16U << 20)

/* 1: not a number; 0; -ESRCH: too large. */
static int read_number(const char *text, uint32_t *ret) {
        size_t n = strspn(text, "0123456789");
        unsigned long long value;

        if (n == 0 || text[n])
                return 1;
        if (n > 10)
                return -ESRCH;
        value = strtoull(text, NULL, 10);
        if (value >= UINT32_MAX)
                return -ESRCH;
        *ret = (uint32_t)value;
        return 0;
}

static int check_descriptors(void) {
        _cleanup_close_ int fd = open("/", O_PATH | O_CLOEXEC);

        return fd < 0 ? -errno : 0;
}

/* One look-up into a buffer: 0 or an errno; *ret_found: whether it is there. */
typedef int (*ask_fn)(const void *key, void *entry, char *buffer, size_t n_buffer, bool *ret_found);

static int ask_user_name(const void *key, void *entry, char *buffer, size_t n, bool *ret_found) {
        struct passwd *found = NULL;
        int error = getpwnam_r(key, entry, buffer, n, &found);

        *ret_found = found;
        return error;
}

static int ask_user_number(const void *key, void *entry, char *buffer, size_t n, bool *ret_found) {
        struct passwd *found = NULL;
        int error = getpwuid_r(*(const uid_t *)key, entry, buffer, n, &found);

        *ret_found = found;
        return error;
}

static int ask_group_name(const void *key, void *entry, char *buffer, size_t n, bool *ret_found) {
        struct group *found = NULL;
        int error = getgrnam_r(key, entry, buffer, n, &found);

        *ret_found = found;
        return error;
}

/* Positive errno values for "not there" differ between the modules of the user database. */
static int result(int error, bool found) {
        if (found)
                return 0;
        switch (error) {
        case 0:
        case ENOENT:
        case ESRCH:
        case EBADF:
        case EPERM:
                return -ESRCH;
        default:
                return -error;
        }
}

/* Asks with a buffer that grows until the answer fits. The entry's texts stand in *ret_buffer, to
 * be freed. */
static int look_up(ask_fn ask, const void *key, void *entry, char **ret_buffer) {
        _cleanup_free_ char *buffer = NULL;
        bool found = false;
        int error = ERANGE, r;

        r = check_descriptors();
        if (r < 0)
                return r;
        for (size_t n = BUFFER_BYTES; error == ERANGE && n <= BUFFER_BYTES_MAX; n *= 2) {
                free(buffer);
                buffer = malloc(n);
                if (!buffer)
                        return -ENOMEM;
                error = ask(key, entry, buffer, n, &found);
        }
        r = error == ERANGE ? -ENOMEM : result(error, found);
        if (r == 0)
                *ret_buffer = steal_ptr(buffer);
        return r;
}

int user_from_string(const char *text, uid_t *ret) {
        _cleanup_free_ char *buffer = NULL;
        struct passwd entry;
        int r;

        r = read_number(text, ret);
        if (r <= 0)
                return r;
        r = look_up(ask_user_name, text, &entry, &buffer);
        if (r == 0)
                *ret = entry.pw_uid;
        return r;
}

int group_from_string(const char *text, gid_t *ret) {
        _cleanup_free_ char *buffer = NULL;
        struct group entry;
        int r;

        r = read_number(text, ret);
        if (r <= 0)
                return r;
        r = look_up(ask_group_name, text, &entry, &buffer);
        if (r == 0)
                *ret = entry.gr_gid;
        return r;
}

static int groups_of(const char *name, gid_t gid, gid_t **ret_groups, size_t *ret_n) {
        _cleanup_free_ gid_t *groups = NULL;
        int n = 16, room, r;

        r = check_descriptors();
        if (r < 0)
                return r;
        do {
                gid_t *larger = reallocarray(groups, (size_t)n, sizeof(*groups));

                if (!larger)
                        return -ENOMEM;
                groups = larger;
                room = n;
                r = getgrouplist(name, gid, groups, &n);
        } while (r < 0 && n > room);
        /* It was not for lack of room: there was no memory, and nothing was written. */
        if (r < 0)
                return -ENOMEM;
        *ret_groups = steal_ptr(groups);
        *ret_n = (size_t)n;
        return 0;
}

int user_groups(uid_t uid, bool wants_gid, gid_t *gid, gid_t **ret_groups, size_t *ret_n) {
        _cleanup_free_ char *buffer = NULL;
        struct passwd entry;
        gid_t main_gid;
        int r;

        r = look_up(ask_user_number, &uid, &entry, &buffer);
        if (r == -ESRCH && !wants_gid) {
                *ret_groups = malloc(sizeof(**ret_groups));
                if (!*ret_groups)
                        return -ENOMEM;
                **ret_groups = *gid;
                *ret_n = 1;
                return 0;
        }
        if (r < 0)
                return r;
        main_gid = wants_gid ? entry.pw_gid : *gid;
        r = groups_of(entry.pw_name, main_gid, ret_groups, ret_n);
        if (r == 0)
                *gid = main_gid;
        return r;
}
