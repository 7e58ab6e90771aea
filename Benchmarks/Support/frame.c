#include "frame.h"

#include <unistd.h>

#include "failure.h"

static struct frame_header header_of(const uint8_t *message) {
    struct frame_header header;
    memcpy(&header, message, sizeof header);
    return header;
}

size_t frame_length(const uint8_t *message) {
    return sizeof(struct frame_header) + header_of(message).length;
}

void inbox_open(struct inbox *inbox) {
    *inbox = (struct inbox){.bytes = malloc(INBOX_SIZE)};
    if (inbox->bytes == NULL) fail_call("malloc");
}

enum arrival inbox_advance(struct inbox *inbox, size_t count) {
    inbox->have += count;
    if (inbox->have < sizeof(struct frame_header)) return PARTIAL;
    if (header_of(inbox->bytes).length > MAX_PAYLOAD) fail("a header announces more than a message may have");
    size_t length = frame_length(inbox->bytes);
    if (inbox->have < length) return PARTIAL;
    if (inbox->have > length) fail("a second message arrived behind the only one in flight");
    inbox->have = 0;
    return ARRIVED;
}

enum arrival inbox_read(struct inbox *inbox, int descriptor) {
    ssize_t count = read(descriptor, inbox->bytes + inbox->have, INBOX_SIZE - inbox->have);
    if (count == 0) return CLOSED;
    if (count > 0) return inbox_advance(inbox, (size_t)count);
    if (errno == EAGAIN || errno == EINTR) return PARTIAL;
    fail_call("read");
}

uint8_t *frame_make(size_t size) {
    struct frame_header header = {.length = (uint32_t)size, .kind = FRAME_MESSAGE};
    uint8_t *message = malloc(sizeof header + size);
    if (message == NULL) fail_call("malloc");
    memcpy(message, &header, sizeof header);
    for (size_t index = 0; index < size; index += 1) message[sizeof header + index] = (uint8_t)(index * 31 + 7);
    return message;
}

void frame_set_id(uint8_t *message, uint64_t id) {
    memcpy(message + offsetof(struct frame_header, id), &id, sizeof id);
}

void frame_send(int descriptor, const uint8_t *message) {
    size_t length = frame_length(message);
    ssize_t count = write(descriptor, message, length);
    if (count < 0) fail_call("write");
    if ((size_t)count != length) fail("a message of %zu bytes did not fit the socket's buffer", length);
}

void frame_check_echo(const uint8_t *request, const uint8_t *reply, uint64_t id) {
    struct frame_header sent = header_of(request), received = header_of(reply);
    if (received.id != id || received.length != sent.length) fail("an answer is not the echo of its request");
    if (id == 1 && memcmp(request + sizeof sent, reply + sizeof received, sent.length) != 0)
        fail("an echo has another payload than its request");
}
