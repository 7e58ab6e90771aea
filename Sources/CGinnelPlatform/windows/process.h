// process.h: what the two ways to start a child have in common, the plain one (process.c) and the supervised one (supervise.c).
#ifndef GNP_PROCESS_H
#define GNP_PROCESS_H

#include "command_line.h"

#if defined(_WIN32)

/// Standard input, output and error; what is inherited has the numbers that follow.
enum { GNP_STANDARD = 3 };

typedef struct gnp_supervision gnp_supervision;

struct gn_process {
    HANDLE process;
    DWORD id;
    gnp_supervision *supervision;  ///< NULL for a plain child
};

/// What is asked of us.
typedef struct gnp_launch {
    const char *path;
    const char *const *arguments, *const *environment;
    const gn_handle *inherited;
    size_t inherited_count;
} gnp_launch;

/// Starts a child whose standard streams are `standard`, or ours for GN_NO_HANDLE, in a job, or in ours for NULL.
gn_outcome gnp_process_make(const gnp_launch *launch, const gn_handle standard[GNP_STANDARD], HANDLE job, gn_process **process, gn_error *error);

/// A supervised child is forgotten: it ends with all that it has started, and what was kept for it is closed.
void gnp_supervision_end(gnp_supervision *supervision);

#endif

#endif
