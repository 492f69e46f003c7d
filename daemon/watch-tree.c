/*
 * Directories in a tree of nodes, each with its watch.
 *
 * The kernel tells what happens in a directory from the moment on when it is watched, so whatever
 * appears is first watched and then looked through, and all that is found is told: it may have come
 * before the watch. Told twice is harmless, never told is not.
 *
 * A watch stays on its inode when that is renamed. So when a directory leaves its name, its nodes
 * go with all their watches, and the name is looked at again: by the time we read of it, another
 * directory may be there. The same that comes back elsewhere is a new one to us.
 */

#include "daemon/watch-tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "daemon/limits.h"
#include "daemon/notifier.h"
#include "lib/cleanup.h"
#include "lib/list.h"

#define CHANGES (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_CLOSE_WRITE | IN_ATTRIB)

struct node {
        struct notifier_watch watch;
        struct watch_tree *tree;
        struct node *parent; /* NULL: the root */
        struct list sibling, children;
        struct list unread;
        char name[]; /* of the entry; of the root, its path */
};

struct watch_tree {
        struct notifier_user *user;
        struct node *root;
        bool recursive;
        unsigned int n_nodes;
        struct list unread; /* those that were not looked through yet */
        struct list doomed; /* those that are being freed */
        int error;
        watch_tree_changed_cb changed;
        watch_tree_lost_cb lost;
        void *arg;
};

DEFINE_CLEANUP(struct watch_tree *, watch_tree_free)

static void close_dirp(DIR **dir) {
        if (*dir)
                closedir(*dir);
}

/* What stands for a node and a name in it: the names from `top` (left out) down, or all of them. */
static char *join(const struct node *node, const struct node *top, const char *name) {
        size_t n = strlen(name), size = n + 1;
        char *path, *p;

        for (const struct node *it = node; it != top; it = it->parent)
                size += strlen(it->name) + 1;
        path = malloc(size);
        if (!path)
                return NULL;
        p = path + size - 1 - n;
        memcpy(p, name, n + 1);
        for (const struct node *it = node; it != top; it = it->parent) {
                n = strlen(it->name);
                *--p = '/';
                p -= n;
                memcpy(p, it->name, n);
        }
        return path;
}

static void report(struct watch_tree *tree, const struct node *node, const char *name,
                   bool by_event) {
        _cleanup_free_ char *path = join(node, tree->root, name);
        size_t n = path ? strlen(path) : 0;

        if (n > 0 && path[n - 1] == '/')
                path[n - 1] = '\0';
        tree->changed(tree->arg, path ?: "", by_event && path);
}

bool watch_is_unwritten(const char *path) {
        struct stat st;

        return lstat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 0 && st.st_nlink == 1;
}

/* Children are moved up before their parent goes, so that a deep tree needs no deep stack. */
static void node_free(struct node *node) {
        struct list *doomed = &node->tree->doomed, *link;

        list_remove(&node->sibling);
        list_append(doomed, &node->sibling);
        while ((link = list_first(doomed))) {
                struct node *it = container_of(link, struct node, sibling);

                list_splice(doomed, &it->children);
                list_remove(&it->sibling);
                list_remove(&it->unread);
                notifier_watch_remove(&it->watch);
                it->tree->n_nodes--;
                free(it);
        }
}

static void on_event(struct notifier_watch *watch, uint32_t events, const char *name);

static int node_new(struct watch_tree *tree, struct node *parent, const char *name,
                    struct node **ret) {
        _cleanup_free_ struct node *node = NULL;
        _cleanup_free_ char *path = NULL;
        int r;

        if (tree->n_nodes >= LIMIT_WATCHED_DIRS)
                return -E2BIG;
        path = parent ? join(parent, NULL, name) : strdup(*name ? name : "/");
        node = calloc(1, sizeof(*node) + strlen(name) + 1);
        if (!node || !path)
                return -ENOMEM;
        node->watch.cb = on_event;
        node->tree = tree;
        node->parent = parent;
        list_init(&node->sibling);
        list_init(&node->children);
        list_init(&node->unread);
        strcpy(node->name, name);
        r = notifier_watch_add(&node->watch, tree->user, path,
                               CHANGES | IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK);
        if (r < 0)
                return r;
        if (parent)
                list_append(&parent->children, &node->sibling);
        tree->n_nodes++;
        *ret = steal_ptr(node);
        return 0;
}

/* What was there a moment ago, and is not or is none any more, is no failure. */
static void note_error(struct watch_tree *tree, int r) {
        if (r != -ENOENT && r != -ENOTDIR && r != -ELOOP)
                tree->error = r;
}

