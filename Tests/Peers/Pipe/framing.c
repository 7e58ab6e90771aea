// Frames, and a bounded look at their texts: see framing.h.
#include "framing.h"

#include <string.h>

const struct framing tagged_json = {.shortest = 0, .longest = 65536};
const struct framing envelopes = {.shortest = 1, .longest = 1048576};

enum { DEEPEST = 64 };

// MARK: Frames

frame_result frame_read(struct link *link, const struct framing *framing, char *text, size_t *count) {
    uint8_t bytes[4];
    link_result result = link_read(link, bytes, sizeof bytes);
    if (result != LINK_DONE) return result == LINK_END ? FRAME_END : FRAME_BROKEN;
    // A negative i32 is a large u32, so one comparison judges both formats.
    uint32_t length = (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
    if (length < framing->shortest || length > framing->longest) return FRAME_TOO_LARGE;
    if (link_read(link, text, length) != LINK_DONE) return FRAME_BROKEN;
    text[length] = 0;
    *count = length;
    return FRAME_DONE;
}

bool frame_write(struct link *link, const char *text, size_t count) {
    uint8_t bytes[4];
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)(count >> 8 * i);
    return link_write(link, bytes, sizeof bytes) == LINK_DONE && link_write(link, text, count) == LINK_DONE;
}

// MARK: Texts

/// The index behind a string that begins at `index` with its quote; `count` when it does not close.
static size_t behind_string(const char *text, size_t count, size_t index) {
    for (index++; index < count && text[index] != '"'; index++) {
        if (text[index] == '\\') index++;
    }
    return index < count ? index + 1 : count + 1;
}

bool is_object(const char *text, size_t count) {
    char open[DEEPEST];
    size_t depth = 0, index = 0;
    if (count == 0 || text[0] != '{') return false;
    while (index < count) {
        char character = text[index];
        if (character == '"') {
            index = behind_string(text, count, index);
            continue;
        }
        if (character == '{' || character == '[') {
            if (depth == DEEPEST) return false;
            open[depth++] = character;
        } else if (character == '}' || character == ']') {
            if (depth == 0 || open[--depth] != (character == '}' ? '{' : '[')) return false;
            if (depth == 0) return index + 1 == count;
        }
        index++;
    }
    return false;
}

bool string_member(const char *text, size_t count, const char *name, char *value, size_t capacity) {
    size_t depth = 0, length = strlen(name);
    for (size_t index = 0; index < count;) {
        char character = text[index];
        if (character != '"') {
            depth += character == '{' || character == '[';
            depth -= character == '}' || character == ']';
            index++;
            continue;
        }
        size_t behind = behind_string(text, count, index);
        if (behind > count) return false;
        bool named = depth == 1 && behind - index == length + 2 && memcmp(text + index + 1, name, length) == 0;
        index = behind;
        if (!named || index + 1 >= count || text[index] != ':' || text[index + 1] != '"') continue;
        behind = behind_string(text, count, index + 1);
        if (behind > count || behind - index - 2 > capacity) return false;
        memcpy(value, text + index + 2, behind - index - 3);
        value[behind - index - 3] = 0;
        return true;
    }
    return false;
}
