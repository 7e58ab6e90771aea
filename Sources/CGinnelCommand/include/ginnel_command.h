// What the `ginnel` command asks of the operating system beyond the library's own contract: a few questions about the terminal, a child that
// becomes another user, processors to run on, and the bare exchange that Ginnel's latency is compared with.
//
// Functions that can fail return 0, or an errno value. Where a system cannot do it they return ENOTSUP, and the command does without.
#ifndef GINNEL_COMMAND_H
#define GINNEL_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// MARK: Terminal

bool gnc_is_terminal(int descriptor);
/// Columns of the terminal; 0 when it is none.
int gnc_terminal_width(int descriptor);
/// Lines of the terminal; 0 when it is none.
int gnc_terminal_height(int descriptor);
/// From now on keys are read one by one and not shown. Ctrl-C stays a signal; Ctrl-Z is a key like others, since nobody would put the screen back. At most one terminal at a time.
int gnc_terminal_read_keys(int descriptor);
/// As it was before gnc_terminal_read_keys; nothing when that was not called.
void gnc_terminal_restore(void);

// MARK: Processes

/// A pipe whose ends no child inherits unless it is given one.
int gnc_pipe(int *read_end, int *write_end);
/// Gives up root for good: no supplementary groups, this group, this user.
int gnc_become_user(uint32_t user, uint32_t group);
/// Processor time of a process, user and system, in nanoseconds.
int gnc_processor_time(uint32_t process, uint64_t *nanoseconds);

// MARK: Processors

/// The numbers of the processors that this process may use, lowest first; returns how many there are, 0 when the system does not say.
int gnc_processors(int *numbers, int capacity);
/// Runs every thread that this process has on one processor only; threads they start inherit that.
int gnc_run_on(int processor);
/// The same for the calling thread alone; may be called after a fork.
int gnc_run_thread_on(int processor);

// MARK: The floor

/// What the raw exchange does.
typedef struct gnc_exchange {
    size_t size;            ///< bytes of a message, 1 to 1 MiB
    uint64_t warm_up_ns;    ///< at first, uncounted
    uint64_t duration_ns;   ///< then counted
    int first, second;      ///< processors of the two sides; -1 for any
} gnc_exchange;

/// Sends a message to a second process and reads it back, again and again: blocking `write` and `read` over a socket pair, and nothing else. Calls
/// `record` with the nanoseconds of each counted round trip. The second process is forked and has ended when this returns. Call it
/// in a process of its own: it pins itself, and a fork copies one thread only.
int gnc_exchange_run(const gnc_exchange *exchange, void (*record)(void *context, uint64_t nanoseconds), void *context);

#ifdef __cplusplus
}
#endif

#endif
