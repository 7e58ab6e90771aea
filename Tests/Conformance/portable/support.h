// support.h: what the checks need around the contract, and the suites themselves.
#ifndef SUPPORT_H
#define SUPPORT_H

#include "ginnel_platform.h"

// MARK: What each platform provides (posix/support.c, windows/support.c)

/// Ends the process after so many seconds; 0 takes that back. A check that hangs must not hang the build.
void support_time_limit(unsigned seconds);

/// Descriptors or handles that this process has open.
uint64_t support_open_descriptors(void);

/// Parts of this process's memory that are mapped segments, among others that do not change; 0 where that cannot be told.
uint64_t support_mappings(void);

/// A name for an endpoint that no other check uses, and the options to listen there.
void support_endpoint(char path[512], gn_listen_options *options);

/// Removes what the endpoint has left on disk.
void support_endpoint_remove(const char *path);

/// A fresh directory for files; its path ends with the separator.
void support_directory(char path[512]);
/// Removes it with the files and empty directories in it.
void support_directory_remove(const char *path);
/// Writes a file that may be run as far as its mode goes.
void support_write_file(const char *path, const char *text);
/// Copies this program, with a byte more, and as long as `size` where that is more.
void support_copy_program(const char *path, uint64_t size);

/// An endpoint whose path has exactly so many bytes; to be removed as any other.
void support_long_endpoint(char path[512], size_t length, gn_listen_options *options);

/// The platform's own suites.
void support_suites(void);
/// Those of them that wait, for the other kind of poller.
void support_waiting_suites(void);

/// Why the system under this program cannot show a clause, or NULL: Wine, which is not quite Windows.
const char *support_difference(const char *sentence);
/// How many clauses have a difference and do not exist; prints them.
unsigned support_unknown_differences(void);

/// A child's part beyond the portable ones; -1 when there is none of that name.
int support_child(const char *role, int count, char **arguments);

// MARK: Two ends and a poller

/// The kind of poller that the suites work with.
extern gn_poller_kind poller_kind;
gn_outcome poller_open(gn_poller **poller, gn_error *error);

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
/// Writes until the channel is full; the number of bytes it took.
size_t ends_fill(struct ends *ends, uint64_t token);
/// Reads so many bytes, whatever they are.
void ends_discard(struct ends *ends, uint64_t token, size_t count);
/// Four bytes there and four back.
void ends_echo(struct ends *ends);
/// Accepts the next connection.
gn_channel *ends_accept(struct ends *ends);
/// The same as `b`, in the poller.
void ends_accept_b(struct ends *ends);
/// Looks until so many descriptors are open, at most ten seconds: what was closed may take a moment to leave.
void ends_await_descriptors(struct ends *ends, uint64_t count);

// MARK: Descriptors that travel (posix/support.c, windows/support.c)

/// Sends descriptors over a channel to a process at its other end, with one byte that is not 0.
void support_send(struct ends *ends, uint64_t token, uint32_t process, const gn_handle *handles, size_t count);
/// Takes the `count` descriptors that were sent so, at an end that accepts them.
void support_take(struct ends *ends, uint64_t token, gn_handle *handles, size_t count);
/// Sends one from `a` and takes it at `b`, both in this process.
gn_handle ends_pass(struct ends *ends, gn_handle handle);

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
/// What a supervised child does, or -1 when that is no role of one; `operand` may be NULL.
int supervision_child(const char *role, const char *operand);

/// Arguments that a command line would change if it were put together carelessly.
enum { ODD_ARGUMENTS = 17 };
extern const char *const odd_arguments[ODD_ARGUMENTS];

/// A child in a role, with a channel to it that it was given as number 3. The role is partner_meet, and partner_ready when it has done its part.
struct partner {
    gn_process *process;
    struct ends ends;  ///< `a` is our end
};
void partner_start(struct partner *partner, const char *const *role);
/// The same with another program, which has the roles of this one.
void partner_start_program(struct partner *partner, const char *program, const char *const *role);
/// Waits for one byte from it.
void partner_await(struct partner *partner);
/// Closes the channel and returns its exit status.
int32_t partner_finish(struct partner *partner);
/// In the child: the channel to the parent as `a`; false when there is none.
bool partner_meet(struct ends *ends);
/// In the child: says that it is ready, and waits until the parent hangs up.
void partner_ready(struct ends *ends);
/// The roles of partners; -1 when there is none of that name.
int partner_main(const char *role, int count, char **arguments);

// MARK: Suites

void suite_channels(void);
void suite_poller(void);
void suite_listener(void);
void suite_peer(void);
void suite_process(void);
void suite_supervision(void);
void suite_machine(void);
void suite_digests(void);
void suite_memory(void);
void suite_doorbell(void);
void suite_ways(void);
void suite_edges(void);
void suite_endings(void);
void suite_moves(void);
void suite_services(void);
void suite_names(void);
void suite_programs(void);

#endif
