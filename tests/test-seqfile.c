#include "tests/support.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/seqfile.h"

static struct seqfile *open_with_loss(const char *path, int loss) {
        struct seqfile *seqfile;
        int error;

        ck_assert_int_eq(seqfile_open(path, &error, &seqfile), loss);
        ck_assert_msg(error == 0, "%s", strerror(-error));
        return seqfile;
}

static struct seqfile *open_file(const char *path) {
        return open_with_loss(path, 0);
}

static void numbers_go_on_after_a_restart(void) {
        const char *path = test_path("seq");
        struct seqfile *seqfile = open_file(path);
        struct seqfile_entry entry;
        char name[32];

        /* More than the first room, so that the file grows under way. */
        for (uint64_t i = 0; i < 3000; i++) {
                snprintf(name, sizeof(name), "handle-%llu", (unsigned long long)i);
                ck_assert_uint_eq(seqfile_enter(seqfile, name, &entry), 0);
                ck_assert_uint_ne(entry.index, 0);
                seqfile_note(seqfile, entry, i + 1);
        }
        seqfile_close(seqfile);
        seqfile = open_file(path);
        for (uint64_t i = 0; i < 3000; i++) {
                snprintf(name, sizeof(name), "handle-%llu", (unsigned long long)i);
                ck_assert_uint_eq(seqfile_enter(seqfile, name, &entry), i + 1);
        }
        seqfile_close(seqfile);
}

static void numbers_go_on_after_kill(void) {
        const char *path = test_path("seq");
        struct seqfile *seqfile;
        struct seqfile_entry entry;
        pid_t pid = fork();

        if (pid == 0) {
                seqfile = open_file(path);
                seqfile_enter(seqfile, "a", &entry);
                for (uint64_t seq = 1; seq <= 77; seq++)
                        seqfile_note(seqfile, entry, seq);
                raise(SIGKILL);
        }
        ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
        seqfile = open_file(path);
        ck_assert_uint_eq(seqfile_enter(seqfile, "a", &entry), 77);
        ck_assert_uint_eq(seqfile_enter(seqfile, "b", &entry), 0);
        seqfile_close(seqfile);
}

/* The boot id stands behind four numbers of eight bytes: another one looks like a crash of the
 * machine. */
static void numbers_jump_after_a_crash_of_the_machine(void) {
        const char *path = test_path("seq");
        struct seqfile *seqfile = open_file(path);
        struct seqfile_entry entry;
        int fd;

        seqfile_enter(seqfile, "a", &entry);
        seqfile_note(seqfile, entry, 5);
        fd = open(path, O_RDWR | O_CLOEXEC);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(pwrite(fd, "another", 7, 32), 7);
        close(fd);
        /* Not closed in order: a second one reads what stands there now. */
        {
                struct seqfile *second = open_file(path);

                ck_assert_uint_gt(seqfile_enter(second, "a", &entry), 1000000);
                seqfile_close(second);
        }
        seqfile_close(seqfile);
}

static void a_damaged_file_is_set_aside_and_nothing_is_used_twice(void) {
        const char *path = test_path("seq");
        struct seqfile_entry entry;
        struct seqfile *seqfile;
        char *aside;

        test_write_file(path, "this is no file of numbers");
        seqfile = open_with_loss(path, SEQFILE_WAS_DAMAGED);
        ck_assert_uint_gt(seqfile_enter(seqfile, "a", &entry), 1000000000000ULL);
        seqfile_close(seqfile);
        aside = test_read_file(test_path("seq.bad"));
        ck_assert_str_eq(aside, "this is no file of numbers");
        free(aside);
}

static void works_without_a_file(void) {
        struct seqfile *seqfile;
        struct seqfile_entry entry, again;
        int error;

        ck_assert_int_eq(seqfile_open(test_path("no/such/dir/seq"), &error, &seqfile), 0);
        ck_assert_int_eq(error, -ENOENT);
        ck_assert_uint_gt(seqfile_enter(seqfile, "a", &entry), 1000000000000ULL);
        seqfile_note(seqfile, entry, UINT64_MAX - 1);
        ck_assert_uint_eq(seqfile_enter(seqfile, "a", &again), UINT64_MAX - 1);
        seqfile_close(seqfile);
}

