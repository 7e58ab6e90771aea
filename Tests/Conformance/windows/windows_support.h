// windows_support.h: pipes, and the suites of Windows.
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

/// A name for a pipe that no other check uses.
void pipe_name(char path[512]);
/// The same in the system's text.
void wide_name(const char *path, WCHAR wide[512]);

/// A listener of this user alone on that name, which must open.
gn_listener *open_listener(const char *path, uint32_t mode);

/// What a child does that is lent a segment, or lets nobody open it: see lending.c.
int claim_and_answer(const char *path);
int connect_closed_to_all(const char *path);

void suite_pipes(void);
void suite_pipe_endings(void);
void suite_asked(void);
void suite_security(void);
void suite_identity(void);
void suite_processes(void);
void suite_segments(void);
void suite_lending(void);
void suite_claims(void);
void suite_faults(void);

#endif
