/* Reads lines from a descriptor as they come. Loop thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

struct line_reader;

/* A line without its newline. One that is longer than max_line comes in parts. */
typedef void (*line_reader_cb)(void *arg, unsigned int stream, const char *line, size_t n_line);

/* Takes the descriptor, also when it fails. It does not keep the loop alive. */
int line_reader_new_consume_fd(uv_loop_t *loop, int fd, size_t max_line, line_reader_cb cb,
                               void *arg, unsigned int stream, struct line_reader **ret);
/* Reads what is there, at most max_bytes, and passes on a last line that has no newline. True:
 * that was all, because nobody can write any more (or there is no reader). */
bool line_reader_drain(struct line_reader *reader, size_t max_bytes);
/* Lines go to another from now on. `ended`, which may close the reader, is called from the loop
 * when nobody can write any more, after the last line. */
void line_reader_hand_over(struct line_reader *reader, line_reader_cb cb, void (*ended)(void *arg),
                           void *arg);
/* The memory goes later. Accepts and returns NULL. Not from within the callback of a line. */
struct line_reader *line_reader_close(struct line_reader *reader);
