/*
 * Replays doc/protocol.md: starts the real daemon with the configuration that stands in it, then
 * goes through the fenced blocks in their order.
 *
 *     transcript   a connection to control.sock, or two (A and B): "->" says a line, "<-" hears one
 *     datagrams    the same with poke.sock, a datagram each
 *     console      "$" runs a command in a shell, and what follows is its output
 *
 * Lines that go on are joined. <number>, <text> and <more> in what is to be heard match digits,
 * text without quotes, and anything.
 */

#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "tests/harness.h"
#include "tests/support.h"

#define MAX_BLOCKS 100
#define MAX_LINES  64

struct block {
        char kind[16];
        unsigned int line; /* in the document */
        char *lines[MAX_LINES];
        unsigned int n_lines;
};

static struct block blocks[MAX_BLOCKS];
static unsigned int n_blocks;
static struct roused roused;

/* The document. */

static void add_line(struct block *block, const char *line) {
        char **last;

        ck_assert_uint_lt(block->n_lines, MAX_LINES);
        if (strncmp(line, "   ", 3) == 0 && strcmp(block->kind, "transcript") == 0) {
                ck_assert_uint_gt(block->n_lines, 0);
                last = &block->lines[block->n_lines - 1];
                *last = realloc(*last, strlen(*last) + strlen(line) + 1);
                ck_assert_ptr_nonnull(*last);
                strcat(*last, line + strspn(line, " "));
                return;
        }
        block->lines[block->n_lines++] = strdup(line);
}

static void read_document(void) {
        char *path, *text, *line, *rest;
        bool is_inside = false;
        unsigned int number = 0;

        ck_assert_int_ge(asprintf(&path, "%s/doc/protocol.md", getenv("ROUSE_SOURCE") ?: "."), 0);
        text = rest = test_read_file(path);
        ck_assert_msg(text != NULL, "cannot read %s", path);
        while ((line = strsep(&rest, "\n"))) {
                struct block *block = &blocks[n_blocks];

                number++;
                if (strncmp(line, "```", 3) != 0) {
                        if (is_inside)
                                add_line(block, line);
                } else if (is_inside) {
                        n_blocks++;
                        is_inside = false;
                } else {
                        ck_assert_uint_lt(n_blocks, MAX_BLOCKS);
                        snprintf(block->kind, sizeof(block->kind), "%s", line + 3);
                        block->line = number;
                        is_inside = true;
                }
        }
        ck_assert_uint_gt(n_blocks, 20);
        free(text);
        free(path);
}

static void free_document(void) {
        for (unsigned int i = 0; i < n_blocks; i++)
                for (unsigned int k = 0; k < blocks[i].n_lines; k++)
                        free(blocks[i].lines[k]);
}

/* Matching. */

static size_t match_number(const char *text) {
        size_t n = *text == '-';

        return n + strspn(text + n, "0123456789");
}

static bool match(const char *pattern, const char *text) {
        static const char number[] = "<number>", words[] = "<text>", more[] = "<more>";
        size_t n;

        for (; *pattern; pattern++, text++) {
                if (strncmp(pattern, number, strlen(number)) == 0) {
                        n = match_number(text);
                        return n > 0 && match(pattern + strlen(number), text + n);
                }
                if (strncmp(pattern, words, strlen(words)) == 0) {
                        for (n = strcspn(text, "\""); n > 0; n--)
                                if (match(pattern + strlen(words), text + n))
                                        return true;
                        return false;
                }
                if (strncmp(pattern, more, strlen(more)) == 0) {
                        for (; *text; text++)
                                if (match(pattern + strlen(more), text))
                                        return true;
                        return match(pattern + strlen(more), text);
                }
                if (*pattern != *text)
                        return false;
        }
        return !*text;
}

static void assert_matches(const struct block *block, const char *pattern, const char *text) {
        ck_assert_msg(text && match(pattern, text),
                      "block at line %u of protocol.md:\n  %.500s\ninstead of\n  %.500s",
                      block->line, text ?: "(nothing)", pattern);
}

/* Replaying. */

static void set_patience(int fd) {
        struct timeval patience = {.tv_sec = test_slow_ms(10000) / 1000};

        ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
}

static void say_line(int fd, const char *line) {
        char *text;
        int n = asprintf(&text, "%s\n", line);

        ck_assert_int_gt(n, 0);
        ck_assert_int_eq(send(fd, text, (size_t)n, MSG_NOSIGNAL), n);
        free(text);
}

static void replay_transcript(const struct block *block) {
        int fds[2] = {-1, -1}; /* A, or the only one, and B */

        for (unsigned int i = 0; i < block->n_lines; i++) {
                const char *line = block->lines[i];
                int *fd = &fds[*line == 'B'];

                if (*line == 'A' || *line == 'B')
                        line++;
                if (*fd < 0) {
                        *fd = roused_connect(&roused);
                        set_patience(*fd);
                }
                if (strncmp(line, "-> ", 3) == 0) {
                        say_line(*fd, line + 3);
                } else {
                        _cleanup_free_ char *heard = roused_read_line(*fd);

                        ck_assert_msg(strncmp(line, "<- ", 3) == 0, "line %u: %s", block->line,
                                      line);
                        assert_matches(block, line + 3, heard);
                }
        }
        close_fd(fds[0]);
        close_fd(fds[1]);
}

