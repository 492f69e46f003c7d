/* Sockets that stand in a directory. What is not looked for fails the test. */
#pragma once

#include <sys/un.h>

struct sockaddr_un unix_address(const char *path);
/* Of type SOCK_STREAM or another one; a stream listens. */
int unix_bound(const char *path, int type);
/* A connected socket, or a negative errno if nobody takes it. */
int unix_connect(const char *path, int type);
/* Sends a datagram with something attached: SCM_RIGHTS or SCM_CREDENTIALS, of at most 64 bytes. Its
 * length or a negative errno. */
int unix_send_with(int fd, const char *text, int type, const void *data, size_t n_data);
/* The same as unix_connect(), and lets go of it: 0 or a negative errno. */
int unix_knock(const char *path, int type);
