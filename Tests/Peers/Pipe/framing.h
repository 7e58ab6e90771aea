// framing.h: the two formats that are a length and a JSON text: tagged JSON (docs/formats/tagged-json.md) and the envelope.
//
// Tagged JSON: u32 length, 0 to 65,536; members stand beside `type`. Envelope: i32 length, 1 to 1,048,576; the object has id, type, timestamp and, where there is one, payload.
//
// This is no JSON library. What it reads are the texts of this program and of tests: it finds the strings of an object's own level, and takes a text for valid when it is one
// object whose braces, brackets and strings close. That is enough to tell a message from rubbish, and nothing that follows from it is trusted.
#ifndef FRAMING_H
#define FRAMING_H

#include "link.h"

struct framing {
    uint32_t shortest, longest;  ///< bytes of text
};

extern const struct framing tagged_json, envelopes;

enum { TEXT_ROOM = 1 << 20 };

typedef enum frame_result {
    FRAME_DONE,
    FRAME_END,        ///< between two messages
    FRAME_TOO_LARGE,  ///< a length outside the limits; nothing of the text was read
    FRAME_BROKEN,     ///< in the middle of one, or the connection broke
} frame_result;

/// Reads one text, ended by NUL; `text` has room for TEXT_ROOM + 1.
frame_result frame_read(struct link *link, const struct framing *framing, char *text, size_t *count);
/// Writes one text; false when the connection is gone.
bool frame_write(struct link *link, const char *text, size_t count);

/// Whether the text is one object, all of whose braces, brackets and strings close.
bool is_object(const char *text, size_t count);
/// The string member of that name of the object itself, as it stands between its quotes; false when there is none or it does not fit.
bool string_member(const char *text, size_t count, const char *name, char *value, size_t capacity);

#endif
