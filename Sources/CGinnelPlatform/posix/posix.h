// posix.h: the objects behind the contract on Linux and macOS, and the few functions that differ between the two.
//
// A wrapper around a system call has one shape: GNP_RETRY performs it, repeats it on EINTR and lets a fault script answer in
// the kernel's place; the caller then looks at the result and errno.
#ifndef GNP_POSIX_H
#define GNP_POSIX_H

// glibc hides most of what follows from strict C11; error.c wants the standard's strerror_r and says so itself.
#if defined(__linux__) && !defined(_GNU_SOURCE) && !defined(_POSIX_C_SOURCE)
#define _GNU_SOURCE
#endif

#include "../internal.h"

#if !defined(_WIN32)

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/un.h>

// MARK: Calls

/// True, with errno set, when a fault script answers for this call.
static inline bool gnp_fails(const char *operation) {
    int32_t native;
    if (!gnp_fault(operation, &native)) return false;
    errno = native;
    return true;
}

/// Performs a system call that fails with -1 and errno.
#define GNP_RETRY(result, operation, call)                         \
    do {                                                           \
        (result) = gnp_fails(operation) ? -1 : (call);             \
    } while ((result) < 0 && errno == EINTR)

/// The portable code of an errno value.
gn_code gnp_code_of(int native);

/// Fails with the current errno.
gn_outcome gnp_fail_errno(gn_error *error, const char *operation);

/// Closes a descriptor and leaves errno alone; -1 is allowed. Not repeated on EINTR: the descriptor is gone either way.
void gnp_close(int descriptor);

// MARK: Objects

/// What a poller knows of a channel, a listener or a doorbell.
typedef struct gnp_watch {
    gn_poller *poller;           ///< NULL when in none
    uint64_t token;
    int descriptor;
    bool is_doorbell;            ///< Linux: whatever happens to it is a ring
    bool hung_up;                ///< HANGUP was reported: a short read no longer promises another event
    bool wants_readable;         ///< a read has found all there was and no event has answered it yet; asked by scans alone
    bool is_over;                ///< a scan has heard that nothing will come any more
    int edges;                   ///< of a doorbell in a scan (linux/scan.c)
    atomic_bool wants_writable;  ///< a write returned GN_WOULD_BLOCK and no event has answered it yet
} gnp_watch;

struct gn_channel {
    gnp_watch watch;
    bool takes_handles;
    bool lost_handles;                    ///< since gn_channel_lost_handles was last asked
    unsigned first_handle, handle_count;  ///< a ring of received descriptors
    int handles[GN_HANDLES_WAITING];
};

struct gn_listener {
    gnp_watch watch;
    int reserve;        ///< a descriptor to give up when there is no other left
    int directory;      ///< of the socket; every later step is relative to it. -1 when inherited
    int lock;           ///< the held lock file, -1 when inherited
    bool bound;         ///< the socket's file is ours to remove
    dev_t device;       ///< which file that is
    ino_t inode;
    char name[NAME_MAX + 1], lock_name[NAME_MAX + 1];
};

struct gn_segment {
    void *bytes;
    uint64_t size;
    int descriptor;  ///< -1 unless it is to be sent
};

struct gn_doorbell {
    gnp_watch watch;      ///< Linux: of the eventfd
    gn_channel *channel;  ///< macOS: where the byte goes
};

/// Makes a channel of a connected, non-blocking socket; closes it on failure.
gn_outcome gnp_channel_make(int descriptor, gn_channel **channel, gn_error *error);

/// Checks that an inherited descriptor is a local stream that listens or does not, and makes it non-blocking and private.
gn_outcome gnp_adopt(gn_handle handle, bool listening, gn_error *error);

// MARK: Pollers (posix/poller.c)

/// How a kind of poller does what the contract asks. What fails sets errno.
typedef struct gnp_poller_verbs {
    const char *adding, *waiting;  ///< the names of the steps in errors
    void (*close)(gn_poller *poller);
    int (*add)(gn_poller *poller, gnp_watch *watch);
    void (*forget)(gn_poller *poller, gnp_watch *watch);
    /// After the wish was noted. Any thread.
    int (*want_writable)(gn_poller *poller, gnp_watch *watch);
    /// How many events, or -1.
    int (*wait)(gn_poller *poller, gn_event *events, size_t capacity, uint64_t timeout_ns);
    /// Ends a wait. Any thread.
    void (*ring)(gn_poller *poller);
} gnp_poller_verbs;

