/*
 * A path is watched as a chain: for each name on the way, the directory it stands in. Symbolic
 * links are followed name by name, so the directories on the way of their targets are in the chain
 * too, and so are the links as names. At its end stands what the path leads to: a file, which is
 * watched by itself, or a directory (watch-tree.c); or the chain is shorter, because a name is not
 * there, and the directory where it is missing will tell when it comes.
 *
 * When a name of the chain comes, goes or is replaced, the whole chain is made anew once all
 * events that were there have been read. A directory is watched before the next name is looked up,
 * so whatever comes between makes an event. The old chain goes when the new one stands: the
 * kernel's watches that both have stay as they are.
 *
 * When the kernel's queue was full, nobody knows what has changed. The chain is made anew then,
 * with the watches at its end, and that something was lost is told once they stand.
 *
 * A directory that may be passed through but not read cannot be watched. The way through it is
 * followed all the same; names that change there are noticed where they end, and what is missing
 * behind it is looked for now and then.
 */

#include "daemon/watch-path.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "daemon/limits.h"
#include "daemon/log.h"
#include "daemon/notifier.h"
#include "daemon/watch-tree.h"
#include "lib/cleanup.h"
#include "lib/list.h"

#define MAX_SYMLINKS 40 /* as the kernel has it */

#define NAME_EVENTS (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO)
#define LINK_EVENTS (NAME_EVENTS | IN_ATTRIB | IN_MOVE_SELF)
#define FILE_EVENTS (IN_CLOSE_WRITE | IN_ATTRIB | IN_MOVE_SELF)

/* A name on the way. */
struct link {
        struct notifier_watch watch; /* of the directory it stands in */
        struct watch_path *path;
        struct list link;
        bool last;
        const char *name; /* the last one of `full` */
        char full[];
};

struct watch_path {
        struct notifier_user user;
        const char *place;
        unsigned int flags;
        watch_path_cb cb;
        void *arg;

        struct list chain;
        struct notifier_watch file;
        struct watch_tree *tree;
        char *target; /* where the chain ends, without symbolic links; NULL: something is missing */
        dev_t dev;
        ino_t ino; /* 0: not known */

        bool stale;   /* the chain may be wrong */
        bool changed; /* …, and what it leads to may be something else */
        bool touched; /* what it leads to was written, or the last name came or went */
        bool lossy;   /* events were lost */
        int error;    /* that was logged */
        char *told;   /* the name below it that was told last; until all that was read is told */
        char path[];
};

DEFINE_CLEANUP(struct watch_path *, watch_path_free)

static void touch(struct watch_path *self) {
        self->touched = true;
        notifier_user_defer(&self->user);
}

static void make_stale(struct watch_path *self) {
        self->stale = true;
        notifier_user_defer(&self->user);
}

/* Two events of the same name that were read together are one: a file is made and written. */
static void on_tree_changed(void *arg, const char *name, bool by_event) {
        struct watch_path *self = arg;
        size_t n = strlen(self->path);
        char *path;

        if (!*name ||
            asprintf(&path, "%s%s%s", self->path, self->path[n - 1] == '/' ? "" : "/", name) < 0) {
                touch(self); /* without memory for the name, the change as such is still told */
                return;
        }
        if (!by_event || !self->told || strcmp(self->told, path) != 0)
                self->cb(self->arg, path);
        free(self->told);
        self->told = path;
        notifier_user_defer(&self->user);
}

static void on_tree_lost(void *arg) {
        make_stale(arg);
}

static void on_file(struct notifier_watch *watch, uint32_t events, const char *name) {
        struct watch_path *self = container_of(watch, struct watch_path, file);

        (void)name;
        if (events & (IN_IGNORED | IN_MOVE_SELF))
                make_stale(self);
        if (events & (IN_CLOSE_WRITE | IN_ATTRIB))
                touch(self);
}

static void on_link(struct notifier_watch *watch, uint32_t events, const char *name) {
        struct link *link = container_of(watch, struct link, watch);
        struct watch_path *self = link->path;

        if (!name) {
                /* the directory itself; what became of it, the one above tells */
                if (events & (IN_IGNORED | IN_MOVE_SELF))
                        make_stale(self);
                return;
        }
        if (strcmp(name, link->name) != 0)
                return;
        if (events & IN_CLOSE_WRITE)
                touch(self);
        if (!(events & (NAME_EVENTS | IN_ATTRIB)))
                return;
        make_stale(self); /* also by IN_ATTRIB: one may enter what was forbidden */
        if (!(events & NAME_EVENTS))
                return;
        if (!link->last) {
                self->changed = true;
        } else if (!(events & IN_CREATE) || self->target || self->flags & WATCH_PATH_NAME_ONLY ||
                   !watch_is_unwritten(link->full)) {
                touch(self);
        } else {
                /* it counts as there; its closing will be told */
                self->target = strdup(link->full);
                self->ino = 0;
        }
}

