// Unix stream sockets by path, blocking; the epoll program makes them non-blocking itself.
#ifndef BENCH_SOCKETS_H
#define BENCH_SOCKETS_H

#include <stdbool.h>

// A listening socket bound to `path`, with room for every connection that a benchmark opens.
int socket_listen(const char *path);
int socket_accept(int listener, bool blocking);
int socket_connect(const char *path, bool blocking);

#endif
