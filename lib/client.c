/*
 * A client's beginning and end, its directory, and its last error.
 *
 * To find out whether the user has a daemon of his own, a datagram socket is connected to its
 * poke.sock: that succeeds only while somebody holds the other end, and the other end does not
 * notice. The socket is kept for the first send, so looking costs nothing.
 *
 * Connections are opened by the files that use them. Every public call that fails has noted why.
 */

#include "lib/client-private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/cleanup.h"
#include "lib/socket-address.h"

#define SYSTEM_DIR "/run/roused"

static int set_dir(rouse_client_t *client, const char *dir, const char *below) {
        size_t n = strlen(dir), n_below = strlen(below);

        if (n + n_below >= sizeof(client->dir))
                return -ENAMETOOLONG;
        memcpy(client->dir, dir, n);
        memcpy(client->dir + n, below, n_below + 1);
        return 0;
}

/* Takes the user's directory if a daemon listens there. */
static bool take_user_dir(rouse_client_t *client) {
        const char *runtime_dir = secure_getenv("XDG_RUNTIME_DIR");

        if (!runtime_dir || runtime_dir[0] != '/' || set_dir(client, runtime_dir, "/roused") < 0)
                return false;
        client->probe_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (client->probe_fd < 0)
                return false;
        if (rouse__client_connect_poke(client, client->probe_fd) == 0)
                return true;
        client->probe_fd = close_fd(client->probe_fd);
        return false;
}

static int find_dir(rouse_client_t *client, const char *dir) {
        if (!dir)
                dir = secure_getenv("ROUSE_DIR");
        if (dir && *dir)
                return set_dir(client, dir, "");
        if (take_user_dir(client))
                return 0;
        return set_dir(client, SYSTEM_DIR, "");
}

int rouse_client_create(const char *dir, rouse_client_t **ret_client) {
        rouse_client_t *client = calloc(1, sizeof(*client));
        int r;

        if (!client)
                return -ENOMEM;
        client->ack_fd = client->mute_fd = client->probe_fd = -1;
        client->control = (struct stream)STREAM_NULL;
        client->error.message = client->message;
        client->error.reason = client->reason;
        r = find_dir(client, dir);
        if (r < 0) {
                rouse_client_free(client);
                return r;
        }
        *ret_client = client;
        return 0;
}

rouse_client_t *rouse_client_free(rouse_client_t *client) {
        if (!client)
                return NULL;
        close_fd(client->ack_fd);
        close_fd(client->mute_fd);
        close_fd(client->probe_fd);
        rouse__stream_close(&client->control);
        rouse__buffer_deinit(&client->error_data);
        free(client);
        return NULL;
}

const char *rouse_client_dir(const rouse_client_t *client) {
        return client->dir;
}

const rouse_client_error_t *rouse_client_get_error(const rouse_client_t *client) {
        return &client->error;
}

int rouse__client_address(const rouse_client_t *client, const char *socket_name, int *ret_dir_fd,
                          struct sockaddr_un *ret) {
        _cleanup_close_ int dir_fd = -1;
        int r;

        r = rouse__socket_address(client->dir, -1, socket_name, ret);
        if (r != -ENAMETOOLONG)
                return r;
        dir_fd = open(client->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (dir_fd < 0)
                return -errno;
        r = rouse__socket_address(client->dir, dir_fd, socket_name, ret);
        if (r == 0)
                *ret_dir_fd = steal_fd(&dir_fd);
        return r;
}

int rouse__client_connect_poke(const rouse_client_t *client, int fd) {
        _cleanup_close_ int dir_fd = -1;
        struct sockaddr_un address;
        int r;

        r = rouse__client_address(client, POKE_SOCKET, &dir_fd, &address);
        if (r < 0)
                return r;
        return connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
}

static void set_error(rouse_client_t *client, int code, int rpc_code, const char *reason) {
        client->error.code = code;
        client->error.rpc_code = rpc_code;
        client->error.data = NULL;
        snprintf(client->reason, sizeof(client->reason), "%s", reason);
}

int rouse__client_fail(rouse_client_t *client, int error, const char *format, ...) {
        va_list args;

        set_error(client, error, 0, "");
        va_start(args, format);
        vsnprintf(client->message, sizeof(client->message), format, args);
        va_end(args);
        return error;
}

int rouse__client_unreachable(rouse_client_t *client, int error, const char *socket_name) {
        return rouse__client_fail(client, error, "cannot reach roused at %s/%s: %s", client->dir,
                                  socket_name, strerror(-error));
}

static const struct refusal {
        const char *reason;
        int rpc_code;
        int error;
        const char *message; /* for answers that have a reason only */
} refusals[] = {
        {"no_such_handle", -32001, -ENXIO, "no such handle"},
        {"handle_exists", -32002, -EEXIST, "a handle of that name exists"},
        {"permission_denied", -32003, -EACCES, "permission denied"},
        {"timeout", -32004, -ETIMEDOUT, "timed out"},
        {"closed", -32005, -EBADF, "the handle is closed"},
        {"limit_reached", -32006, -EDQUOT, "a limit is reached"},
        {"invalid_config", -32007, -EBADMSG, "the configuration has errors"},
        {"shutting_down", -32008, -ESHUTDOWN, "roused is shutting down"},
        {"bad_name", 0, -EINVAL, "not a legal name"},
        {"method_not_found", -32601, -ENOSYS, "no such method"},
        {"invalid_params", -32602, -EINVAL, "the parameters are wrong"},
        {"too_long", 0, -EMSGSIZE, "too long"},
};

#define N_REFUSALS (sizeof(refusals) / sizeof(refusals[0]))

/* The reason tells more than the code, which may stand for several. */
static const struct refusal *find_refusal(int rpc_code, const char *reason) {
        for (size_t i = 0; i < N_REFUSALS; i++)
                if (strcmp(refusals[i].reason, reason) == 0)
                        return refusals + i;
        for (size_t i = 0; i < N_REFUSALS; i++)
                if (rpc_code && refusals[i].rpc_code == rpc_code)
                        return refusals + i;
        return NULL;
}

int rouse__client_refused(rouse_client_t *client, int rpc_code, const char *reason,
                          const char *message, const char *subject) {
        const struct refusal *refusal = find_refusal(rpc_code, reason);

        if (refusal && !*reason)
                reason = refusal->reason;
        if (refusal && !*message)
                message = refusal->message;
        if (!*message)
                message = *reason ? reason : "roused refuses without a reason";
        set_error(client, refusal ? refusal->error : -EREMOTEIO, rpc_code, reason);
        snprintf(client->message, sizeof(client->message), "%s%s%s", message, subject ? ": " : "",
                 subject ?: "");
        return client->error.code;
}

const char *rouse_client_strerror(int error) {
        if (error == -EINVAL) /* several refusals are this one */
                return "not a legal name, key or parameter";
        for (size_t i = 0; i < N_REFUSALS; i++)
                if (refusals[i].error == error)
                        return refusals[i].message;
        return strerror(-error);
}
