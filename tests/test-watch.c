/*
 * What watch_path tells of the things that happen to real files. The kernel queues the events of a
 * call before the call returns, so a test acts and then looks at what a few turns of the loop tell;
 * nothing waits.
 */

#include "daemon/watch-path.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/watch-tree.h"
#include "tests/log-recorder.h"
#include "tests/support.h"

#define TURNS 6

static uv_loop_t loop;
static struct watch_path *watch;

/* What was told since the last look. */
#define MAX_TOLD 65536
static char *told[MAX_TOLD];
static unsigned int n_told;

static void on_change(void *arg, const char *path) {
        ck_assert_ptr_eq(arg, told);
        ck_assert_uint_lt(n_told, MAX_TOLD);
        told[n_told] = strdup(path);
        ck_assert_ptr_nonnull(told[n_told]);
        n_told++;
}

static void forget(void) {
        while (n_told > 0)
                free(told[--n_told]);
}

static void turn(void) {
        for (int i = 0; i < TURNS; i++)
                uv_run(&loop, UV_RUN_NOWAIT);
}

/* How much is told of all that happened since. */
static unsigned int look(void) {
        forget();
        turn();
        return n_told;
}

static bool was_told(const char *path) {
        for (unsigned int i = 0; i < n_told; i++)
                if (strcmp(told[i], path) == 0)
                        return true;
        return false;
}

static void begin(const char *path, unsigned int flags) {
        ck_assert_int_eq(uv_loop_init(&loop), 0);
        ck_assert_int_eq(watch_path_new(&loop, path, flags, "test:1", on_change, told, &watch), 0);
        ck_assert_uint_eq(look(), 0);
}

static void end(void) {
        watch = watch_path_free(watch);
        ck_assert_int_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
        ck_assert_int_eq(uv_loop_close(&loop), 0);
        forget();
}

#define ok(call) ck_assert_msg((call) >= 0, "%s: %s", #call, strerror(errno))

/* `path` is below the test's directory in all of these. */
static const char *at(const char *path) {
        static char buffers[4][4096];
        static unsigned int next;
        char *buffer = buffers[next++ % 4];

        ck_assert_int_lt(snprintf(buffer, sizeof(*buffers), "%s/%s", test_dir(), path),
                         (int)sizeof(*buffers));
        return buffer;
}

static void make_dir(const char *path) {
        ok(mkdir(at(path), 0755));
}

static void write_file(const char *path) {
        test_write_file(at(path), "content\n");
}

static void read_file(const char *path) {
        char *content = test_read_file(at(path));

        ck_assert_ptr_nonnull(content);
        free(content);
}

static void move(const char *from, const char *to) {
        ok(rename(at(from), at(to)));
}

static void make_link(const char *target, const char *path) {
        ok(symlink(target, at(path)));
}

static void drop(const char *path) {
        ok(remove(at(path)));
}

static void a_file_that_is_written_is_a_change(void) {
        int fd;

        write_file("file");
        begin(at("file"), 0);
        write_file("file");
        ck_assert_uint_eq(look(), 1);
        ck_assert_str_eq(told[0], at("file"));
        read_file("file");
        ck_assert_uint_eq(look(), 0);
        fd = open(at("file"), O_RDWR | O_CLOEXEC);
        ok(fd);
        ok((int)write(fd, "x", 1));
        ck_assert_uint_eq(look(), 0);
        close(fd);
        ck_assert_uint_eq(look(), 1);
        ok(chmod(at("file"), 0600));
        ck_assert_uint_eq(look(), 1);
        write_file("other");
        drop("other");
        ck_assert_uint_eq(look(), 0);
        end();
}

static void a_file_that_is_replaced_stays_watched(void) {
        write_file("file");
        begin(at("file"), 0);
        for (int i = 0; i < 3; i++) {
                write_file("new");
                ck_assert_uint_eq(look(), 0);
                move("new", "file");
                ck_assert_uint_eq(look(), 1);
                write_file("file");
                ck_assert_uint_eq(look(), 1);
        }
        /* as editors do */
        move("file", "file~");
        write_file("file");
        ck_assert_uint_ge(look(), 1);
        write_file("file~");
        ck_assert_uint_eq(look(), 0);
        write_file("file");
        ck_assert_uint_eq(look(), 1);
        end();
}

