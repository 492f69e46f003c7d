#include "tests/run-notes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support.h"

struct line line_of(const struct roused *roused, const char *handle, unsigned int i) {
        char *text = roused_expect_lines(roused, handle, i + 1), *p = text;
        struct line line;

        for (unsigned int k = 0; k < i; k++)
                p = strchr(p, '\n') + 1;
        ck_assert_int_eq(sscanf(p, "%llu %llu %lf", &line.seq, &line.n_sends, &line.time_s), 3);
        free(text);
        return line;
}

int open_gate(const struct roused *roused) {
        char path[4096];
        int fd;

        snprintf(path, sizeof(path), "%s/gate", roused->dir);
        ck_assert(mkfifo(path, 0600) == 0 || errno == EEXIST);
        fd = open(path, O_RDWR | O_CLOEXEC);
        ck_assert_int_ge(fd, 0);
        return fd;
}

void let_go(int gate_fd, unsigned int n) {
        while (n--)
                ck_assert_int_eq(write(gate_fd, "\n", 1), 1);
}

void stop_after(struct roused *roused, const char *handle, unsigned int n) {
        char *text;

        roused_stop(roused);
        text = test_read_file(test_path("d/%s", handle));
        ck_assert_msg(count_lines(text) == n, "%u runs of %s instead of %u:\n%s", count_lines(text),
                      handle, n, text);
        free(text);
}
