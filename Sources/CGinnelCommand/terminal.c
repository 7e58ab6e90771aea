// The terminal, if there is one.
#include "ginnel_command.h"

#if !defined(_WIN32)

#include <errno.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

bool gnc_is_terminal(int descriptor) { return isatty(descriptor) == 1; }

static struct winsize size_of(int descriptor) {
    struct winsize size = {0};
    if (isatty(descriptor) != 1 || ioctl(descriptor, TIOCGWINSZ, &size) != 0) size = (struct winsize){0};
    return size;
}

int gnc_terminal_width(int descriptor) { return size_of(descriptor).ws_col; }
int gnc_terminal_height(int descriptor) { return size_of(descriptor).ws_row; }

static struct termios before;
static int changed = -1;

int gnc_terminal_read_keys(int descriptor) {
    if (tcgetattr(descriptor, &before) != 0) return errno;
    struct termios keys = before;
    keys.c_lflag &= (tcflag_t) ~(ICANON | ECHO);
    keys.c_cc[VMIN] = 1;
    keys.c_cc[VTIME] = 0;
    keys.c_cc[VSUSP] = _POSIX_VDISABLE;
    if (tcsetattr(descriptor, TCSAFLUSH, &keys) != 0) return errno;
    changed = descriptor;
    return 0;
}

void gnc_terminal_restore(void) {
    if (changed < 0) return;
    (void)tcsetattr(changed, TCSAFLUSH, &before);
    changed = -1;
}

#endif
