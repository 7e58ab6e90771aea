#include "sockets.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "failure.h"

static int make(const char *path, struct sockaddr_un *address) {
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    snprintf(address->sun_path, sizeof address->sun_path, "%s", path);
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) fail_call("socket");
    return descriptor;
}

int socket_listen(const char *path) {
    struct sockaddr_un address;
    int listener = make(path, &address);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0) fail_call("bind");
    if (listen(listener, 4096) != 0) fail_call("listen");
    return listener;
}

int socket_accept(int listener, bool blocking) {
    int descriptor = accept4(listener, NULL, NULL, SOCK_CLOEXEC | (blocking ? 0 : SOCK_NONBLOCK));
    if (descriptor < 0) fail_call("accept");
    return descriptor;
}

int socket_connect(const char *path, bool blocking) {
    struct sockaddr_un address;
    int descriptor = make(path, &address);
    if (connect(descriptor, (struct sockaddr *)&address, sizeof address) != 0) fail_call("connect");
    if (!blocking && fcntl(descriptor, F_SETFL, O_NONBLOCK) != 0) fail_call("fcntl");
    return descriptor;
}
