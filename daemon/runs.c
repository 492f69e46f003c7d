/*
 * A run may outlive its handle: who closes one leaves the run going on. So runs stand in lists of
 * their own, where the stop finds all of them; and a handle that is made anew takes over the run of
 * the one that had its name, closed and perhaps forgotten. Thus there is one run of a name at most.
 */

#include "daemon/runs.h"

#include <string.h>

#include "daemon/run.h"

void runs_init(struct runs *runs) {
        *runs = (struct runs){0};
        list_init(&runs->of_open);
        list_init(&runs->of_closed);
}

void runs_place(struct runs *runs, struct run *run, bool of_open) {
        list_remove(&run->link);
        list_append(of_open ? &runs->of_open : &runs->of_closed, &run->link);
}

void runs_begin(struct runs *runs, struct run *run) {
        runs->n++;
        runs_place(runs, run, true);
}

void runs_go_on(struct runs *runs, struct run *run) {
        if (runs->are_stopped)
                run_stop(run, runs->are_killed);
}

void runs_end(struct runs *runs) {
        runs->n--;
}

struct run *runs_find_left(const struct runs *runs, const char *name) {
        list_for_each (link, &runs->of_closed) {
                struct run *run = container_of(link, struct run, link);

                if (strcmp(run->handle_name, name) == 0)
                        return run;
        }
        return NULL;
}

void runs_stop(struct runs *runs, bool kill) {
        struct list *lists[] = {&runs->of_open, &runs->of_closed};

        runs->are_stopped = true;
        runs->are_killed = kill;
        for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++)
                list_for_each_safe (link, lists[i])
                        run_stop(container_of(link, struct run, link), kill);
}
