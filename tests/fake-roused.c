/* One thread polls both sockets and the connections; stopping it is a byte in a pipe. What was
 * received is written to memory by that thread and read after it was joined. */

#include "tests/fake-roused.h"

#include <check.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unix-socket.h"

#define N_CLIENTS 8
#define LINE_SIZE (256U << 10)

struct client {
        int fd;
        char *line; /* LINE_SIZE */
        size_t n;
};

struct fake {
        const struct fake_answer *pokes, *calls;
        const char *notice; /* NULL: calls are taken */
        int poke_fd, listen_fd, quit[2];
        pthread_t thread;
        struct client clients[N_CLIENTS];
        unsigned long long ticket;
        atomic_bool was_poked;
        char *log;
        size_t n_log;
        FILE *log_file;
};

static int listen_on(const char *dir, const char *name, int type) {
        char path[4096];

        snprintf(path, sizeof(path), "%s/%s", dir, name);
        unlink(path);
        return unix_bound(path, type);
}

static const struct fake_answer *find(const struct fake_answer *answers, const char *text) {
        for (; answers && answers->request; answers++)
                if (strstr(text, answers->request))
                        return answers;
        return NULL;
}

static void answer_poke(struct fake *fake) {
        static char text[LINE_SIZE], reply[LINE_SIZE];
        struct sockaddr_un from;
        socklen_t n_from = sizeof(from);
        const struct fake_answer *answer;
        ssize_t n;

        n = recvfrom(fake->poke_fd, text, sizeof(text) - 1, 0, (struct sockaddr *)&from, &n_from);
        if (n < 0)
                return;
        text[n] = '\0';
        atomic_store(&fake->was_poked, true);
        fprintf(fake->log_file, "%s", text);
        answer = find(fake->pokes, text);
        reply[0] = '\0';
        if (answer) {
                strcpy(reply, answer->answer);
        } else {
                size_t n_reply = 0;

                for (const char *p = text; (p = strchr(p, '\n')); p++)
                        n_reply += (size_t)sprintf(reply + n_reply, "ok %llu\n", ++fake->ticket);
        }
        if (reply[0] && n_from > sizeof(sa_family_t))
                (void)sendto(fake->poke_fd, reply, strlen(reply), MSG_NOSIGNAL,
                             (struct sockaddr *)&from, n_from);
}

static void hang_up(struct client *client) {
        close(client->fd);
        free(client->line);
        *client = (struct client){.fd = -1};
}

/* Says the answer, with the ids of the request, or of its requests, in place of each $ID. */
static void say(struct client *client, const char *request, const char *answer) {
        const char *id = strstr(request, "\"id\":"), *next;
        char *text = NULL;
        size_t n = 0;
        FILE *file = open_memstream(&text, &n);

        for (; *answer; answer++)
                if (strncmp(answer, "$ID", 3) == 0 && id) {
                        fprintf(file, "%lld", atoll(id + 5));
                        answer += 2;
                        next = strstr(id + 5, "\"id\":");
                        id = next ? next : id;
                } else {
                        putc(*answer, file);
                }
        fclose(file);
        (void)send(client->fd, text, n, MSG_NOSIGNAL);
        free(text);
}

static void answer_call(struct fake *fake, struct client *client) {
        ssize_t n = recv(client->fd, client->line + client->n, LINE_SIZE - 1 - client->n, 0);
        char *newline;

        if (n <= 0) {
                hang_up(client);
                return;
        }
        client->n += (size_t)n;
        client->line[client->n] = '\0';
        while ((newline = strchr(client->line, '\n'))) {
                const struct fake_answer *answer;

                *newline = '\0';
                fprintf(fake->log_file, "%s\n", client->line);
                answer = find(fake->calls, client->line);
                if (!answer || !answer->answer) {
                        hang_up(client);
                        return;
                }
                say(client, client->line, answer->answer);
                client->n -= (size_t)(newline + 1 - client->line);
                memmove(client->line, newline + 1, client->n + 1);
        }
}

static void take_client(struct fake *fake) {
        int fd = accept(fake->listen_fd, NULL, NULL);

        if (fake->notice) {
                (void)send(fd, fake->notice, strlen(fake->notice), MSG_NOSIGNAL);
                close(fd);
                return;
        }
        for (int i = 0; i < N_CLIENTS; i++)
                if (fake->clients[i].fd < 0) {
                        fake->clients[i] = (struct client){.fd = fd, .line = malloc(LINE_SIZE)};
                        return;
                }
        close(fd);
}

static void *serve(void *arg) {
        struct fake *fake = arg;

        for (;;) {
                struct pollfd fds[3 + N_CLIENTS] = {
                        {.fd = fake->quit[0], .events = POLLIN},
                        {.fd = fake->poke_fd, .events = POLLIN},
                        {.fd = fake->listen_fd, .events = POLLIN},
                };

                for (int i = 0; i < N_CLIENTS; i++)
                        fds[3 + i] = (struct pollfd){.fd = fake->clients[i].fd, .events = POLLIN};
                if (poll(fds, sizeof(fds) / sizeof(fds[0]), -1) < 0)
                        continue;
                if (fds[0].revents)
                        return NULL;
                if (fds[1].revents)
                        answer_poke(fake);
                for (int i = 0; i < N_CLIENTS; i++)
                        if (fds[3 + i].revents)
                                answer_call(fake, fake->clients + i);
                if (fds[2].revents)
                        take_client(fake);
        }
}

static struct fake *start(const char *dir, const struct fake_answer *pokes,
                          const struct fake_answer *calls, const char *notice) {
        struct fake *fake = calloc(1, sizeof(*fake));

        ck_assert_ptr_nonnull(fake);
        fake->pokes = pokes;
        fake->calls = calls;
        fake->notice = notice;
        fake->poke_fd = listen_on(dir, "poke.sock", SOCK_DGRAM);
        fake->listen_fd = listen_on(dir, "control.sock", SOCK_STREAM);
        ck_assert_int_eq(pipe2(fake->quit, O_CLOEXEC), 0);
        for (int i = 0; i < N_CLIENTS; i++)
                fake->clients[i].fd = -1;
        fake->log_file = open_memstream(&fake->log, &fake->n_log);
        ck_assert_ptr_nonnull(fake->log_file);
        ck_assert_int_eq(pthread_create(&fake->thread, NULL, serve, fake), 0);
        return fake;
}

struct fake *fake_start(const char *dir, const struct fake_answer *pokes,
                        const struct fake_answer *calls) {
        return start(dir, pokes, calls, NULL);
}

struct fake *fake_start_refusing(const char *dir, const char *notice) {
        return start(dir, NULL, NULL, notice);
}

bool fake_was_poked(void *arg) {
        struct fake *fake = arg;

        return atomic_load(&fake->was_poked);
}

char *fake_stop(struct fake *fake) {
        char *log;

        ck_assert_int_eq(write(fake->quit[1], "", 1), 1);
        ck_assert_int_eq(pthread_join(fake->thread, NULL), 0);
        for (int i = 0; i < N_CLIENTS; i++)
                if (fake->clients[i].fd >= 0)
                        hang_up(fake->clients + i);
        close(fake->poke_fd);
        close(fake->listen_fd);
        close(fake->quit[0]);
        close(fake->quit[1]);
        fclose(fake->log_file);
        log = fake->log;
        free(fake);
        return log;
}
