/* Each path that is told is kept until the next look. */

#include "tests/watch-fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define TURNS 6

uv_loop_t loop;
struct watch_path *watch;

char *told[MAX_TOLD];
unsigned int n_told;

void on_change(void *arg, const char *path) {
        ck_assert_ptr_eq(arg, told);
        ck_assert_uint_lt(n_told, MAX_TOLD);
        told[n_told] = strdup(path ?: LOST);
        ck_assert_ptr_nonnull(told[n_told]);
        n_told++;
}

void forget(void) {
        while (n_told > 0)
                free(told[--n_told]);
}

void turn(void) {
        for (int i = 0; i < TURNS; i++)
                uv_run(&loop, UV_RUN_NOWAIT);
}

unsigned int look(void) {
        forget();
        turn();
        return n_told;
}

bool was_told(const char *path) {
        for (unsigned int i = 0; i < n_told; i++)
                if (strcmp(told[i], path) == 0)
                        return true;
        return false;
}

void begin(const char *path, unsigned int flags) {
        ck_assert_int_eq(uv_loop_init(&loop), 0);
        ck_assert_int_eq(watch_path_new(&loop, path, flags, "test:1", on_change, told, &watch), 0);
        ck_assert_uint_eq(look(), 0);
}

void end(void) {
        watch = watch_path_free(watch);
        ck_assert_int_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
        ck_assert_int_eq(uv_loop_close(&loop), 0);
        forget();
}

const char *at(const char *path) {
        static char buffers[4][4096];
        static unsigned int next;
        char *buffer = buffers[next++ % 4];

        ck_assert_int_lt(snprintf(buffer, sizeof(*buffers), "%s/%s", test_dir(), path),
                         (int)sizeof(*buffers));
        return buffer;
}

void make_dir(const char *path) {
        ok(mkdir(at(path), 0755));
}

void write_file(const char *path) {
        test_write_file(at(path), "content\n");
}

void read_file(const char *path) {
        char *content = test_read_file(at(path));

        ck_assert_ptr_nonnull(content);
        free(content);
}

void move(const char *from, const char *to) {
        ok(rename(at(from), at(to)));
}

void make_link(const char *target, const char *path) {
        ok(symlink(target, at(path)));
}

void drop(const char *path) {
        ok(remove(at(path)));
}
