// roles.h: what the second process does, and how the first one starts it and finds it again.
#ifndef ROLES_H
#define ROLES_H

#include "framing.h"
#include "stream.h"

/// Bytes of each ring of a stream between the two, and how many lies a liar knows.
enum { ROLE_CAPACITY = 1 << 16, ROLE_LIES = 6 };

/// Lets the system make what it keeps for the whole life of a process that listens and waits, so that it is not counted as left behind.
void role_warm_up(void);

/// A name for an endpoint that nobody else uses.
void role_path(char path[512]);
/// A listener of this user alone on it.
gn_listener *role_listen(const char *path);
/// What a listener has left on disk, after it was closed.
void role_clean(const char *path);

/// Starts this program in a role: "serve KIND PATH CONNECTIONS" or "join KIND PATH".
gn_process *role_start(const char *role, const char *kind, const char *path, const char *connections);
/// Waits for its end, forgets it and returns its status.
int32_t role_finish(gn_process *process);
/// Ends it at once and waits until it has ended.
void role_kill(gn_process *process);

/// The second process. Its exit status: 0 when all was well and nothing was left open.
int role_main(int count, char **arguments);

#endif
