/* Each line of the standard input is work for a handle, and wakes it. Lines may come by the
 * million: a send is an atomic operation. The daemon may be restarted meanwhile. */

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rouse-client.h>

#define TIMEOUT_MS 5000

static int complain(const rouse_client_t *client, const char *what) {
        fprintf(stderr, "%s: %s\n", what, rouse_client_get_error(client)->message);
        return 1;
}

/* The daemon has gone. What it had not taken goes to the one that takes its place. */
static void attach_again(rouse_client_t *client, rouse_attachment_t *attachment) {
        while (rouse_attachment_reattach(attachment, TIMEOUT_MS) < 0) {
                complain(client, "waiting for roused");
                sleep(1);
        }
}

int main(int argc, char **argv) {
        rouse_client_t *client;
        rouse_attachment_t *attachment;
        char line[4096];
        ssize_t n;
        int r;

        if (argc != 2) {
                fprintf(stderr, "usage: attach HANDLE <WORK\n");
                return 2;
        }
        r = rouse_client_create(NULL, &client);
        if (r < 0) {
                fprintf(stderr, "%s\n", rouse_client_strerror(r));
                return 1;
        }
        r = rouse_client_attach(client, (const char *const *)&argv[1], 1, TIMEOUT_MS, &attachment);
        if (r < 0)
                return complain(client, argv[1]);

        for (;;) {
                struct pollfd fds[] = {
                        {.fd = STDIN_FILENO, .events = POLLIN},
                        {.fd = rouse_attachment_fd(attachment), .events = POLLIN},
                };

                if (poll(fds, 2, -1) < 0)
                        continue; /* a signal */
                if (fds[1].revents)
                        attach_again(client, attachment);
                if (!fds[0].revents)
                        continue;
                n = read(STDIN_FILENO, line, sizeof(line));
                if (n <= 0)
                        break;
                /* Here the work would be put where the handle's command finds it; then: */
                for (char *p = line; (p = memchr(p, '\n', (size_t)(line + n - p))); p++) {
                        r = rouse_attachment_send(attachment, 0);
                        if (r < 0) {
                                fprintf(stderr, "%s: %s\n", argv[1], rouse_client_strerror(r));
                                return 1;
                        }
                }
        }

        /* The end of the connection has the daemon take what is left, so it has to be there. */
        attach_again(client, attachment);
        rouse_attachment_detach(attachment);
        rouse_client_free(client);
        return 0;
}
