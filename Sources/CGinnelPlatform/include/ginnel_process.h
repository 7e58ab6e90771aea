// ginnel_process.h: the part of the contract that is about processes: children, and how this one is asked to end.
//
// Included by ginnel_platform.h, whose rules hold here too.
#ifndef GINNEL_PROCESS_H
#define GINNEL_PROCESS_H

#include "ginnel_platform.h"

#ifdef __cplusplus
extern "C" {
#endif

// MARK: Child processes

/// A child that was started here. Ended by gn_process_forget; until then its process id is not reused.
typedef struct gn_process gn_process;

/// Starts `path` with `arguments` (NULL-terminated, the first being the program's name) and the parent's environment plus `environment`
/// ("NAME=value", NULL-terminated, or NULL). `inherited[i]` becomes descriptor 3 + i in the child; standard streams are shared
/// unless `output` is given, which becomes the child's standard output. Errors: NOT_FOUND, DENIED (no program among other things), INVALID (a handle), NO_DESCRIPTORS, NO_MEMORY.
gn_outcome gn_process_start(const char *path, const char *const *arguments, const char *const *environment, const gn_handle *inherited,
                            size_t inherited_count, gn_handle output, gn_process **process, gn_error *error);

uint32_t gn_process_id(const gn_process *process);

/// Asks the child to end (SIGTERM) or ends it at once (SIGKILL); Windows cannot ask, and both end it. No error when it has ended already.
void gn_process_end(gn_process *process, bool at_once);

/// GN_DONE with the exit status (0 to 255, or 256 + signal) when the child has ended, else GN_WOULD_BLOCK.
gn_outcome gn_process_status(gn_process *process, int32_t *status, gn_error *error);

/// Releases the object; a child that still runs goes on and is reaped later.
void gn_process_forget(gn_process *process);

// MARK: Supervised children

/// As gn_process_start, for a child that is watched (gn_process_next) and not left behind: its standard input is empty, and its standard output and standard error are pipes that are
/// read here. It is ended at once
///  - on Linux when the calling thread ends, however that is, the death of the whole process included. So the thread must outlive the child. A child that gives itself another user,
///    or whose program has set-user-ID, set-group-ID or capabilities, is freed of this by the kernel;
///  - on Windows, with all that it has started itself, when this process ends, however that is;
///  - on macOS not at all: there a child has to see the end of a channel that it was given;
///  - everywhere when it is forgotten.
/// Blocks until the program runs or cannot be run. Errors: as gn_process_start.
gn_outcome gn_process_supervise(const char *path, const char *const *arguments, const char *const *environment, const gn_handle *inherited,
                                size_t inherited_count, gn_process **process, gn_error *error);

/// What a supervised child has done.
typedef enum gn_process_event {
    GN_PROCESS_OUTPUT = 1,  ///< it wrote to its standard output
    GN_PROCESS_ERRORS = 2,  ///< it wrote to its standard error
    GN_PROCESS_ENDED = 3,   ///< it has ended, and all that it wrote was read
} gn_process_event;

/// Waits until a supervised child has written something or has ended. GN_DONE: `*event` says which; `*count` is the number of bytes (1 to `capacity`) or 0, `*status` is filled in for
/// ENDED, as by gn_process_status. What others write, to whom the child has left its output, is read while it lives and not after. Blocks. One thread at a time; others may call
/// gn_process_end meanwhile. Errors: INVALID (not supervised), NO_DESCRIPTORS, NO_MEMORY, OTHER.
gn_outcome gn_process_next(gn_process *process, void *bytes, size_t capacity, gn_process_event *event, size_t *count, int32_t *status, gn_error *error);

// MARK: Being asked to end

/// How a process is asked to end; the numbers are those of POSIX.
typedef enum gn_termination {
    GN_TERMINATION_INTERRUPT = 2,   ///< SIGINT; Windows: Ctrl-C
    GN_TERMINATION_TERMINATE = 15,  ///< SIGTERM; Windows: Ctrl-Break, the console is closed, the user logs off, the machine goes down
} gn_termination;

/// From now on `told(how, argument)` is called when this process is asked to end, on a thread of its own and one call at a time, and the process does not end of it. Two requests are told;
/// the third ends the process as if nobody watched. (Windows gives a process a few seconds from a closed console, log-off or shutdown on, whatever it does.)
/// Errors: EXISTS (somebody watches already), NO_DESCRIPTORS, NO_MEMORY, OTHER.
gn_outcome gn_termination_watch(void (*told)(gn_termination how, void *argument), void *argument, gn_error *error);

/// Things are as before the watch; `told` is called no more when this returns. Blocks while it is being called. Not from within `told`. Does nothing when nobody watches.
void gn_termination_unwatch(void);

#ifdef __cplusplus
}
#endif

#endif