/// The part that all kinds begin with.
struct gn_poller {
    const gnp_poller_verbs *verbs;
    atomic_bool rung;  ///< a wake is on its way
};

/// epoll or kqueue.
gn_outcome gnp_queue_open(gn_poller **poller, gn_error *error);
/// poll (posix/scan.c).
gn_outcome gnp_scan_open(gn_poller **poller, gn_error *error);
/// Descriptors that an empty one has.
extern const size_t gnp_queue_descriptors, gnp_scan_descriptors;

/// Sees to it that the watch reports GN_EVENT_WRITABLE; returns GN_WOULD_BLOCK.
gn_outcome gnp_poller_want_writable(gnp_watch *watch, gn_error *error);
/// Takes a watch out of its poller, if it is in one.
void gnp_poller_forget(gnp_watch *watch);

// MARK: Handles (posix/handles.c)

/// How many descriptors one read has room for. Linux closes those that find none, wanted or not. macOS puts all of a message into our table of descriptors, room or no room, and forgets
/// those that it could not hand out: there every read needs room for as many as a message can carry, which its limit of 2,048 bytes of control data keeps below 512.
#if defined(__linux__)
enum { GNP_HANDLES_ROOM = GN_HANDLES_WAITING, GNP_ALWAYS_ROOM = false };
#else
enum { GNP_HANDLES_ROOM = 512, GNP_ALWAYS_ROOM = true };
#endif

/// Room for the descriptors that one message may bring, aligned as control data has to be.
typedef union gnp_control {
    struct cmsghdr alignment;
    char bytes[CMSG_SPACE(sizeof(int) * GNP_HANDLES_ROOM)];
} gnp_control;

/// Moves received descriptors into the channel, or closes them where they are not wanted. When the kernel cut some off or they do not fit, all are closed and the loss is noted.
void gnp_handles_receive(gn_channel *channel, struct msghdr *message);

/// Puts descriptors into the control data of an outgoing message.
void gnp_handles_attach(struct msghdr *message, gnp_control *control, const gn_handle *handles, size_t count);

// MARK: Programs (posix/file.c)

/// SHA-256 of a program's file; false when it cannot be read or is larger than GN_DIGEST_LIMIT.
bool gnp_program_digest(const char *path, uint8_t digest[32]);

// MARK: Files of an endpoint

/// A socket's address, and the directory that is kept open where a long path needs one.
typedef struct gnp_address {
    struct sockaddr_un name;
    socklen_t length;
    int directory;
} gnp_address;

/// Connects to a path. BUSY means that somebody listens and cannot take one more.
gn_outcome gnp_connect(const char *path, int *descriptor, gn_error *error);

/// Opens and checks a socket's directory as the options say; makes it when they ask for it.
gn_outcome gnp_directory_open(const char *directory, const gn_listen_options *options, int *descriptor, gn_endpoint_facts *facts,
                              gn_error *error);

/// Takes the lock file `name` in an open directory; `path` is its full name, for the facts.
gn_outcome gnp_lock_take(int directory, const char *name, const char *path, int *descriptor, gn_endpoint_facts *facts, gn_error *error);

/// Removes the lock file while it is held, and lets go of it.
void gnp_lock_drop(int directory, const char *name, int descriptor);

/// The process id in an open lock file, or 0.
uint32_t gnp_lock_holder(int descriptor);

void gnp_facts_directory(gn_endpoint_facts *facts, const struct stat *status);
void gnp_facts_socket(gn_endpoint_facts *facts, const struct stat *status);
void gnp_facts_lock(gn_endpoint_facts *facts, const struct stat *status);

/// Fails and names the path that is to blame.
gn_outcome gnp_blame(gn_endpoint_facts *facts, const char *path, gn_code code, int native, const char *operation, gn_error *error);

