/* What watch_path tells of the things that happen to real files, directories and links. */

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/log-recorder.h"
#include "tests/watch-fixture.h"

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

static void odd_paths_lead_to_the_same_file(void) {
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

static void a_directory_tells_which_entry_has_changed(void) {
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

static void a_recursive_watch_tells_of_all_that_is_below(void) {
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

static void a_watch_of_the_name_tells_what_stands_there_alone(void) {
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

static const struct test tests[] = {
        TEST(a_file_that_is_written_is_a_change),
        TEST(a_file_that_is_replaced_stays_watched),
        TEST(a_file_that_comes_and_goes),
        TEST(a_path_that_is_not_there_yet),
        TEST(a_path_that_appears_at_once),
        TEST(directories_on_the_way_are_replaced),
        TEST(a_link_is_swapped),
        TEST(a_link_on_the_way_is_swapped),
        TEST(odd_paths_lead_to_the_same_file),
        TEST(a_directory_tells_which_entry_has_changed),
        TEST(a_directory_that_is_replaced_or_gone),
        TEST(a_recursive_watch_tells_of_all_that_is_below),
        TEST(a_watch_of_the_name_tells_what_stands_there_alone),
        {0},
};

int main(int argc, char **argv) {
        return test_main("watch", tests, argc, argv);
}
