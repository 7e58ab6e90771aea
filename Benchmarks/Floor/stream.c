#include "stream.h"

#include <signal.h>
#include <unistd.h>

#include "failure.h"

struct segment stream_segment;

void stream_prepare(const struct options *options) { stream_segment = segment_make(options); }

static void server_has_ended(int number) {
    static const char sentence[] = "the server failed\n";
    (void)number;
    if (write(STDERR_FILENO, sentence, sizeof sentence - 1) < 0) _exit(1);
    _exit(1);
}

void stream_watch_server(void) { signal(SIGCHLD, server_has_ended); }

void stream_close(struct ring_end *out) {
    signal(SIGCHLD, SIG_DFL);
    ring_send(out, NULL, 0);
}

uint8_t *stream_message(size_t size) {
    uint8_t *message = malloc(size);
    if (message == NULL) fail_call("malloc");
    for (size_t index = 0; index < size; index += 1) message[index] = (uint8_t)(index * 31 + 7);
    return message;
}

void stream_set_number(uint8_t *message, uint64_t number) { memcpy(message, &number, sizeof number); }

uint64_t stream_number(const uint8_t *message) {
    uint64_t number;
    memcpy(&number, message, sizeof number);
    return number;
}