static struct link *link_free(struct link *link) {
        notifier_watch_remove(&link->watch);
        list_remove(&link->link);
        free(link);
        return NULL;
}
DEFINE_CLEANUP(struct link *, link_free)

static void chain_free(struct list *chain) {
        struct list *link;

        while ((link = list_first(chain)))
                link_free(container_of(link, struct link, link));
}

/* Watches `dir` for `name`. */
static int link_new(struct watch_path *self, struct list *chain, const char *dir, const char *name,
                    bool last) {
        _cleanup_(link_freep) struct link *link = NULL;
        size_t n_dir = strlen(dir), n_name = strlen(name);
        uint32_t mask = LINK_EVENTS | IN_ONLYDIR;
        int r;

        if (last && !(self->flags & WATCH_PATH_NAME_ONLY))
                mask |= IN_CLOSE_WRITE;
        link = calloc(1, sizeof(*link) + n_dir + 1 + n_name + 1);
        if (!link)
                return -ENOMEM;
        list_init(&link->link);
        link->watch.cb = on_link;
        link->path = self;
        link->last = last;
        memcpy(link->full, dir, n_dir);
        link->full[n_dir] = '/';
        memcpy(link->full + n_dir + 1, name, n_name);
        link->name = link->full + n_dir + 1;
        r = notifier_watch_add(&link->watch, &self->user, n_dir ? dir : "/", mask);
        if (r < 0)
                return r;
        list_append(chain, &steal_ptr(link)->link);
        return 0;
}

/* Puts what a symbolic link says before the rest of the way. */
static int follow(const char *link, const char **rest, char **memory, char **dir) {
        char target[PATH_MAX], *way;
        ssize_t n;

        n = readlink(link, target, sizeof(target) - 1);
        if (n < 0)
                return -errno;
        target[n] = '\0';
        if (asprintf(&way, "%s/%s", target, *rest) < 0)
                return -ENOMEM;
        if (target[0] == '/')
                (*dir)[0] = '\0';
        free(*memory);
        *rest = *memory = way;
        return 0;
}

/*
 * Goes along the path and makes its chain. The result is where it ends and what stands there; or
 * -ENOENT: something is missing, and a directory of the chain will tell when it comes; or -ENOMEM;
 * or another error, which no event may tell the end of. *reterr_blind is set if the way led through
 * a directory that cannot be watched.
 */
static int walk(struct watch_path *self, struct list *chain, char **ret_target, struct stat *ret_st,
                int *reterr_blind) {
        _cleanup_free_ char *dir = strdup(""), *memory = NULL;
        const char *rest = self->path;
        int n_symlinks = 0, r;
        struct stat st = {0};
        bool known = false;

        if (!dir)
                return -ENOMEM;
        while (*(rest += strspn(rest, "/"))) {
                _cleanup_free_ char *name = strndup(rest, strcspn(rest, "/")), *full = NULL;
                bool last;

                if (!name)
                        return -ENOMEM;
                rest += strlen(name);
                last = rest[strspn(rest, "/")] == '\0';
                if (strcmp(name, ".") == 0)
                        continue;
                if (strcmp(name, "..") == 0) {
                        char *slash = strrchr(dir, '/');

                        if (slash)
                                *slash = '\0';
                        known = false;
                        continue;
                }
                r = link_new(self, chain, dir, name, last);
                if (r == -ENOMEM || r == -ENOENT || r == -ENOTDIR)
                        return r == -ENOTDIR ? -ENOENT : r;
                if (r < 0)
                        *reterr_blind = r;
                if (asprintf(&full, "%s/%s", dir, name) < 0)
                        return -ENOMEM;
                if (lstat(full, &st) < 0)
                        return errno == ENOTDIR ? -ENOENT : -errno;
                if (S_ISLNK(st.st_mode)) {
                        if (++n_symlinks > MAX_SYMLINKS)
                                return -ELOOP;
                        r = follow(full, &rest, &memory, &dir);
                        if (r < 0)
                                return r == -EINVAL ? -ENOENT : r; /* no link any more */
                        known = false;
                        continue;
                }
                if (!last && !S_ISDIR(st.st_mode))
                        return -ENOENT;
                free(dir);
                dir = steal_ptr(full);
                known = true;
        }
        if (!known && stat(*dir ? dir : "/", &st) < 0)
                return -errno;
        if (!*dir) {
                free(dir);
                dir = strdup("/");
                if (!dir)
                        return -ENOMEM;
        }
        *ret_target = steal_ptr(dir);
        *ret_st = st;
        return 0;
}

static void drop_target(struct watch_path *self) {
        notifier_watch_remove(&self->file);
        self->tree = watch_tree_free(self->tree);
}

/* Watches what stands at the end, unless it is what stood there before. */
static int watch_target(struct watch_path *self, const char *target, const struct stat *st) {
        bool on = self->tree ? watch_tree_is_on(self->tree) : notifier_watch_is_on(&self->file);

        if (self->flags & WATCH_PATH_NAME_ONLY)
                return 0;
        if (on && !self->lossy && self->target && strcmp(self->target, target) == 0 &&
            self->dev == st->st_dev && self->ino == st->st_ino)
                return 0;
        drop_target(self);
        if (S_ISDIR(st->st_mode))
                return watch_tree_new(&self->user, target, self->flags & WATCH_PATH_RECURSIVE,
                                      on_tree_changed, on_tree_lost, self, &self->tree);
        return notifier_watch_add(&self->file, &self->user, target, FILE_EVENTS | IN_DONT_FOLLOW);
}