static void replay_datagrams(const struct block *block) {
        _cleanup_free_ char *heard = NULL;

        for (unsigned int i = 0; i < block->n_lines; i++) {
                const char *line = block->lines[i];

                if (strncmp(line, "-> ", 3) == 0) {
                        free(heard);
                        heard = roused_poke(&roused, line + 3);
                        ck_assert_ptr_nonnull(heard);
                        heard[strcspn(heard, "\n")] = 0;
                } else {
                        assert_matches(block, line + 3, heard);
                }
        }
}

/* What it prints, line by line; a shell that lacks the program proves nothing. */
static void replay_console(const struct block *block) {
        _cleanup_free_ char *line = NULL;
        size_t n_line = 0;
        FILE *pipe = NULL;

        if (system("command -v nc >/dev/null") != 0) {
                fprintf(stderr, "line %u of protocol.md: not replayed, there is no nc\n",
                        block->line);
                return;
        }
        ck_assert_int_eq(setenv("ROUSE_DIR", roused.dir, true), 0);
        for (unsigned int i = 0; i <= block->n_lines; i++) {
                const char *text = i < block->n_lines ? block->lines[i] : "$ ";

                if (strncmp(text, "$ ", 2) != 0) {
                        ck_assert_ptr_nonnull(pipe);
                        ck_assert_int_gt(getline(&line, &n_line, pipe), 0);
                        line[strcspn(line, "\n")] = 0;
                        assert_matches(block, text, line);
                        continue;
                }
                if (pipe) {
                        ck_assert_int_eq(getline(&line, &n_line, pipe), -1);
                        ck_assert_int_eq(pclose(pipe), 0);
                }
                pipe = i < block->n_lines ? popen(text + 2, "re") : NULL;
        }
}

static void the_document_is_true(void) {
        const struct block *config;
        char *text;
        size_t n = 0;

        read_document();
        config = &blocks[0];
        ck_assert_str_eq(config->kind, "yaml");
        for (unsigned int i = 0; i < config->n_lines; i++)
                n += strlen(config->lines[i]) + 1;
        text = calloc(n + 1, 1);
        ck_assert_ptr_nonnull(text);
        for (unsigned int i = 0; i < config->n_lines; i++)
                strcat(strcat(text, config->lines[i]), "\n");
        roused_start(&roused, "protocol", text);
        free(text);
        for (unsigned int i = 1; i < n_blocks; i++) {
                const struct block *block = &blocks[i];

                if (strcmp(block->kind, "transcript") == 0)
                        replay_transcript(block);
                else if (strcmp(block->kind, "datagrams") == 0)
                        replay_datagrams(block);
                else if (strcmp(block->kind, "console") == 0)
                        replay_console(block);
                else
                        ck_abort_msg("line %u: what is a block of %s?", block->line, block->kind);
        }
        /* The last transcript told it to stop. */
        roused_expect_log(&roused, "stopped");
        roused_stop(&roused);
        free_document();
}

static void placeholders_match(void) {
        ck_assert(match("a<number>b", "a-12b"));
        ck_assert(!match("a<number>b", "ab"));
        ck_assert(match("\"<text>\"}", "\"what is\"}"));
        ck_assert(!match("\"<text>\"}", "\"what\",\"is\"}"));
        ck_assert(match("[<more>]", "[]"));
        ck_assert(match("{<more>,\"a\":1}", "{\"b\":[1,2],\"a\":1}"));
        ck_assert(!match("{<more>,\"a\":1}", "{\"b\":[1,2],\"a\":2}"));
        ck_assert(!match("a", "ab"));
        ck_assert(!match("ab", "a"));
}

/* Methods that the document says nothing of. */
static void every_method_has_a_transcript(void) {
        char *line, *at, *request;
        unsigned int n = 0;

        read_document();
        roused_start(&roused, "methods", "handles: {}\n");
        line = roused_call(&roused, "{\"jsonrpc\":\"2.0\",\"method\":\"describe\",\"id\":1}");
        ck_assert_ptr_nonnull(line);
        for (at = line; (at = strstr(at, "{\"name\":\"")); at++) {
                const char *name = at + strlen("{\"name\":\"");
                bool found = false;

                /* Methods have a summary, and parameters a description. */
                if (strncmp(strchr(name, '"'), "\",\"summary\"", 11) != 0)
                        continue;
                ck_assert_int_ge(
                        asprintf(&request, "\"method\":\"%.*s\"", (int)strcspn(name, "\""), name),
                        0);
                for (unsigned int i = 0; i < n_blocks; i++)
                        for (unsigned int k = 0; k < blocks[i].n_lines; k++)
                                found |= strstr(blocks[i].lines[k], request) != NULL;
                ck_assert_msg(found, "protocol.md has no transcript with %s", request);
                free(request);
                n++;
        }
        ck_assert_uint_gt(n, 20);
        free(line);
        roused_stop(&roused);
        free_document();
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(placeholders_match),
                TEST(the_document_is_true),
                TEST(every_method_has_a_transcript),
                {},
        };

        return test_main("protocol", tests, argc, argv);
}
