// support.h: what the checks need around the contract, and the suites themselves.
#ifndef SUPPORT_H
#define SUPPORT_H

#include "ginnel_platform.h"

// MARK: What each platform provides (posix/support.c, windows/support.c)

/// Ends the process after so many seconds; 0 takes that back. A check that hangs must not hang the build.
void support_time_limit(unsigned seconds);

/// Descriptors or handles that this process has open.
uint64_t support_open_descriptors(void);

/// A name for an endpoint that no other check uses, and the options to listen there.
void support_endpoint(char path[512], gn_listen_options *options);

/// Removes what the endpoint has left on disk.
void support_endpoint_remove(const char *path);

/// The platform's own suites.
void support_suites(void);

/// A child's part beyond the portable ones; -1 when there is none of that name.
int support_child(const char *role, int count, char **arguments);

// MARK: Two ends and a poller

/// Two connected channels under tokens 1 and 2 of one poller, a listener under 3 where there is one, and the events that nobody
/// has waited for yet.
struct ends {
    gn_poller *poller;
    gn_listener *listener;
    gn_channel *a, *b;
    uint32_t seen[4];
    char path[512];
};

enum { TOKEN_A = 1, TOKEN_B = 2, TOKEN_LISTENER = 3 };

/// A connected pair.
void ends_pair(struct ends *ends);
/// The same over a listener: `a` has connected and `b` was accepted.
void ends_connect(struct ends *ends);
/// Only a listener.
void ends_listen(struct ends *ends, int backlog);
/// Closes everything that is still there.
void ends_finish(struct ends *ends);

/// Takes in events for up to `timeout_ns`.
void ends_look(struct ends *ends, uint64_t timeout_ns);
/// Waits for one of the events for a token, at most ten seconds, and forgets it.
void ends_await(struct ends *ends, uint64_t token, uint32_t kinds);
/// The next outcome of reading that is not GN_WOULD_BLOCK.
gn_outcome ends_read(struct ends *ends, uint64_t token, void *bytes, size_t capacity, size_t *count, gn_error *error);
/// Reads exactly so many bytes.
void ends_read_exactly(struct ends *ends, uint64_t token, void *bytes, size_t count);
/// Reads until GN_END and returns the number of bytes.
size_t ends_read_to_end(struct ends *ends, uint64_t token);
/// Writes all of it.
void ends_write(struct ends *ends, uint64_t token, const void *bytes, size_t count);
/// Accepts the next connection.
gn_channel *ends_accept(struct ends *ends);

// MARK: Descriptors that travel (posix/support.c, windows/support.c)

/// Sends descriptors over a channel to a process at its other end, with one byte that is not 0.
void support_send(struct ends *ends, uint64_t token, uint32_t process, const gn_handle *handles, size_t count);
/// Takes the `count` descriptors that were sent so, at an end that accepts them.
void support_take(struct ends *ends, uint64_t token, gn_handle *handles, size_t count);
/// Sends one from `a` and takes it at `b`, both in this process.
gn_handle ends_pass(struct ends *ends, gn_handle handle);

/// More rings than a doorbell's channel has room for.
unsigned support_many_rings(void);

// MARK: Shared memory

enum { SEGMENT_NAME = 24 };

/// A name for a segment that no other check uses.
void segment_name(char name[SEGMENT_NAME]);
gn_segment *segment_create(uint64_t size);

/// What a child does that has been sent a segment and a doorbell: it answers in the one and rings the other.
int answer_in_memory(const char *path);

// MARK: Children

/// Starts this program in a role ("exit", "7", NULL).
gn_process *child_start(const char *const *role, const gn_handle *inherited, size_t inherited_count, gn_handle output);
/// Waits for its end, forgets it and returns its status.
int32_t child_finish(gn_process *process);
/// What a child does; its exit status.
int child_main(int count, char **arguments);

// MARK: Suites

void suite_channels(void);
void suite_poller(void);
void suite_listener(void);
void suite_peer(void);
void suite_process(void);
void suite_machine(void);
void suite_memory(void);
void suite_doorbell(void);
void suite_ways(void);

#endif
