/*
 * A table of the names that signal(7) has; aliases follow the name that is written. libc has no
 * portable call for this. Numbers of real-time signals are libc's to say, at run time.
 */
#include "daemon/signal-names.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "lib/suggest.h"

static const struct {
        const char *name;
        int signo;
} names[] = {
        {"HUP", SIGHUP},       {"INT", SIGINT},   {"QUIT", SIGQUIT},   {"ILL", SIGILL},
        {"TRAP", SIGTRAP},     {"ABRT", SIGABRT}, {"BUS", SIGBUS},     {"FPE", SIGFPE},
        {"KILL", SIGKILL},     {"USR1", SIGUSR1}, {"SEGV", SIGSEGV},   {"USR2", SIGUSR2},
        {"PIPE", SIGPIPE},     {"ALRM", SIGALRM}, {"TERM", SIGTERM},   {"CHLD", SIGCHLD},
        {"CONT", SIGCONT},     {"STOP", SIGSTOP}, {"TSTP", SIGTSTP},   {"TTIN", SIGTTIN},
        {"TTOU", SIGTTOU},     {"URG", SIGURG},   {"XCPU", SIGXCPU},   {"XFSZ", SIGXFSZ},
        {"VTALRM", SIGVTALRM}, {"PROF", SIGPROF}, {"WINCH", SIGWINCH}, {"IO", SIGIO},
        {"PWR", SIGPWR},       {"SYS", SIGSYS},   {"IOT", SIGIOT},     {"CLD", SIGCHLD},
        {"POLL", SIGPOLL},
#ifdef SIGSTKFLT
        {"STKFLT", SIGSTKFLT},
#endif
};
#define N_NAMES (sizeof(names) / sizeof(names[0]))

/* A number of at most three digits and nothing else, or -EINVAL. */
static int read_number(const char *text) {
        size_t n = strspn(text, "0123456789");

        if (n == 0 || n > 3 || text[n])
                return -EINVAL;
        return atoi(text);
}

static int in_range(int signo) {
        return signo >= 1 && signo <= SIGRTMAX ? signo : -EINVAL;
}

/* "RTMIN", "RTMIN+n", "RTMAX", "RTMAX-n". */
static int read_realtime(const char *text) {
        int base = strncmp(text, "RTMIN", 5) == 0 ? SIGRTMIN : SIGRTMAX;
        int sign = base == SIGRTMIN ? 1 : -1;
        int n = 0, signo;

        text += 5;
        if (*text) {
                if (*text != (sign > 0 ? '+' : '-'))
                        return -EINVAL;
                n = read_number(text + 1);
                if (n < 0)
                        return n;
        }
        signo = base + sign * n;
        return signo >= SIGRTMIN && signo <= SIGRTMAX ? signo : -EINVAL;
}

int signal_from_string(const char *text) {
        int number = read_number(text);

        if (number >= 0)
                return in_range(number);
        if (strncmp(text, "SIG", 3) == 0)
                text += 3;
        if (strncmp(text, "RTMIN", 5) == 0 || strncmp(text, "RTMAX", 5) == 0)
                return read_realtime(text);
        for (size_t i = 0; i < N_NAMES; i++)
                if (strcmp(names[i].name, text) == 0)
                        return names[i].signo;
        return -EINVAL;
}

const char *signal_nearest(const char *word) {
        struct suggest suggest;

        suggest_init(&suggest, strncmp(word, "SIG", 3) == 0 ? word + 3 : word);
        for (size_t i = 0; i < N_NAMES; i++)
                suggest_offer(&suggest, names[i].name);
        return suggest.best;
}
