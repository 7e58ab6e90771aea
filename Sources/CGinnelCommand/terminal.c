// The terminal, if there is one.
#include "ginnel_command.h"

#if !defined(_WIN32)

#include <sys/ioctl.h>
#include <unistd.h>

bool gnc_is_terminal(int descriptor) { return isatty(descriptor) == 1; }

int gnc_terminal_width(int descriptor) {
    struct winsize size;
    return isatty(descriptor) == 1 && ioctl(descriptor, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

#endif