static bool limit_files(rlim_t n_bytes) {
        struct rlimit limit = {.rlim_cur = n_bytes, .rlim_max = n_bytes};

        signal(SIGXFSZ, SIG_IGN);
        return setrlimit(RLIMIT_FSIZE, &limit) == 0;
}

/* In a process of its own, because the limit holds for the test runner's files, too. Returns how
 * many names found no room; the last of them used the number *ret_last. */
static uint64_t fill_disk(const char *path, uint64_t *ret_last) {
        struct seqfile_entry entry;
        struct seqfile *seqfile;
        uint64_t n_without = 0;
        char name[32];
        int error;

        if (!limit_files(4096) || seqfile_open(path, &error, &seqfile) < 0 || error < 0)
                return 0;
        for (uint64_t i = 0; i < 1000; i++) {
                uint64_t seq;

                snprintf(name, sizeof(name), "handle-%llu", (unsigned long long)i);
                seq = seqfile_enter(seqfile, name, &entry);
                if (entry.index)
                        continue;
                n_without++;
                if (seq < *ret_last)
                        return 0;
                *ret_last = seq + 10;
                seqfile_note(seqfile, entry, *ret_last);
        }
        seqfile_close(seqfile);
        return n_without;
}

/* With no room for the least file. Returns the error. */
static uint64_t begin_on_full_disk(const char *path, uint64_t *ret_last) {
        struct seqfile_entry entry;
        struct seqfile *seqfile;
        int error;

        if (!limit_files(1000) || seqfile_open(path, &error, &seqfile) < 0)
                return 0;
        *ret_last = seqfile_enter(seqfile, "a", &entry) + 10;
        seqfile_note(seqfile, entry, *ret_last);
        seqfile_close(seqfile);
        return (uint64_t)-error;
}

/* What a child told. */
struct told {
        uint64_t n, last;
};

static struct told ask_child(uint64_t (*fn)(const char *path, uint64_t *ret_last),
                             const char *path) {
        struct told told = {0};
        int status, fds[2];
        pid_t pid;

        ck_assert_int_eq(pipe(fds), 0);
        pid = fork();
        if (pid == 0) {
                told.n = fn(path, &told.last);
                _exit(write(fds[1], &told, sizeof(told)) == sizeof(told) ? 0 : 1);
        }
        ck_assert_int_eq(read(fds[0], &told, sizeof(told)), sizeof(told));
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        close(fds[0]);
        close(fds[1]);
        return told;
}

static void a_full_disk_is_no_crash(void) {
        const char *path = test_path("seq");
        struct seqfile_entry entry;
        struct seqfile *seqfile;
        struct told told;

        told = ask_child(fill_disk, path);
        ck_assert_uint_gt(told.n, 500);
        seqfile = open_file(path);
        ck_assert_uint_ge(seqfile_enter(seqfile, "handle-999", &entry), told.last);
        seqfile_close(seqfile);
}

static void a_disk_that_was_full_takes_no_number_back(void) {
        const char *path = test_path("seq");
        struct seqfile_entry entry;
        struct seqfile *seqfile;
        struct told told;
        uint64_t last;

        told = ask_child(begin_on_full_disk, path);
        ck_assert_uint_eq(told.n, EFBIG);
        ck_assert_uint_gt(told.last, 1000000000000ULL);
        told = ask_child(begin_on_full_disk, path);
        ck_assert_uint_eq(told.n, EFBIG);
        seqfile = open_with_loss(path, SEQFILE_WAS_EMPTY);
        last = seqfile_enter(seqfile, "a", &entry);
        ck_assert_uint_ge(last, told.last);
        seqfile_note(seqfile, entry, last + 1);
        seqfile_close(seqfile);
        seqfile = open_file(path);
        ck_assert_uint_eq(seqfile_enter(seqfile, "a", &entry), last + 1);
        seqfile_close(seqfile);
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(numbers_go_on_after_a_restart),
                TEST(numbers_go_on_after_kill),
                TEST(numbers_jump_after_a_crash_of_the_machine),
                TEST(a_damaged_file_is_set_aside_and_nothing_is_used_twice),
                TEST(works_without_a_file),
                TEST(a_full_disk_is_no_crash),
                TEST(a_disk_that_was_full_takes_no_number_back),
                {0},
        };

        return test_main("seqfile", tests, argc, argv);
}
