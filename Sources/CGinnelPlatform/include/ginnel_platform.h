// ginnel_platform.h: the contract between Ginnel and the operating system.
//
// This header, with ginnel_digest.h, ginnel_handles.h, ginnel_memory.h and ginnel_process.h, is the only door to the OS. `posix/` holds what Linux and macOS share, `linux/` and `darwin/` what differs; `windows/` meets
// the same clauses with named pipes and I/O completion ports. Nothing here decides: it performs one operation and says what came of it. Policy lives above, in Swift.
//
// Rules that hold for every function
//
//  - No call blocks unless its comment says so; none raises a signal; none prints; none calls exit or abort.
//  - EINTR never reaches the caller: the operation is repeated.
//  - A function that can fail takes `gn_error *error` last (never NULL) and fills it in exactly when it fails.
//  - Objects are opaque and owned by the caller, who ends each with the one function named in its comment.
//  - Strings are UTF-8 and end with NUL. Output buffers have a capacity in bytes that includes the NUL.
//  - An object is used by one thread at a time, except where a comment says "any thread".
//  - The two directions of a channel are two objects in this respect: one thread may read while another writes.
//  - What belongs to a poller is added, removed, closed and aborted by the thread that waits on it, or while nobody waits.
//  - Descriptors and handles that are created here are never inherited by a child unless whoever starts it says so.
//
// Readiness
//
//  A channel or listener that was added to a poller reports an event after an operation on it has returned
//  GN_WOULD_BLOCK (or `drained`), once it is worth trying again. The caller therefore tries until GN_WOULD_BLOCK, and
//  keeps in mind that something is ready when it stops early of its own accord: the event does not come twice. Events may
//  be spurious. (POSIX: edge-triggered epoll, kqueue with EV_CLEAR. Windows: a zero-byte overlapped read that is started
//  when `read` returns GN_WOULD_BLOCK, and the completion of the one pending write.)
#ifndef GINNEL_PLATFORM_H
#define GINNEL_PLATFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if UINTPTR_MAX < UINT64_MAX
#error "Ginnel needs a 64-bit target: indices and sizes are 64 bits wide."
#endif

