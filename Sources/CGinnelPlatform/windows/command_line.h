// command_line.h: what CreateProcessW wants as one text.
#ifndef GNP_COMMAND_LINE_H
#define GNP_COMMAND_LINE_H

#include "win32.h"

#if defined(_WIN32)

/// One command line of several arguments, to be freed; NULL with the last error.
WCHAR *gnp_command_line(const char *const *arguments);

/// Our environment with additions ("NAME=value", NULL-terminated, or NULL), to be freed; NULL with the last error.
WCHAR *gnp_environment_block(const char *const *additions);

#endif

#endif
