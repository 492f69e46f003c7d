/* roused: hosts handles, and wakes them. */

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "daemon/conf-node.h"
#include "daemon/configuration.h"
#include "daemon/daemon-setup.h"
#include "daemon/log.h"
#include "daemon/sockets.h"
#include "lib/cleanup.h"

enum {
        EXIT_USAGE = 2,
};

struct options {
        char *config_file;
        char *dir;
        enum log_level log_level;
        bool check;
};

static const char usage[] =
        "usage: roused [--config FILE] [--dir DIR] [--check [FILE]] [--verbose] [--version]\n"
        "\n"
        "  --config FILE   read this configuration, and conf.d/*.yaml beside it; otherwise\n"
        "                  " ROUSE_SYSCONFDIR "/roused/roused.yaml for root,\n"
        "                  ~/.config/roused/roused.yaml for everybody else\n"
        "  --dir DIR       serve the sockets poke.sock and control.sock in this directory;\n"
        "                  otherwise $ROUSE_DIR; /run/roused for root,\n"
        "                  $XDG_RUNTIME_DIR/roused for everybody else\n"
        "  --check         print all errors of the configuration and exit\n"
        "  --verbose       log every wake and every run\n"
        "  --version       print the version and exit\n"
        "\n"
        "Runs in the foreground. TERM and INT stop it, HUP reloads the configuration.\n"
        "Manual: roused(8), roused.yaml(5), rouse(1).\n";

/* The system's daemon is root's; everybody else has one of their own. */
static int default_path(const char *variable, const char *fallback, const char *tail, char **ret) {
        const char *base = geteuid() == 0 ? NULL : getenv(variable);
        const char *home = getenv("HOME");

        if (geteuid() == 0)
                return asprintf(ret, "%s/%s", fallback, tail) < 0 ? -ENOMEM : 0;
        if (base && base[0] == '/')
                return asprintf(ret, "%s/%s", base, tail) < 0 ? -ENOMEM : 0;
        if (strcmp(variable, "XDG_CONFIG_HOME") == 0 && home && home[0] == '/')
                return asprintf(ret, "%s/.config/%s", home, tail) < 0 ? -ENOMEM : 0;
        return -ENOENT;
}

static int complete_options(struct options *options) {
        const char *dir = getenv("ROUSE_DIR");
        int r;

        if (!options->config_file) {
                r = default_path("XDG_CONFIG_HOME", ROUSE_SYSCONFDIR, "roused/roused.yaml",
                                 &options->config_file);
                if (r < 0) {
                        fputs("roused: neither $XDG_CONFIG_HOME nor $HOME is set: say --config FILE\n",
                              stderr);
                        return r;
                }
        }
        if (!options->dir && dir && *dir)
                options->dir = strdup(dir);
        if (!options->dir && !options->check) {
                r = default_path("XDG_RUNTIME_DIR", "/run", "roused", &options->dir);
                if (r < 0) {
                        fputs("roused: $XDG_RUNTIME_DIR is not set: say --dir DIR\n", stderr);
                        return r;
                }
        }
        return 0;
}

/* What was asked for, to standard output; returns the exit status. */
static int say(const char *text) {
        if (fputs(text, stdout) != EOF && fflush(stdout) == 0)
                return EXIT_SUCCESS;
        fprintf(stderr, "roused: cannot write to standard output: %s\n", strerror(errno));
        return EXIT_FAILURE;
}

/* A path that was given. False: it is none, and that was said. */
static bool take_path(const char *option, const char *what, const char *value, char **path) {
        if (!*value) {
                fprintf(stderr, "roused: %s needs a %s, not ''\n", option, what);
                return false;
        }
        free(*path);
        *path = strdup(value);
        return true;
}

static int misused(int *ret_status) {
        *ret_status = EXIT_USAGE;
        return -ECANCELED;
}