static bool is_directory(DIR *dir, const struct dirent *entry) {
        struct stat st;

        if (entry->d_type != DT_UNKNOWN)
                return entry->d_type == DT_DIR;
        return fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
               S_ISDIR(st.st_mode);
}

/* Looks through a directory that is watched; directories that it finds are watched, and have yet to
 * be read. */
static int read_directory(struct node *node, bool tell) {
        _cleanup_(close_dirp) DIR *dir = NULL;
        _cleanup_close_ int fd = -1;
        _cleanup_free_ char *path = join(node, NULL, "");
        const struct dirent *entry;
        struct node *child;
        int r;

        if (!path)
                return -ENOMEM;
        /* A slash at the end would follow a symbolic link. */
        if (strlen(path) > 1)
                path[strlen(path) - 1] = '\0';
        fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        dir = fdopendir(fd);
        if (!dir)
                return -errno;
        (void)steal_fd(&fd);
        while ((entry = readdir(dir))) {
                if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
                        continue;
                if (tell)
                        report(node->tree, node, entry->d_name, false);
                if (!node->tree->recursive || !is_directory(dir, entry))
                        continue;
                r = node_new(node->tree, node, entry->d_name, &child);
                if (r < 0)
                        note_error(node->tree, r);
                else
                        list_append(&node->tree->unread, &child->unread);
        }
        return 0;
}

static void read_all(struct watch_tree *tree, struct node *first, bool tell) {
        struct list *link;
        int r;

        list_append(&tree->unread, &first->unread);
        while ((link = list_first(&tree->unread))) {
                list_remove(link);
                r = read_directory(container_of(link, struct node, unread), tell);
                if (r < 0)
                        note_error(tree, r);
        }
}

static struct node *find_child(struct node *node, const char *name) {
        list_for_each (link, &node->children) {
                struct node *child = container_of(link, struct node, sibling);

                if (strcmp(child->name, name) == 0)
                        return child;
        }
        return NULL;
}

/* A directory came to this name, or left it. */
static void look_again(struct node *node, const char *name) {
        struct node *child = find_child(node, name);
        int r;

        if (child)
                node_free(child);
        r = node_new(node->tree, node, name, &child);
        if (r < 0)
                note_error(node->tree, r);
        else
                read_all(node->tree, child, true);
}

static bool is_unwritten(struct node *node, const char *name) {
        _cleanup_free_ char *path = join(node, NULL, name);

        return path && watch_is_unwritten(path);
}

static void on_event(struct notifier_watch *watch, uint32_t events, const char *name) {
        struct node *node = container_of(watch, struct node, watch);
        struct watch_tree *tree = node->tree;
        bool looks;

        if (events & IN_IGNORED) {
                if (node == tree->root)
                        tree->lost(tree->arg);
                else
                        node_free(node);
                return;
        }
        if (name && (events & IN_CREATE) && !(events & IN_ISDIR) && is_unwritten(node, name))
                return;
        looks = tree->recursive && name && (events & IN_ISDIR) &&
                (events & (IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE));
        if (looks)
                look_again(node, name);
        /* Told last: what left a directory before it was watched is covered by that. */
        report(tree, node, name ?: "", !looks);
}

int watch_tree_new(struct notifier_user *user, const char *path, bool recursive,
                   watch_tree_changed_cb changed, watch_tree_lost_cb lost, void *arg,
                   struct watch_tree **ret) {
        _cleanup_(watch_tree_freep) struct watch_tree *tree = calloc(1, sizeof(*tree));
        int r;

        if (!tree)
                return -ENOMEM;
        tree->user = user;
        tree->recursive = recursive;
        tree->changed = changed;
        tree->lost = lost;
        tree->arg = arg;
        list_init(&tree->unread);
        list_init(&tree->doomed);
        /* "/" is the one path that a slash ends: as a prefix of others it is nothing */
        r = node_new(tree, NULL, strcmp(path, "/") == 0 ? "" : path, &tree->root);
        if (r < 0)
                return r;
        if (recursive)
                read_all(tree, tree->root, false);
        *ret = steal_ptr(tree);
        return 0;
}

struct watch_tree *watch_tree_free(struct watch_tree *tree) {
        if (!tree)
                return NULL;
        if (tree->root)
                node_free(tree->root);
        free(tree);
        return NULL;
}

bool watch_tree_is_on(const struct watch_tree *tree) {
        return notifier_watch_is_on(&tree->root->watch);
}

int watch_tree_error(const struct watch_tree *tree) {
        return tree->error;
}
