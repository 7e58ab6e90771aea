// process.h: what the two ways to start a child have in common, the plain one (process.c) and the supervised one (supervise.c).
#ifndef GNP_PROCESS_H
#define GNP_PROCESS_H

#include "posix.h"

#if !defined(_WIN32)

/// Standard input, output and error; what is inherited has the numbers that follow.
enum { GNP_STANDARD = 3 };

struct gn_process {
    pid_t id;
    gn_process *next;   ///< among the forgotten
    bool is_supervised;
    int watch;          ///< supervised: readable when the child has ended; -1 where there is no such thing
    int streams[2];     ///< supervised: where its output and its errors are read; -1 after their end
    int left[2];        ///< supervised, once it has ended: bytes in them that may still be its own; -1 before
    int turn;           ///< supervised: the stream that is looked at first, so that neither keeps the other waiting
};

/// What is asked of us.
typedef struct gnp_launch {
    const char *path;
    const char *const *arguments, *const *environment;
    const gn_handle *inherited;
    size_t inherited_count;
} gnp_launch;

/// What a new process is made of.
typedef struct gnp_child {
    const char *path;
    char *const *arguments;
    char **environment;  ///< ours with the additions
    const int *copies;   ///< above all final numbers: `count` to be inherited, then the standard streams, -1 for one that is shared
    size_t count;
} gnp_child;

/// The number that a copy gets in the child.
static inline int gnp_child_number(const gnp_child *child, size_t index) { return (int)(index < child->count ? index + GNP_STANDARD : index - child->count); }

/// Makes a process of it; an errno value and the name of what failed, 0 for success.
typedef int (*gnp_spawner)(const gnp_child *child, pid_t *id, const char **operation);

int gnp_spawn(const gnp_child *child, pid_t *id, const char **operation);
/// The same for a child that is to end with the calling thread, where the system can do that (linux/, darwin/).
int gnp_spawn_bound(const gnp_child *child, pid_t *id, const char **operation);

/// Starts a child whose standard streams are `standard`, or ours for GN_NO_HANDLE.
gn_outcome gnp_process_make(const gnp_launch *launch, const gn_handle standard[GNP_STANDARD], gnp_spawner spawn, gn_process **process, gn_error *error);

/// A pipe, first its reading end, that no child inherits; -1 with errno (linux/, darwin/).
int gnp_pipe(int ends[2]);

/// A descriptor that is readable once the child has ended, or -1 (linux/, darwin/).
int gnp_process_watch(pid_t id);

/// A supervised child is forgotten: it ends, and what was kept for it is closed.
void gnp_supervision_end(gn_process *process);

#endif

#endif
