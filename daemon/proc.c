/*
 * A process may take long to give back its memory before it is a zombie, and only the kernel's
 * PF_EXITING, among the flags of proc(5), tells that it does. What a zombie was sent and has not
 * taken stays in its queue until it is reaped.
 */

#include "daemon/proc.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/cleanup.h"

#define PF_EXITING 0x4

/* Reads the beginning of a file of the process; false: it cannot be read. */
static bool read_file(pid_t pid, const char *name, char *text, size_t size) {
        _cleanup_close_ int fd = -1;
        char path[32];
        ssize_t n;

        snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        n = fd < 0 ? -1 : read(fd, text, size - 1);
        if (n <= 0)
                return false;
        text[n] = '\0';
        return true;
}

bool proc_may_be_exiting(pid_t pid) {
        unsigned int flags = 0;
        char text[512], *after_name;

        if (!read_file(pid, "stat", text, sizeof(text)))
                return true;
        after_name = strrchr(text, ')');
        return !after_name || sscanf(after_name, ") %*c %*d %*d %*d %*d %*d %u", &flags) != 1 ||
               (flags & PF_EXITING);
}

bool proc_may_have_pending(pid_t pid, uint64_t signals) {
        uint64_t pending = 0;
        char text[4096], *line;

        if (!read_file(pid, "status", text, sizeof(text)))
                return true;
        line = strstr(text, "\nShdPnd:");
        return !line || sscanf(line, " ShdPnd: %" SCNx64, &pending) != 1 || (pending & signals);
}