#ifdef __cplusplus
extern "C" {
#endif

// MARK: Errors

/// Portable codes. The numbers are part of the contract; 14 is not in use.
typedef enum gn_code {
    GN_CODE_OTHER = 1,            ///< anything without a code of its own; `native` tells
    GN_CODE_NOT_FOUND = 2,        ///< no such file, pipe, process or user
    GN_CODE_REFUSED = 3,          ///< the name exists and nobody listens behind it
    GN_CODE_BUSY = 4,             ///< backlog full, every pipe instance taken, or a lock held by another: try again later
    GN_CODE_EXISTS = 5,           ///< something is already there
    GN_CODE_DENIED = 6,           ///< the operating system does not allow it
    GN_CODE_NAME_TOO_LONG = 7,    ///< a path or name over the limit of the OS
    GN_CODE_INVALID = 8,          ///< an argument is outside what the contract allows
    GN_CODE_RESET = 9,            ///< the peer is gone and bytes may have been lost
    GN_CODE_NO_DESCRIPTORS = 10,  ///< the process or the system has no descriptor left
    GN_CODE_NO_MEMORY = 11,       ///< memory or kernel buffers ran out
    GN_CODE_NO_SPACE = 12,        ///< disk or quota full
    GN_CODE_UNSUPPORTED = 13,     ///< this platform, kernel or object cannot do it
    GN_CODE_UNSAFE = 15,          ///< a file system object is not ours or is open to others; see gn_endpoint_facts
    GN_CODE_NOT_A_SOCKET = 16,    ///< something that is no socket stands at a socket's path
} gn_code;

/// What failed. `operation` is a static string that names the system call or step ("connect", "flock").
typedef struct gn_error {
    gn_code code;
    int32_t native;         ///< errno or GetLastError(); 0 where the failure has none
    const char *operation;
} gn_error;

/// Writes the system's sentence for a native code ("No such file or directory"). Any thread.
void gn_error_describe(int32_t native, char *text, size_t capacity);

/// What became of one attempt.
typedef enum gn_outcome {
    GN_DONE = 0,         ///< done; counts are filled in
    GN_WOULD_BLOCK = 1,  ///< nothing done; an event will say when to try again
    GN_END = 2,          ///< read only: the peer has closed its sending side and everything before was read
    GN_FAILED = 3,       ///< failed; the error is filled in
} gn_outcome;

// MARK: Channels

/// A connected byte stream with a known peer. Ended by gn_channel_close or gn_channel_abort.
typedef struct gn_channel gn_channel;

/// Bytes lent for the length of a call.
typedef struct gn_span {
    const void *bytes;
    size_t count;
} gn_span;

/// A descriptor or handle that travels between processes.
typedef intptr_t gn_handle;
#define GN_NO_HANDLE ((gn_handle)-1)

/// Descriptors that one write may carry.
#define GN_HANDLES_PER_WRITE 16

/// Received descriptors that a channel keeps until they are taken. A message that brings more than there is room for loses all of its own (gn_channel_lost_handles).
#define GN_HANDLES_WAITING 64

/// Bytes that every implementation can take in one write when none is pending.
#define GN_WRITE_UNIT 65536

/// Reads up to `capacity` (at least 1) bytes. GN_DONE: `*count` is at least 1, and `*drained` says that trying again before
/// the next event is pointless. Descriptors that came with the bytes wait in the channel (gn_channel_take_handle) between gn_channel_accept_handles
/// and gn_channel_refuse_handles, and are closed unseen at any other time. One read brings the descriptors of one write at most. Bytes never fail for want of a place for their descriptors: they
/// come without them (gn_channel_lost_handles).
/// Errors: RESET, NO_MEMORY, OTHER.
gn_outcome gn_channel_read(gn_channel *channel, void *bytes, size_t capacity, size_t *count, bool *drained, gn_error *error);

/// Offers `span_count` (1 to 64) spans with at least one byte in all, in order; the channel has taken the first `*count` bytes when it returns GN_DONE, and
/// the caller may reuse the memory. A channel takes at least one byte unless it returns GN_WOULD_BLOCK; it need not take more
/// than GN_WRITE_UNIT. A failure may surface on the next call rather than on the one that caused it, so GN_DONE never means
/// that the peer has the bytes. What the peer sent before is still readable after a failed write.
/// Errors: RESET (the peer is gone), NO_MEMORY, INVALID, OTHER.
gn_outcome gn_channel_write(gn_channel *channel, const gn_span *spans, size_t span_count, size_t *count, gn_error *error);

/// Ends the sending side; the peer reads GN_END after the last byte. Errors: UNSUPPORTED (pipes), RESET.
gn_outcome gn_channel_half_close(gn_channel *channel, gn_error *error);

/// Ends the channel and lets the peer read everything that was written, for at most `drain_limit_ns` where the platform has to
/// wait for it (it does so on its own; the call does not block). The channel is gone for the caller. Removes it from its poller.
void gn_channel_close(gn_channel *channel, uint64_t drain_limit_ns);

/// Ends the channel at once; what the peer has not read may be lost. Removes it from its poller.
void gn_channel_abort(gn_channel *channel);

/// Two connected channels in this process. Errors: NO_DESCRIPTORS, NO_MEMORY.
gn_outcome gn_channel_pair(gn_channel **first, gn_channel **second, gn_error *error);

/// Makes a channel of a connected local stream that this process inherited. On success the channel owns the descriptor;
/// on failure the caller keeps it. Errors: INVALID (not a connected local stream).
gn_outcome gn_channel_adopt(gn_handle handle, gn_channel **channel, gn_error *error);

/// Gives up the channel and returns its descriptor, to be handed to a child (gn_process_start).
gn_handle gn_channel_release(gn_channel *channel);

/// Sets the kernel's buffer sizes, in bytes; 0 leaves one alone. A hint: the kernel rounds and caps. Errors: OTHER.
gn_outcome gn_channel_set_buffers(gn_channel *channel, size_t send, size_t receive, gn_error *error);

/// Connects to a listening endpoint without waiting. Paths over the system's limit work where the OS has a way (Linux) and fail
/// with NAME_TOO_LONG elsewhere. Errors: NOT_FOUND, REFUSED, BUSY (full backlog: try again by timer), DENIED, NAME_TOO_LONG,
/// NOT_A_SOCKET, NO_DESCRIPTORS, NO_MEMORY, INVALID (an empty path). macOS says REFUSED for a full backlog too.
gn_outcome gn_channel_connect(const char *path, gn_channel **channel, gn_error *error);

// MARK: Endpoints and listeners

/// What stands at an endpoint's path; enough to write an error that names owner, mode and remedy.
typedef struct gn_endpoint_facts {
    bool directory_exists, socket_exists, lock_exists;
    bool directory_is_link, socket_is_link, socket_is_socket;
    bool lock_held;                 ///< a live service holds the lock
    bool answers;                   ///< somebody accepts connections; filled in by gn_endpoint_inspect, and by gn_listener_open where it had to ask
    uint32_t directory_owner, directory_group, directory_mode;  ///< mode: permission bits, 07777
    uint32_t socket_owner, socket_group, socket_mode;
    uint32_t lock_owner, lock_mode;
    uint32_t lock_holder;           ///< process id written in the lock file, 0 when unknown
    char offender[1024];            ///< the path that caused UNSAFE, DENIED or NOT_A_SOCKET, else empty
} gn_endpoint_facts;

/// How to listen. Modes are permission bits.
typedef struct gn_listen_options {
    const char *path;         ///< absolute path of the socket, or the full name of the pipe
    bool create_directory;    ///< make the directory when it is missing (its parent must exist)
    bool shared_directory;    ///< accept a directory of root that is sticky (/tmp), and any directory of ours closed to others
    uint32_t directory_mode;  ///< exact mode of the directory: 0700, 0750 or 0755
    uint32_t socket_mode;     ///< exact mode of the socket: 0600, 0660 or 0666
    int64_t group;            ///< group id for directory and socket, or -1
    int32_t backlog;          ///< 1 to 4096
} gn_listen_options;

/// A listening endpoint. Ended by gn_listener_close.
typedef struct gn_listener gn_listener;

/// Starts to listen: prepares and checks the directory (ours, closed to others as `directory_mode` says, no symbolic link), takes
/// the lock file `<path>.lock` for the life of the listener, removes a stale socket under that lock (never a live one, never
/// something that is no socket), binds, sets mode and group, checks both again. Blocks only for file system work.
/// A directory of ours in which nobody else can write is brought to the exact mode and group; with `shared_directory` one that exists
/// is left as it is.
/// Errors: BUSY (a live service holds the lock or answers), UNSAFE, NOT_A_SOCKET, DENIED, NOT_FOUND (the parent directory is missing),
/// NAME_TOO_LONG, NO_SPACE, NO_DESCRIPTORS, NO_MEMORY, INVALID (an option). `*facts` is always filled in as far as was seen.
gn_outcome gn_listener_open(const gn_listen_options *options, gn_listener **listener, gn_endpoint_facts *facts, gn_error *error);

/// Makes a listener of an inherited listening descriptor. It removes nothing when it closes. Errors: INVALID (Windows: always).
gn_outcome gn_listener_adopt(gn_handle handle, gn_listener **listener, gn_error *error);

/// Takes one waiting connection. Errors: NO_DESCRIPTORS (use gn_listener_refuse), NO_MEMORY, OTHER. A client that has
/// come and gone is no error.
gn_outcome gn_listener_accept(gn_listener *listener, gn_channel **channel, gn_error *error);

/// For when descriptors have run out: takes one waiting connection with a descriptor that was kept in reserve, writes `count` bytes to
/// it as far as they fit, and closes it. GN_WOULD_BLOCK when nobody waits. Errors: NO_DESCRIPTORS (the reserve is gone too).
gn_outcome gn_listener_refuse(gn_listener *listener, const void *bytes, size_t count, gn_error *error);

/// Stops listening; removes socket and lock when they are still ours. The name is free for a successor when it returns (Windows: when its connections have ended too, which share it).
void gn_listener_close(gn_listener *listener);

/// Listening descriptors that a service manager passed to this process (the LISTEN_PID and LISTEN_FDS convention of systemd):
/// how many, and the first one. 0 when there are none or they are meant for another process.
size_t gn_inherited_listeners(gn_handle *first);

/// The kinds of endpoint whose name the platform turns into a path.
typedef enum gn_endpoint_kind {
    GN_ENDPOINT_USER = 0,    ///< a service of the current user
    GN_ENDPOINT_SYSTEM = 1,  ///< one service for all users
} gn_endpoint_kind;

/// The `index`-th place, best first, where the service `name` may listen; a service takes the first whose parent exists or can be
/// made, and a client probes them all in order. `needs_parent` tells that the parent of the socket's directory is ours to make too (mode
/// 0700). Errors: NOT_FOUND (no more), NAME_TOO_LONG (for the buffer), INVALID (a name with a slash, a NUL, or empty).
gn_outcome gn_endpoint_path(gn_endpoint_kind kind, const char *name, size_t index, char *path, size_t capacity, bool *needs_parent,
                            gn_error *error);

/// Makes one directory with mode 0700 when it is missing, and checks it: ours, a real directory, nobody else may write.
/// Errors: UNSAFE, DENIED, NOT_FOUND, NO_SPACE.
gn_outcome gn_directory_prepare(const char *path, gn_error *error);

/// Looks at an endpoint without changing anything; connects and closes at once to see whether somebody answers.
/// Never fails: what could not be seen is false or 0.
void gn_endpoint_inspect(const char *path, gn_endpoint_facts *facts);

/// Bytes a socket path may have without help (107 on Linux, 103 on macOS), and whether longer ones work all the same.
size_t gn_path_limit(bool *longer_works);

/// The group id of a group name. Errors: NOT_FOUND.
gn_outcome gn_group_id(const char *name, uint32_t *group, gn_error *error);

// MARK: Peer identity

/// Fields of gn_peer, as bits.
typedef enum gn_peer_field {
    GN_PEER_USER = 1,
    GN_PEER_GROUP = 2,
    GN_PEER_PROCESS = 4,
    GN_PEER_EXECUTABLE = 8,
    GN_PEER_DIGEST = 16,
    GN_PEER_SID = 32,
    GN_PEER_SESSION = 64,
} gn_peer_field;

/// Bytes of the largest program that is read for its digest. It is somebody else's file, and reading it holds up the caller.
enum { GN_DIGEST_LIMIT = 256 << 20 };

/// Who is at the other end, as the kernel says. `known` has a bit for each field that could be read; the others are zero.
typedef struct gn_peer {
    uint32_t known;
    uint32_t user, group;      ///< effective ids when the peer connected (POSIX)
    uint32_t process;          ///< process id when the peer connected
    uint32_t session;          ///< logon session (Windows)
    char sid[192];             ///< user SID as a string (Windows)
    char executable[4096];     ///< absolute path of the program; with " (deleted)" when the file is gone (Linux)
    uint8_t digest[32];        ///< SHA-256 of the program's file, whatever its name; unknown over GN_DIGEST_LIMIT bytes
} gn_peer;

/// Reads the peer's identity. `wanted` is a set of GN_PEER_ bits; USER, GROUP and PROCESS cost one system call, EXECUTABLE a few, DIGEST reads the
/// whole program (blocks for that long). Executable and digest are only reported when the process was the same before and after reading
/// (pidfd on Linux, audit token on macOS, process handle on Windows). The executable is reported only when the path names that file for this
/// process too (Linux: a process in another mount namespace can give any file any path). Errors: UNSUPPORTED, OTHER. A field that may not
/// be read is not an error.
gn_outcome gn_peer_identify(gn_channel *channel, uint32_t wanted, gn_peer *peer, gn_error *error);

/// This process's own user, group, process id and executable, in the same form. Any thread.
void gn_peer_self(gn_peer *self);

// MARK: Poller

/// Waits for many channels and listeners at once. Ended by gn_poller_close, after everything was removed.
typedef struct gn_poller gn_poller;

enum { GN_EVENT_READABLE = 1, GN_EVENT_WRITABLE = 2, GN_EVENT_HANGUP = 4, GN_EVENT_GONE = 8 };

typedef struct gn_event {
    uint64_t token;   ///< as given to gn_poller_add_*
    uint32_t kind;    ///< set of GN_EVENT_ bits. HANGUP: the peer sends no more, read until GN_END or an error. GONE: it takes no more either (where
                      ///< a platform cannot tell the two apart, HANGUP alone)
} gn_event;

#define GN_WAIT_FOR_EVER UINT64_MAX

/// How a poller waits. Both kinds keep the same contract, but for one clause: what is in a poller of the kind SCAN is read and accepted by the thread that waits on it, or while nobody waits.
typedef enum gn_poller_kind {
    GN_POLLER_QUEUE = 0,  ///< for many objects: the kernel keeps what is waited for and queues what happens (epoll, kqueue, an I/O completion port)
    GN_POLLER_SCAN = 1,   ///< for one object or a few: each wait says anew what it waits for, and the kernel keeps nothing in between (poll; Windows has no such
                          ///< way for pipes, and both kinds are the same)
} gn_poller_kind;

/// Errors: NO_DESCRIPTORS, NO_MEMORY.
gn_outcome gn_poller_open(gn_poller_kind kind, gn_poller **poller, gn_error *error);
void gn_poller_close(gn_poller *poller);

/// Descriptors that an empty poller of this kind has open; a doorbell in one may take one more.
size_t gn_poller_descriptors(gn_poller_kind kind);

/// Adds an object; it must be removed, closed or aborted before it can be added elsewhere. `token` is any number but UINT64_MAX.
/// Errors: NO_MEMORY, NO_SPACE (the system's limit of watches), EXISTS.
gn_outcome gn_poller_add_channel(gn_poller *poller, gn_channel *channel, uint64_t token, gn_error *error);
gn_outcome gn_poller_add_listener(gn_poller *poller, gn_listener *listener, uint64_t token, gn_error *error);
void gn_poller_remove_channel(gn_poller *poller, gn_channel *channel);
void gn_poller_remove_listener(gn_poller *poller, gn_listener *listener);

/// Waits up to `timeout_ns` (0: only looks; GN_WAIT_FOR_EVER) for events; `*count` of them on GN_DONE, 0 after time-out or wake and
/// now and then for no reason. Blocks.
/// An event for an object that was removed in the meantime is never reported. Errors: OTHER.
gn_outcome gn_poller_wait(gn_poller *poller, gn_event *events, size_t capacity, uint64_t timeout_ns, size_t *count, gn_error *error);

/// Makes the current or the next gn_poller_wait return. Any thread; never blocks; many wakes may become one.
void gn_poller_wake(gn_poller *poller);

// MARK: Threads and locks

/// A thread that was started. Ended by gn_thread_join.
typedef struct gn_thread gn_thread;

/// Runs `body(argument)` on a new thread named `name` (cut to what the OS keeps), with a stack of at least `stack_size` bytes, or of the system's own size when that
/// is 0. A stack is address space; memory stands behind what of it was touched. Signals are blocked in the thread, but for those that a thread causes itself (SIGSEGV and its
/// like). Errors: NO_MEMORY (a limit of threads too), OTHER.
gn_outcome gn_thread_start(const char *name, size_t stack_size, void (*body)(void *), void *argument, gn_thread **thread, gn_error *error);

/// Waits for the end of the thread. Blocks. Not from the thread itself.
void gn_thread_join(gn_thread *thread);

/// A number that differs between all live threads of the process, never 0. Any thread; a few nanoseconds.
uint64_t gn_thread_current(void);

/// A mutual exclusion lock; not recursive. Any thread. gn_mutex_create returns NULL when memory has run out.
typedef struct gn_mutex gn_mutex;
gn_mutex *gn_mutex_create(void);
void gn_mutex_destroy(gn_mutex *mutex);
void gn_mutex_lock(gn_mutex *mutex);
void gn_mutex_unlock(gn_mutex *mutex);

// MARK: Clocks, random bytes, limits, environment

/// Nanoseconds since some moment; stands still while the machine sleeps. Any thread.
uint64_t gn_clock_awake(void);
/// Nanoseconds since some moment; goes on while the machine sleeps. Any thread.
uint64_t gn_clock_continuous(void);
/// Processor time of this process, user and system together, in nanoseconds. Any thread.
uint64_t gn_clock_processor(void);

/// Fills `count` bytes from the system's generator. Any thread; blocks only before the generator is seeded at boot. Errors: OTHER.
gn_outcome gn_random(void *bytes, size_t count, gn_error *error);

/// Descriptors that this process may have open, and how many are open now (0 when it cannot be told).
void gn_descriptor_limit(uint64_t *limit, uint64_t *open_now);

/// Sets the limit of descriptors for this process. Errors: DENIED, INVALID.
gn_outcome gn_descriptor_limit_set(uint64_t limit, gn_error *error);

/// Processors that this process may use, at least 1.
uint32_t gn_processors_allowed(void);

/// Copies an environment variable; false when it is not set or does not fit.
bool gn_environment(const char *name, char *value, size_t capacity);

// MARK: Scripted faults, for tests

/// From the `skip`-th call on (0: the next), the next `times` calls of the named operation fail with `native` without reaching the
/// kernel; a `native` of 0 makes read and write operations move at most one byte instead. Operations are named as in gn_error. Any thread; process-wide.
/// Returns false when 16 scripts are already active.
bool gn_fault_add(const char *operation, uint32_t skip, uint32_t times, int32_t native);
/// Removes every script.
void gn_fault_clear(void);

// MARK: Scripted time and chance, for simulations

/// From now on both clocks show this, until the next call; 0: what the system's show. Waiting goes on in real time. Any thread; process-wide.
void gn_clock_script(uint64_t nanoseconds);
/// From now on gn_random gives numbers that follow from the seed, the same in every run; 0: the system's. They are no secret: for processes that simulate and do nothing else. Any thread; process-wide.
void gn_random_script(uint64_t seed);

#ifdef __cplusplus
}
#endif

#include "ginnel_digest.h"
#include "ginnel_handles.h"
#include "ginnel_memory.h"
#include "ginnel_process.h"

#endif