/* Fills the options, or returns the status to exit with in *ret_status and -ECANCELED. */
static int parse_options(int argc, char **argv, struct options *options, int *ret_status) {
        static const struct option long_options[] = {
                {"config", required_argument, NULL, 'c'},
                {"dir", required_argument, NULL, 'd'},
                {"check", no_argument, NULL, 'k'},
                {"verbose", no_argument, NULL, 'v'},
                {"version", no_argument, NULL, 'V'},
                {"help", no_argument, NULL, 'h'},
                {0},
        };
        int option;

        while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
                switch (option) {
                case 'c':
                        if (!take_path("--config", "file", optarg, &options->config_file))
                                return misused(ret_status);
                        break;
                case 'd':
                        if (!take_path("--dir", "directory", optarg, &options->dir))
                                return misused(ret_status);
                        break;
                case 'k':
                        options->check = true;
                        break;
                case 'v':
                        options->log_level = LOG_LEVEL_DEBUG;
                        break;
                case 'V':
                        *ret_status = say("roused " PACKAGE_VERSION "\n");
                        return -ECANCELED;
                case 'h':
                        *ret_status = say(usage);
                        return -ECANCELED;
                default:
                        fputs(usage, stderr);
                        return misused(ret_status);
                }
        }
        if (options->check && optind == argc - 1 &&
            !take_path("--check", "file", argv[optind++], &options->config_file))
                return misused(ret_status);
        if (optind < argc) {
                fprintf(stderr, "roused: unexpected argument '%s'\n%s", argv[optind], usage);
                return misused(ret_status);
        }
        return 0;
}

static void print_conf_errors(const struct conf_errors *errors) {
        for (size_t i = 0; i < errors->n_items; i++) {
                _cleanup_free_ char *text = conf_error_format(&errors->items[i]);

                fprintf(stderr, "%s\n", text ?: "out of memory");
        }
        if (errors->n_left_out)
                fprintf(stderr, "and %zu more errors\n", errors->n_left_out);
}

static int load(const struct options *options, struct configuration **ret) {
        struct conf_errors errors = CONF_ERRORS_NULL;
        int r;

        r = configuration_load(options->config_file, &errors, ret);
        if (r < 0) {
                print_conf_errors(&errors);
                if (r == -ENOMEM)
                        fprintf(stderr, "roused: cannot read %s: %s\n", options->config_file,
                                strerror(-r));
        }
        conf_errors_deinit(&errors);
        return r;
}

/* Where the numbers of wakes outlive the daemon: what the service manager keeps for it, or the
 * directory of the sockets. */
static int seq_file_path(const char *dir, char **ret) {
        const char *state = getenv("STATE_DIRECTORY");
        int n = state && *state == '/' ? asprintf(ret, "%.*s/seq", (int)strcspn(state, ":"), state)
                                       : asprintf(ret, "%s/seq", dir);

        return n < 0 ? -ENOMEM : 0;
}

/* Takes the configuration. */
static int serve(const struct options *options, struct configuration *configuration) {
        _cleanup_free_ char *seq_file = NULL;
        _cleanup_free_ char *message = NULL;
        struct sockets sockets = SOCKETS_NULL;
        struct daemon_setup setup;
        int r;

        r = sockets_open(options->dir, &sockets, &message);
        if (r < 0) {
                log_error("%s", message ?: strerror(-r));
                configuration_unref(configuration);
                return r;
        }
        r = seq_file_path(options->dir, &seq_file);
        if (r == 0) {
                setup = (struct daemon_setup){
                        .config_file = options->config_file,
                        .dir = options->dir,
                        .seq_file = seq_file,
                        .configuration = configuration,
                        .sockets = &sockets,
                };
                r = daemon_run(&setup);
        } else {
                configuration_unref(configuration);
        }
        sockets_close(&sockets);
        return r;
}

static void set_up_signals(void) {
        sigset_t none;

        /* What whoever started us has blocked would never reach a source that waits for it. */
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        signal(SIGPIPE, SIG_IGN);
}

int main(int argc, char **argv) {
        struct options options = {.log_level = LOG_LEVEL_INFO};
        struct configuration *configuration = NULL;
        int status = EXIT_FAILURE;

        set_up_signals();
        if (parse_options(argc, argv, &options, &status) < 0 || complete_options(&options) < 0)
                goto end;
        if (!options.check)
                daemon_block_signals();
        log_init(options.log_level);
        if (load(&options, &configuration) < 0)
                goto end;
        if (options.check)
                status = EXIT_SUCCESS;
        else
                status =
                        serve(&options, steal_ptr(configuration)) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
        configuration_unref(configuration);
end:
        free(options.config_file);
        free(options.dir);
        return status;
}
