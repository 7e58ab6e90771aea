// UTF-8 on our side, UTF-16 on the system's. What is no valid UTF-8 is an error, never mended: two different names must not become one.
#include "win32.h"

#if defined(_WIN32)

#include <stdlib.h>

WCHAR *gnp_wide(const char *text) {
    int count = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, NULL, 0);
    if (count <= 0) return NULL;
    WCHAR *wide = gnp_allocate((size_t)count * sizeof *wide);
    if (wide == NULL) SetLastError(ERROR_NOT_ENOUGH_MEMORY);
    else (void)MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, wide, count);
    return wide;
}

bool gnp_narrow(const WCHAR *wide, char *text, size_t capacity) {
    int room = capacity > INT32_MAX ? INT32_MAX : (int)capacity;
    // A lone surrogate, which Windows allows in names, has no UTF-8.
    bool whole = room > 0 && WideCharToMultiByte(CP_UTF8, WC_ERR_INVALID_CHARS, wide, -1, text, room, NULL, NULL) > 0;
    if (!whole && capacity > 0) text[0] = 0;
    return whole;
}

#endif