/// Splits a path at its last slash; the directory of "/name" is "/". False when there is no directory, no name or too little room.
bool gnp_path_split(const char *path, char directory[PATH_MAX], char name[NAME_MAX + 1]);

// MARK: What differs (linux/ and darwin/)

#if defined(__linux__)
enum { GNP_RECEIVE_FLAGS = MSG_DONTWAIT | MSG_CMSG_CLOEXEC, GNP_SEND_FLAGS = MSG_DONTWAIT | MSG_NOSIGNAL };
#else
enum { GNP_RECEIVE_FLAGS = MSG_DONTWAIT, GNP_SEND_FLAGS = MSG_DONTWAIT };
#endif

/// Sockets that do not block, are not inherited and raise no signal; -1 with errno, after repeating on EINTR.
int gnp_socket_open(void);
int gnp_socket_pair(int pair[2]);
int gnp_socket_accept(int listener);
/// The name that accepting has in errors and fault scripts.
extern const char *const gnp_accept_operation;
/// Makes an inherited socket one of those.
int gnp_socket_prepare(int descriptor);
/// Makes a descriptor that has just been received private to this process.
void gnp_handle_prepare(int descriptor);

gn_outcome gnp_address_open(const char *path, gnp_address *address, gn_error *error);
void gnp_address_close(gnp_address *address);

/// The `index`-th base directory for endpoints of a kind, without a slash at its end; false when there are no more.
bool gnp_endpoint_base(gn_endpoint_kind kind, size_t index, char base[PATH_MAX], bool *needs_parent);

/// Makes a held lock visible to gnp_lock_seen, which tells whether somebody else holds it without ever taking it.
void gnp_lock_mark(int descriptor);
bool gnp_lock_seen(int descriptor);

/// What limits waits where the kernel has something better than a time-out: a timerfd (linux/timer.c).
typedef struct gnp_timer {
    int descriptor;  ///< -1 where there is none
    uint64_t armed;  ///< when it goes off, on the awake clock; 0 when it is not armed
} gnp_timer;

int gnp_timer_open(gnp_timer *timer);
#if defined(__linux__)
/// Sees to it that the timer goes off after so long or before; -1 with errno.
int gnp_timer_limit(gnp_timer *timer, uint64_t timeout_ns);
#endif
/// poll, for so long, and through signals. The first entry of the set is the timer's, and filled in here; on Linux it may end a wait before its time.
int gnp_poll(gnp_timer *timer, struct pollfd *set, size_t count, uint64_t timeout_ns);
/// The two ends of a bell that does not block, which may be one descriptor; -1 with errno.
int gnp_bell_open(int bell[2]);
extern const char *const gnp_bell_operation;
/// A descriptor that is readable when a doorbell was rung since gnp_edges_take; -1 with errno.
int gnp_edges_open(int doorbell);
void gnp_edges_take(int edges);

/// What poll says when the peer sends no more (0 where it has no word for it), and when it takes no more either.
extern const int gnp_poll_hangup, gnp_poll_gone;

/// Makes a shared memory object without a name, of exactly this size for good.
gn_outcome gnp_memory_make(uint64_t size, int *descriptor, gn_error *error);
/// Fails with UNSAFE unless a peer's descriptor is one of those, open for reading and writing.
gn_outcome gnp_memory_check(int descriptor, uint64_t size, gn_error *error);
/// Gives a new object its size, and memory to all of it.
gn_outcome gnp_memory_extend(int descriptor, uint64_t size, gn_error *error);
/// Sees to it that an existing object has memory for all its bytes, so that touching them cannot fail.
gn_outcome gnp_memory_reserve(int descriptor, uint64_t size, gn_error *error);

/// The UUID of this boot, with its dashes.
gn_outcome gnp_boot_uuid(char uuid[37], gn_error *error);

/// Names the calling thread.
void gnp_thread_name(const char *name);

/// The variables of this process, ended by NULL.
char **gnp_environment(void);

/// Adds what keeps other descriptors out of a child.
int gnp_spawn_prepare(posix_spawnattr_t *attributes, short *flags, posix_spawn_file_actions_t *actions, size_t inherited_count);

#endif  // !_WIN32

#endif
