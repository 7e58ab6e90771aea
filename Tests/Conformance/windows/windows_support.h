// windows_support.h: second processes, differences of Wine, and the suites of Windows.
#ifndef WINDOWS_SUPPORT_H
#define WINDOWS_SUPPORT_H

#include "check.h"
#include "support.h"

#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif
#undef _WIN32_WINNT
#define _WIN32_WINNT 0x0A00
#include <windows.h>

/// What Wine does otherwise than Windows is documented to do.
typedef enum wine_difference {
    WINE_FIRST_INSTANCE,
    WINE_PIPE_ACCESS,
    WINE_LEVEL,
    WINE_LONG_PROGRAMS,
    WINE_LONG_QUEUES,
    WINE_DIFFERENCES,
} wine_difference;

/// True under Wine, after noting the difference for the list at the end. On Windows the check goes on.
bool differs(wine_difference difference);

/// Prints what was noted, each with what could not be shown.
void differences_print(void);

/// A name for a pipe that no other check uses.
void pipe_name(char path[512]);
/// The same in the system's text.
void wide_name(const char *path, WCHAR wide[512]);

/// A listener of this user alone on that name, which must open.
gn_listener *open_listener(const char *path, uint32_t mode);

/// Writes until the channel is full; the number of bytes it took.
size_t fill_channel(gn_channel *channel);
/// Four bytes there and four back.
void ends_echo(struct ends *ends);

/// Waits for a moment in which something is true, up to ten seconds.
void await(bool (*is_true)(void *), void *argument);

/// What a child does that is lent a segment, or lets nobody open it: see lending.c.
int claim_and_answer(const char *path);
int connect_closed_to_all(const char *path);

void suite_pipes(void);
void suite_endings(void);
void suite_security(void);
void suite_identity(void);
void suite_processes(void);
void suite_segments(void);
void suite_lending(void);
void suite_claims(void);
void suite_faults(void);

#endif