static void a_file_that_comes_and_goes(void) {
        int fd;

        begin(at("file"), 0);
        for (int i = 0; i < 3; i++) {
                fd = open(at("file"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
                ok(fd);
                ck_assert_uint_eq(look(), 0); /* there is nothing to see yet */
                ok((int)write(fd, "x", 1));
                close(fd);
                ck_assert_uint_eq(look(), 1);
                drop("file");
                ck_assert_uint_eq(look(), 1);
        }
        write_file("file");
        drop("file");
        ck_assert_uint_ge(look(), 1); /* for a moment there was one */
        write_file("other");
        ok(link(at("other"), at("file")));
        ck_assert_uint_eq(look(), 1);
        write_file("other");
        ck_assert_uint_eq(look(), 1); /* the same file by another name */
        end();
}

static void a_path_that_is_not_there_yet(void) {
        begin(at("a/b/c/file"), 0);
        make_dir("a");
        make_dir("a/x");
        ck_assert_uint_eq(look(), 0);
        make_dir("a/b");
        ck_assert_uint_eq(look(), 0);
        make_dir("a/b/c");
        ck_assert_uint_eq(look(), 0);
        write_file("a/b/c/file");
        ck_assert_uint_eq(look(), 1);
        write_file("a/b/c/file");
        ck_assert_uint_eq(look(), 1);
        end();
}

static void a_path_that_appears_at_once(void) {
        begin(at("a/b/c/file"), 0);
        make_dir("a");
        make_dir("a/b");
        make_dir("a/b/c");
        write_file("a/b/c/file");
        ck_assert_uint_ge(look(), 1);
        write_file("a/b/c/file");
        ck_assert_uint_eq(look(), 1);
        drop("a/b/c/file");
        drop("a/b/c");
        drop("a/b");
        drop("a");
        ck_assert_uint_ge(look(), 1);
        make_dir("tree");
        make_dir("tree/b");
        make_dir("tree/b/c");
        write_file("tree/b/c/file");
        ck_assert_uint_eq(look(), 0);
        move("tree", "a");
        ck_assert_uint_eq(look(), 1);
        write_file("a/b/c/file");
        ck_assert_uint_eq(look(), 1);
        end();
}

static void directories_on_the_way_are_replaced(void) {
        make_dir("a");
        make_dir("a/b");
        write_file("a/b/file");
        make_dir("new");
        make_dir("new/b");
        write_file("new/b/file");
        begin(at("a/b/file"), 0);
        move("a", "old");
        move("new", "a");
        ck_assert_uint_eq(look(), 1);
        write_file("old/b/file");
        ck_assert_uint_eq(look(), 0);
        write_file("a/b/file");
        ck_assert_uint_eq(look(), 1);
        move("a", "gone");
        ck_assert_uint_eq(look(), 1);
        write_file("gone/b/file");
        ck_assert_uint_eq(look(), 0);
        make_link("old", "a");
        ck_assert_uint_eq(look(), 1);
        write_file("old/b/file");
        ck_assert_uint_eq(look(), 1);
        end();
}

/* certbot: live/NAME/cert.pem is a link to ../../archive/NAME/certN.pem */
static void a_link_is_swapped(void) {
        make_dir("live");
        make_dir("archive");
        write_file("archive/cert1");
        write_file("archive/cert2");
        make_link("../archive/cert1", "live/cert");
        begin(at("live/cert"), 0);
        write_file("archive/cert2");
        read_file("live/cert");
        ck_assert_uint_eq(look(), 0);
        write_file("archive/cert1");
        ck_assert_uint_eq(look(), 1);
        make_link("../archive/cert2", "live/new");
        ck_assert_uint_eq(look(), 0);
        move("live/new", "live/cert");
        ck_assert_uint_eq(look(), 1);
        write_file("archive/cert1");
        ck_assert_uint_eq(look(), 0);
        write_file("archive/cert2");
        ck_assert_uint_eq(look(), 1);
        drop("live/cert");
        make_link("../archive/cert3", "live/cert");
        ck_assert_uint_ge(look(), 1);
        write_file("archive/cert3");
        ck_assert_uint_eq(look(), 1);
        end();
}

/* As mounted configuration is swapped: file -> data/file, data -> version1 */
static void a_link_on_the_way_is_swapped(void) {
        make_dir("version1");
        make_dir("version2");
        write_file("version1/file");
        write_file("version2/file");
        make_link("version1", "data");
        make_link("data/file", "file");
        begin(at("file"), 0);
        make_link(at("version2"), "new");
        move("new", "data");
        ck_assert_uint_eq(look(), 1);
        write_file("version1/file");
        ck_assert_uint_eq(look(), 0);
        write_file("version2/file");
        ck_assert_uint_eq(look(), 1);
        drop("version2/file");
        ck_assert_uint_eq(look(), 1);
        write_file("version2/file");
        ck_assert_uint_eq(look(), 1);
        end();
}

static void odd_paths(void) {
        static const char *const tails[] = {
                "a/../a/./b//file", "./a/b/file",       "link/b/file",
                "a/b/../b/file",    "loop/../a/b/file",
        };

        make_dir("a");
        make_dir("a/b");
        make_dir("loop");
        make_link(".", "here");
        make_link("here/here/a", "link");
        for (size_t i = 0; i < sizeof(tails) / sizeof(*tails); i++) {
                begin(at(tails[i]), 0);
                write_file("a/b/file");
                ck_assert_uint_eq(look(), 1);
                write_file("a/b/file");
                ck_assert_uint_eq(look(), 1);
                drop("a/b/file");
                ck_assert_uint_eq(look(), 1);
                end();
        }
        /* a cycle of links is nothing, until it is broken */
        make_link("two", "one");
        make_link("one", "two");
        begin(at("one"), 0);
        drop("two");
        write_file("two");
        ck_assert_uint_ge(look(), 1);
        end();
        begin("/", 0);
        end();
        /* a file where a directory should be */
        write_file("plain");
        begin(at("plain/file"), 0);
        write_file("plain");
        ck_assert_uint_eq(look(), 0);
        drop("plain");
        make_dir("plain");
        write_file("plain/file");
        ck_assert_uint_ge(look(), 1);
        end();
        ck_assert_uint_eq(log_recorder_count(), 0);
}

static void entries_of_a_directory(void) {
        int fd;

        make_dir("dir");
        make_dir("dir/sub");
        write_file("dir/old");
        begin(at("dir"), 0);
        fd = open(at("dir/new"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        ok(fd);
        ck_assert_uint_eq(look(), 0);
        close(fd);
        ck_assert_uint_eq(look(), 1);
        ck_assert_str_eq(told[0], at("dir/new"));
        write_file("dir/old");
        ck_assert_uint_eq(look(), 1);
        ck_assert_str_eq(told[0], at("dir/old"));
        move("dir/new", "dir/newer");
        ck_assert_uint_eq(look(), 2);
        ck_assert(was_told(at("dir/new")) && was_told(at("dir/newer")));
        drop("dir/newer");
        ck_assert_uint_eq(look(), 1);
        make_link("nowhere", "dir/link");
        ck_assert_uint_eq(look(), 1);
        make_dir("dir/made");
        ck_assert_uint_eq(look(), 1);
        ck_assert_str_eq(told[0], at("dir/made"));
        ok(chmod(at("dir/old"), 0600));
        ck_assert_uint_eq(look(), 1);
        ok(chmod(at("dir"), 0700));
        ck_assert_uint_eq(look(), 1);
        ck_assert_str_eq(told[0], at("dir"));
        read_file("dir/old");
        write_file("dir/sub/file");
        write_file("dir/made/file");
        ck_assert_uint_eq(look(), 0);
        end();
}

static void a_directory_that_is_replaced_or_gone(void) {
        begin(at("dir"), 0);
        make_dir("dir");
        ck_assert_uint_eq(look(), 1);
        write_file("dir/file");
        ck_assert_uint_eq(look(), 1);
        move("dir", "old");
        ck_assert_uint_eq(look(), 1);
        write_file("old/file");
        ck_assert_uint_eq(look(), 0);
        make_dir("dir");
        write_file("dir/other");
        ck_assert_uint_ge(look(), 1);
        write_file("dir/other");
        ck_assert_uint_eq(look(), 1);
        drop("dir/other");
        drop("dir");
        ck_assert_uint_ge(look(), 1);
        write_file("dir");
        ck_assert_uint_eq(look(), 1); /* a file now */
        drop("dir");
        make_dir("dir");
        ck_assert_uint_ge(look(), 1);
        write_file("dir/file");
        ck_assert_uint_eq(look(), 1);
        make_dir("other");
        make_link("other", "new");
        move("dir", "old2");
        move("new", "dir");
        ck_assert_uint_ge(look(), 1);
        write_file("other/file");
        ck_assert_uint_eq(look(), 1);
        ck_assert_str_eq(told[0], at("dir/file"));
        end();
}

static void all_that_is_below_a_directory(void) {
        make_dir("dir");
        make_dir("dir/a");
        make_dir("dir/a/b");
        make_dir("outside");
        make_link("../outside", "dir/link");
        begin(at("dir"), WATCH_PATH_RECURSIVE);
        write_file("dir/a/b/file");
        ck_assert_uint_eq(look(), 1);
        ck_assert_str_eq(told[0], at("dir/a/b/file"));
        write_file("outside/file");
        ck_assert_uint_eq(look(), 0);

        /* new ones, all at once and then one by one */
        make_dir("dir/x");
        make_dir("dir/x/y");
        make_dir("dir/x/y/z");
        write_file("dir/x/y/z/file");
        look();
        ck_assert(was_told(at("dir/x")) && was_told(at("dir/x/y/z/file")));
        write_file("dir/x/y/z/file");
        ck_assert_uint_eq(look(), 1);
        make_dir("dir/x/y/z/deep");
        look();
        write_file("dir/x/y/z/deep/file");
        ck_assert_uint_eq(look(), 1);
        ck_assert_str_eq(told[0], at("dir/x/y/z/deep/file"));

        /* renamed inside */
        move("dir/x", "dir/a/x2");
        look();
        ck_assert(was_told(at("dir/x")) && was_told(at("dir/a/x2")));
        write_file("dir/a/x2/y/z/file");
        ck_assert_uint_eq(look(), 1);
        ck_assert_str_eq(told[0], at("dir/a/x2/y/z/file"));

        /* out, and in again */
        move("dir/a/x2", "moved");
        ck_assert_uint_ge(look(), 1);
        write_file("moved/y/z/file");
        make_dir("moved/y/z/new");
        ck_assert_uint_eq(look(), 0);
        move("moved", "dir/back");
        look();
        ck_assert(was_told(at("dir/back/y/z/new")));
        write_file("dir/back/y/z/new/file");
        ck_assert_uint_eq(look(), 1);

        /* two that change places */
        ok(renameat2(AT_FDCWD, at("dir/back"), AT_FDCWD, at("dir/a"), RENAME_EXCHANGE));
        look();
        write_file("dir/a/y/z/file");
        ck_assert_uint_eq(look(), 1);
        ck_assert_str_eq(told[0], at("dir/a/y/z/file"));
        write_file("dir/back/b/file");
        ck_assert_uint_eq(look(), 1);
        ck_assert_str_eq(told[0], at("dir/back/b/file"));

        /* removed, and made again under the same name */
        drop("dir/back/b/file");
        drop("dir/back/b");
        make_dir("dir/back/b");
        write_file("dir/back/b/file");
        look();
        ck_assert(was_told(at("dir/back/b/file")));
        write_file("dir/back/b/file");
        ck_assert_uint_eq(look(), 1);
        end();
}

static void only_what_stands_there(void) {
        write_file("file");
        begin(at("file"), WATCH_PATH_NAME_ONLY);
        write_file("file");
        ok(chmod(at("file"), 0600));
        ck_assert_uint_eq(look(), 0);
        drop("file");
        ck_assert_uint_eq(look(), 1);
        ok(mkfifo(at("file"), 0600));
        ck_assert_uint_eq(look(), 1);
        end();
        begin(at("dir/file"), WATCH_PATH_NAME_ONLY);
        make_dir("dir");
        ck_assert_uint_eq(look(), 1); /* now it could be made */
        end();
}

static void one_descriptor_for_all_paths_of_a_loop(void) {
        enum { N = 300 };
        struct watch_path *all[N];
        char name[32];
        int before;

        begin(at("first"), 0);
        before = test_n_fds();
        for (int i = 0; i < N; i++) {
                snprintf(name, sizeof(name), "file%d", i / 2);
                ck_assert_int_eq(
                        watch_path_new(&loop, at(name), 0, "test:1", on_change, told, &all[i]), 0);
        }
        ck_assert_int_eq(test_n_fds(), before);
        write_file("file7");
        ck_assert_uint_eq(look(), 2);
        all[15] = watch_path_free(all[15]);
        write_file("file7");
        ck_assert_uint_eq(look(), 1);
        for (int i = 0; i < N; i++)
                watch_path_free(all[i]);
        write_file("file7");
        ck_assert_uint_eq(look(), 0);
        write_file("first");
        ck_assert_uint_eq(look(), 1);
        end();
}

#define N_BURST 1000

static atomic_bool burst_done;

static void *make_many(void *arg) {
        char name[4096];

        (void)arg;
        for (int i = 0; i < N_BURST; i++) {
                snprintf(name, sizeof(name), "%s/dir/file%d", test_dir(), i);
                test_write_file(name, "content");
        }
        /* release: whoever sees it has all events of the files before him */
        atomic_store_explicit(&burst_done, true, memory_order_release);
        return NULL;
}

static void a_burst_ends_with_its_last_change(void) {
        pthread_t thread;
        char name[32];
        bool done;

        make_dir("dir");
        begin(at("dir"), 0);
        ck_assert_int_eq(pthread_create(&thread, NULL, make_many, NULL), 0);
        do {
                done = atomic_load_explicit(&burst_done, memory_order_acquire);
                uv_run(&loop, UV_RUN_NOWAIT);
                if (!done)
                        sched_yield();
        } while (!done);
        ck_assert_int_eq(pthread_join(thread, NULL), 0);
        while (n_told < N_BURST) {
                unsigned int before = n_told;

                turn();
                if (n_told == before)
                        break;
        }
        ck_assert_uint_ge(n_told, 1);
        snprintf(name, sizeof(name), "dir/file%d", N_BURST - 1);
        ck_assert_str_eq(told[n_told - 1], at(name));
        for (int i = 0; i < N_BURST; i += 97) {
                snprintf(name, sizeof(name), "dir/file%d", i);
                ck_assert(was_told(at(name)));
        }
        end();
}

static int max_queued_events(void) {
        char *text = test_read_file("/proc/sys/fs/inotify/max_queued_events");
        int n = text ? atoi(text) : 0;

        free(text);
        return n;
}

static void lost_events_are_a_change(void) {
        int n = max_queued_events();

        ck_assert_int_gt(n, 0);
        if (n > 100000)
                return;
        make_dir("dir");
        make_dir("dir/a");
        begin(at("dir"), WATCH_PATH_RECURSIVE);
        /* alternately, because the kernel keeps one of two equal events in a row */
        for (int i = 0; i < n; i++)
                ok(chmod(at("dir"), i % 2 ? 0700 : 0750));
        for (int i = 0; i < n; i++)
                ok(chmod(at(i % 2 ? "dir" : "dir/a"), 0700));
        make_dir("dir/a/unseen");
        make_dir("dir/a/unseen/too");
        forget();
        for (int i = 0; i < n / 50; i++)
                uv_run(&loop, UV_RUN_NOWAIT);
        ck_assert_uint_ge(n_told, 1);
        ck_assert_uint_eq(look(), 0);
        write_file("dir/a/unseen/too/file");
        ck_assert_uint_eq(look(), 1);
        ck_assert_str_eq(told[0], at("dir/a/unseen/too/file"));
        end();
}

/* Somebody else, whom permissions concern. */
static void become_nobody(void) {
        if (geteuid() != 0)
                return;
        ok(chown(test_dir(), 65534, 65534));
        ok(setegid(65534));
        ok(seteuid(65534));
}

static void become_oneself(void) {
        ok(seteuid(getuid()));
        ok(setegid(getgid()));
}

static void a_directory_that_one_may_only_pass_through(void) {
        become_nobody();
        make_dir("dir");
        write_file("dir/file");
        write_file("dir/new");
        ok(chmod(at("dir"), 0311));
        begin(at("dir/file"), 0);
        ck_assert_uint_eq(log_recorder_count(), 1);
        ck_assert(log_recorder_has("Permission denied"));
        write_file("dir/file");
        ck_assert_uint_eq(look(), 1);
        move("dir/new", "dir/file");
        ck_assert_uint_ge(look(), 1);
        write_file("dir/file");
        ck_assert_uint_eq(look(), 1);
        ck_assert_uint_eq(log_recorder_count(), 1);
        ok(chmod(at("dir"), 0755));
        ck_assert_uint_ge(look(), 1); /* who knows what happened there */
        drop("dir/file");
        ck_assert_uint_eq(look(), 1);
        end();
        become_oneself();
}

static void a_directory_that_one_may_not_enter(void) {
        become_nobody();
        make_dir("dir");
        ok(chmod(at("dir"), 0000));
        begin(at("dir/file"), 0);
        ck_assert_uint_eq(log_recorder_count(), 1);
        ok(chmod(at("dir"), 0755));
        look();
        write_file("dir/file");
        ck_assert_uint_eq(look(), 1);
        end();
        become_oneself();
}

/* Limits of a user namespace of our own. False: the system does not let us have one. */
static bool limit_watches(int n) {
        FILE *file;

        if (unshare(CLONE_NEWUSER) < 0)
                return false;
        file = fopen("/proc/sys/user/max_inotify_watches", "we");
        if (!file)
                return false;
        ck_assert_int_gt(fprintf(file, "%d\n", n), 0);
        return fclose(file) == 0;
}

static void too_few_watches_for_a_tree(void) {
        int depth = 0;

        for (const char *c = test_dir(); *c; c++)
                depth += *c == '/';
        make_dir("dir");
        for (char name[] = "dir/a"; name[4] <= 'f'; name[4]++)
                make_dir(name);
        /* the way, the directory, and two that are in it */
        if (!limit_watches(1 + depth + 1 + 2)) {
                fprintf(stderr, "%s: skipped, no user namespace\n", __func__);
                return;
        }
        begin(at("dir"), WATCH_PATH_RECURSIVE);
        ck_assert_uint_eq(log_recorder_count(), 1);
        ck_assert(log_recorder_has("fs.inotify.max_user_watches"));
        write_file("dir/file");
        ck_assert_uint_eq(look(), 1);
        ck_assert_uint_eq(log_recorder_count(), 1);
        end();
}

static void too_few_watches_for_a_path(void) {
        struct watch_path *other;

        write_file("file");
        write_file("other");
        if (!limit_watches(30)) {
                fprintf(stderr, "%s: skipped, no user namespace\n", __func__);
                return;
        }
        /* the first takes all, the second gets what becomes free */
        begin(at("file"), 0);
        for (int i = 0; log_recorder_count() == 0; i++) {
                char name[32];

                ck_assert_int_lt(i, 40);
                snprintf(name, sizeof(name), "dir%d", i);
                make_dir(name);
                end();
                begin(test_dir(), WATCH_PATH_RECURSIVE);
        }
        log_recorder_clear();
        ck_assert_int_eq(watch_path_new(&loop, at("other"), 0, "test:2", on_change, told, &other),
                         0);
        ck_assert_uint_eq(log_recorder_count(), 1);
        ck_assert(log_recorder_has("test:2"));
        watch = watch_path_free(watch);
        forget();
        while (n_told == 0)
                uv_run(&loop, UV_RUN_ONCE);
        ck_assert_str_eq(told[0], at("other")); /* nobody has seen what happened meanwhile */
        write_file("other");
        ck_assert_uint_eq(look(), 1);
        watch_path_free(other);
        end();
}

/* Where no event can tell, the watch looks again by itself. */
static void what_comes_unseen_is_found(void) {
        become_nobody();
        make_dir("dir");
        ok(chmod(at("dir"), 0311));
        begin(at("dir/file"), 0);
        write_file("dir/file");
        ck_assert_uint_eq(look(), 0);
        while (n_told == 0)
                uv_run(&loop, UV_RUN_ONCE);
        write_file("dir/file");
        ck_assert_uint_eq(look(), 1);
        end();
        ok(chmod(at("dir"), 0755));
        become_oneself();
}

/* Names that come, go and change places at random: afterwards the watch still stands, and it told
 * if there is something else now than there was before. */

static unsigned int seed;

static unsigned int any(unsigned int n) {
        seed = seed * 1103515245 + 12345;
        return (seed >> 16) % n;
}

static const char *any_path(void) {
        static const char *const names[] = {"a", "b", "c"};
        static char buffers[2][64];
        static unsigned int next;
        char *path = buffers[next++ % 2];
        unsigned int depth = 1 + any(3);

        path[0] = '\0';
        for (unsigned int i = 0; i < depth; i++) {
                strcat(path, i ? "/" : "");
                strcat(path, names[any(3)]);
        }
        return path;
}

static void act(void) {
        static const char *const targets[] = {"a", "b", "c", "../a", "../b", "a/b", "../c/a"};
        const char *path = any_path(), *other = any_path();
        int fd;

        /* most of it fails, and that is all right */
        switch (any(8)) {
        case 0:
        case 1:
                (void)mkdir(at(path), 0755);
                break;
        case 2:
                fd = open(at(path), O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600);
                if (fd >= 0) {
                        (void)!write(fd, "x", 1);
                        close(fd);
                }
                break;
        case 3:
                (void)remove(at(path));
                break;
        case 4:
        case 5:
                (void)rename(at(path), at(other));
                break;
        case 6:
                (void)renameat2(AT_FDCWD, at(path), AT_FDCWD, at(other), RENAME_EXCHANGE);
                break;
        default:
                (void)!symlink(targets[any(sizeof(targets) / sizeof(*targets))], at(path));
        }
}

/* Writes to a file, or to a new one in each directory, and expects to be told. */
static void probe(const char *path, const char *name, bool recursive, unsigned int round) {
        char below[4096];
        struct stat st;

        if (stat(path, &st) < 0)
                return;
        if (S_ISREG(st.st_mode)) {
                test_write_file(path, "probe");
                look();
                ck_assert_msg(was_told(name), "round %u, %s", round, name);
                return;
        }
        snprintf(below, sizeof(below), "%s/probe", path);
        test_write_file(below, "probe");
        look();
        ck_assert_msg(was_told(below), "round %u, %s", round, below);
        ok(unlink(below));
        look();
        ck_assert_msg(was_told(below), "round %u, %s", round, below);
        for (const char *c = "abc"; recursive && *c; c++) {
                snprintf(below, sizeof(below), "%s/%c", path, *c);
                if (lstat(below, &st) == 0 && S_ISDIR(st.st_mode))
                        probe(below, below, true, round);
        }
}

static void survive_disorder(const char *path, unsigned int flags, unsigned int n_rounds) {
        struct stat before, after;
        char name[4096];

        strcpy(name, path);
        if (stat(name, &before) < 0)
                memset(&before, 0, sizeof(before));
        begin(name, flags);
        for (unsigned int round = 0; round < n_rounds; round++) {
                unsigned int n = 1 + any(4);

                forget();
                for (unsigned int i = 0; i < n; i++) {
                        act();
                        if (any(2))
                                uv_run(&loop, UV_RUN_NOWAIT);
                }
                turn();
                if (stat(name, &after) < 0)
                        memset(&after, 0, sizeof(after));
                ck_assert_msg(n_told > 0 || (before.st_ino == after.st_ino &&
                                             before.st_dev == after.st_dev),
                              "round %u: nothing told", round);
                probe(name, name, flags & WATCH_PATH_RECURSIVE, round);
                before = after;
        }
        end();
        ck_assert_uint_eq(log_recorder_count(), 0);
}

#define N_ROUNDS 400

static void files_survive_disorder(void) {
        seed = 1;
        survive_disorder(at("a/b/c"), 0, N_ROUNDS);
        seed = 2;
        survive_disorder(at("b"), 0, N_ROUNDS);
}

static void trees_survive_disorder(void) {
        make_dir("t");
        seed = 3;
        survive_disorder(at("a"), WATCH_PATH_RECURSIVE, N_ROUNDS);
        seed = 4;
        survive_disorder(at("a/b"), WATCH_PATH_RECURSIVE, N_ROUNDS);
}

static const struct test tests[] = {
        TEST(a_file_that_is_written_is_a_change),
        TEST(a_file_that_is_replaced_stays_watched),
        TEST(a_file_that_comes_and_goes),
        TEST(a_path_that_is_not_there_yet),
        TEST(a_path_that_appears_at_once),
        TEST(directories_on_the_way_are_replaced),
        TEST(a_link_is_swapped),
        TEST(a_link_on_the_way_is_swapped),
        TEST(odd_paths),
        TEST(entries_of_a_directory),
        TEST(a_directory_that_is_replaced_or_gone),
        TEST(all_that_is_below_a_directory),
        TEST(only_what_stands_there),
        TEST(one_descriptor_for_all_paths_of_a_loop),
        TEST(a_burst_ends_with_its_last_change),
        TEST(lost_events_are_a_change),
        TEST(a_directory_that_one_may_only_pass_through),
        TEST(a_directory_that_one_may_not_enter),
        TEST(too_few_watches_for_a_tree),
        TEST(too_few_watches_for_a_path),
        TEST(what_comes_unseen_is_found),
        TEST(files_survive_disorder),
        TEST(trees_survive_disorder),
        {0},
};

int main(int argc, char **argv) {
        return test_main("watch", tests, argc, argv);
}
