/*
 * Watches under pressure: bursts, lost events, limits, permissions, and names that change at
 * random.
 */

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/log-recorder.h"
#include "tests/watch-fixture.h"

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

static void lost_events_are_told_as_such(void) {
        int n = test_max_queued_events();

        if (n == 0)
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
        ck_assert_str_eq(told[n_told - 1], LOST);
        ck_assert_uint_eq(log_recorder_count(), 1);
        ck_assert(log_recorder_has("fs.inotify.max_queued_events"));
        ck_assert_uint_eq(look(), 0);
        write_file("dir/a/unseen/too/file");
        ck_assert_uint_eq(look(), 1);
        ck_assert_str_eq(told[0], at("dir/a/unseen/too/file"));
        end();
}

static void lost_events_may_be_of_what_is_not_there(void) {
        int n = test_max_queued_events();

        if (n == 0)
                return;
        begin(at("file"), 0);
        for (int i = 0; i <= n; i++) {
                write_file("other");
                drop("other");
        }
        write_file("file");
        drop("file");
        forget();
        for (int i = 0; i < n / 50; i++)
                uv_run(&loop, UV_RUN_NOWAIT);
        ck_assert_uint_eq(n_told, 1);
        ck_assert_str_eq(told[0], LOST);
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
        make_dir("dir/a");
        make_dir("dir/b");
        /* the way, the directory, and two that are in it */
        if (!limit_watches(1 + depth + 1 + 2)) {
                test_skip("there are no user namespaces");
                return;
        }
        begin(at("dir"), WATCH_PATH_RECURSIVE);
        ck_assert_uint_eq(log_recorder_count(), 0);
        make_dir("dir/c");
        make_dir("dir/d");
        ck_assert_uint_eq(look(), 2);
        ck_assert_uint_eq(log_recorder_count(), 1);
        ck_assert(log_recorder_has("fs.inotify.max_user_watches"));
        write_file("dir/b/file");
        ck_assert_uint_eq(look(), 1);
        end();
        begin(at("dir"), WATCH_PATH_RECURSIVE);
        ck_assert_uint_eq(log_recorder_count(), 2);
        write_file("dir/file");
        ck_assert_uint_eq(look(), 1);
        ck_assert_uint_eq(log_recorder_count(), 2);
        end();
}

static void too_few_watches_for_a_path(void) {
        struct watch_path *other;

        write_file("file");
        write_file("other");
        if (!limit_watches(30)) {
                test_skip("there are no user namespaces");
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
        TEST(one_descriptor_for_all_paths_of_a_loop),
        TEST(a_burst_ends_with_its_last_change),
        TEST(lost_events_are_told_as_such),
        TEST(lost_events_may_be_of_what_is_not_there),
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
        return test_main("watch-trouble", tests, argc, argv);
}