/* Says once what is wrong, and that it is over. */
static void log_state(struct watch_path *self, int error) {
        const char *hint = error == -ENOSPC ? " (the limit is fs.inotify.max_user_watches)" : "";

        if (error == self->error)
                return;
        if (error == -E2BIG)
                log_warning("%s: %s has more than %u directories below it, changes in the others "
                            "go unnoticed",
                            self->place, self->path, LIMIT_WATCHED_DIRS);
        else if (error < 0)
                log_warning("%s: cannot watch all of %s: %s%s", self->place, self->path,
                            strerror(-error), hint);
        else
                log_notice("%s: %s is watched now", self->place, self->path);
        self->error = error;
}

/* Makes the chain anew. */
static void resolve(struct watch_path *self) {
        struct list chain = LIST_INIT(chain);
        _cleanup_free_ char *target = NULL;
        int blind = 0, error, r;
        struct stat st = {0};

        r = walk(self, &chain, &target, &st, &blind);
        if (r >= 0)
                r = watch_target(self, target, &st);
        else
                drop_target(self);
        if (r == -ENOTDIR || r == -ELOOP)
                r = -ENOENT;
        if (r == -ENOENT) {
                free(target); /* perhaps gone since: its directory tells */
                target = NULL;
        } else if (target && self->target && self->ino &&
                   (self->dev != st.st_dev || self->ino != st.st_ino)) {
                self->changed = true;
        }
        free(self->target);
        self->target = steal_ptr(target);
        self->dev = st.st_dev;
        self->ino = st.st_ino;

        error = r < 0 && r != -ENOENT ? r : blind;
        if (error < 0)
                notifier_user_retry(&self->user);
        else if (self->tree)
                error = watch_tree_error(self->tree);
        if (error == 0 && self->error < 0)
                self->changed = true; /* nobody has seen what happened meanwhile */
        log_state(self, error);
        chain_free(&self->chain);
        list_splice(&self->chain, &chain);
}

/* The path itself is told after it was resolved: what came to a place that was not watched before
 * is covered by that. */
static void settle(struct watch_path *self) {
        bool was_there = self->target, lost, tells;

        if (self->stale)
                resolve(self);
        else if (self->tree && watch_tree_error(self->tree) < 0)
                log_state(self, watch_tree_error(self->tree));
        lost = self->lossy;
        tells = lost || self->touched || was_there != (bool)self->target ||
                (self->changed && (self->target || self->flags & WATCH_PATH_NAME_ONLY));
        self->stale = self->touched = self->changed = self->lossy = false;
        free(self->told);
        self->told = NULL;
        if (tells)
                self->cb(self->arg, lost ? NULL : self->path);
}

static void on_settled(struct notifier_user *user) {
        settle(container_of(user, struct watch_path, user));
}

static void on_overflow(struct notifier_user *user) {
        struct watch_path *self = container_of(user, struct watch_path, user);

        self->lossy = true;
        make_stale(self);
}

static void on_again(struct notifier_user *user) {
        struct watch_path *self = container_of(user, struct watch_path, user);

        self->stale = true;
        settle(self);
}

static const struct notifier_user_ops user_ops = {
        .overflow = on_overflow,
        .settled = on_settled,
        .again = on_again,
};

int watch_path_new(uv_loop_t *loop, const char *path, unsigned int flags, const char *place,
                   watch_path_cb cb, void *arg, struct watch_path **ret) {
        _cleanup_(watch_path_freep) struct watch_path *self = NULL;
        int r;

        self = calloc(1, sizeof(*self) + strlen(path) + 1);
        if (!self)
                return -ENOMEM;
        self->place = place;
        self->flags = flags;
        self->cb = cb;
        self->arg = arg;
        self->file.cb = on_file;
        list_init(&self->chain);
        strcpy(self->path, path);
        r = notifier_user_init(&self->user, loop, &user_ops);
        if (r < 0)
                return r;
        notifier_user_catch_up(&self->user); /* what was before is for those who were there */
        resolve(self);
        self->changed = false;
        if (!self->target && !(flags & WATCH_PATH_NAME_ONLY))
                log_info("%s: %s is not there yet", place, path);
        *ret = steal_ptr(self);
        return 0;
}

void watch_path_catch_up(struct watch_path *self) {
        notifier_user_catch_up(&self->user);
}

struct watch_path *watch_path_free(struct watch_path *self) {
        if (!self)
                return NULL;
        chain_free(&self->chain);
        drop_target(self);
        notifier_user_deinit(&self->user);
        free(self->target);
        free(self->told);
        free(self);
        return NULL;
}
