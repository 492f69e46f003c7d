/* The runs that go on. Loop thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "lib/list.h"

struct run;

struct runs {
        struct list of_open, of_closed; /* handles */
        size_t n;
        bool are_stopped, are_killed; /* also those that begin now */
};

void runs_init(struct runs *runs);

/* A run of an open handle begins; it was not started yet. */
void runs_begin(struct runs *runs, struct run *run);
/* Its handle was closed, or is another one now. */
void runs_place(struct runs *runs, struct run *run, bool of_open);
/* It has been started, and goes on. */
void runs_go_on(struct runs *runs, struct run *run);
/* One is no more. */
void runs_end(struct runs *runs);

/* The one that a closed handle of this name has left; or NULL. */
struct run *runs_find_left(const struct runs *runs, const char *name);

/* Asks all to end, and each that begins from now on; kill: at once. */
void runs_stop(struct runs *runs, bool kill);
