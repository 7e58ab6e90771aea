// win32.h: the objects behind the contract on Windows.
//
// Everything goes through the wide interfaces, so that names are UTF-8 here and UTF-16 there whatever code page a program has chosen. A wrapper around a system call
// has one shape: gnp_fails lets a fault script answer in the kernel's place, and the caller then looks at the result and GetLastError().
//
// An overlapped operation belongs to the kernel until it has told its end, so it is a record of its own (gnp_operation) that outlives the channel where it must.
#ifndef GNP_WIN32_H
#define GNP_WIN32_H

#include "../internal.h"

#if defined(_WIN32)

#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif
#ifndef NOMINMAX
#define NOMINMAX
#endif
#if !defined(_WIN32_WINNT) || _WIN32_WINNT < 0x0A00
#undef _WIN32_WINNT
#define _WIN32_WINNT 0x0A00  // Windows 10
#endif
#include <windows.h>
#include <winternl.h>

// MARK: Calls

/// True, with the last error set, when a fault script answers for this call.
static inline bool gnp_fails(const char *operation) {
    int32_t native;
    if (!gnp_fault(operation, &native)) return false;
    SetLastError((DWORD)native);
    return true;
}

/// The portable code of a GetLastError() value.
gn_code gnp_code_of(DWORD native);

/// Fails with a native code.
gn_outcome gnp_fail_native(gn_error *error, DWORD native, const char *operation);

/// Fails with the current last error.
gn_outcome gnp_fail_last(gn_error *error, const char *operation);

/// Fails because gnp_allocate did.
gn_outcome gnp_fail_memory(gn_error *error);

/// Closes a handle and leaves the last error alone; NULL and INVALID_HANDLE_VALUE are allowed.
void gnp_close(HANDLE handle);

/// The Windows error of an NTSTATUS; 0 for success.
DWORD gnp_error_of_status(ULONG_PTR status);

// MARK: Text (text.c)

/// A UTF-16 copy, to be freed; NULL with the last error set, also when `text` is not UTF-8.
WCHAR *gnp_wide(const char *text);

/// Writes UTF-8; false when it does not fit, and then the text is empty.
bool gnp_narrow(const WCHAR *wide, char *text, size_t capacity);

// MARK: Security (security.c)

enum { GNP_SID_TEXT = 192 };

/// What a client of a pipe may do: read, write and look, but not FILE_CREATE_PIPE_INSTANCE (4), which generic write would include and which lets the holder pose as the service.
#define GNP_PIPE_CLIENT 0x12019Bu

/// A descriptor for a new object: owned by this user, protected from inheriting, open to nobody else unless `others` (an access entry in SDDL, or "") says so. To be freed with LocalFree.
PSECURITY_DESCRIPTOR gnp_descriptor(const char *others, gn_error *error);

/// The access entries in SDDL for the mode and group of an endpoint; false when the mode means nothing here or the group does not exist.
bool gnp_access_of_mode(const gn_listen_options *options, char *entries, size_t capacity);

/// The user of a token as a string. False with the last error.
bool gnp_sid_of_token(HANDLE token, char sid[GNP_SID_TEXT]);
/// This process's user.
bool gnp_sid_own(char sid[GNP_SID_TEXT]);
/// The owner of a kernel object, as its descriptor names it. The handle needs READ_CONTROL.
bool gnp_sid_of_owner(HANDLE object, char sid[GNP_SID_TEXT]);
/// True when others than this user, SYSTEM and the administrators have one of these rights to the object.
bool gnp_open_to_others(HANDLE object, DWORD rights);

// MARK: Watches (watch.c)

typedef struct gnp_watch gnp_watch;

/// A packet of our own in a poller's port: news from another thread. It is freed by whoever comes last: the one who takes it from the port, or the watch.
typedef struct gnp_note {
    gnp_watch *watch;   ///< NULL when nobody wants to hear of it any more
    atomic_uint kinds;
    atomic_bool queued;
} gnp_note;

/// What a poller knows of a channel or listener.
struct gnp_watch {
    SRWLOCK lock;       ///< guards the poller and the note against threads that tell
    gn_poller *poller;  ///< NULL when in none
    gnp_note *note;
    uint64_t token;
};

/// Puts a watch into a poller. Errors: EXISTS, INVALID, NO_MEMORY.
gn_outcome gnp_watch_begin(gnp_watch *watch, gn_poller *poller, uint64_t token, gn_error *error);
void gnp_watch_end(gnp_watch *watch);

/// Reports events to the poller, if the watch is in one; where `wanted` is given only if that is set, which clears it. Any thread.
void gnp_watch_tell(gnp_watch *watch, uint32_t kinds, atomic_bool *wanted);

/// The same on the thread that waits on `poller`: fills in the event, where the watch is in that poller, and returns true.
bool gnp_watch_report(gnp_watch *watch, const gn_poller *poller, uint32_t kinds, atomic_bool *wanted, gn_event *event);

/// A note has been taken from the port. True when the event is filled in.
bool gnp_note_arrived(gnp_note *note, gn_event *event);

// MARK: Pollers (poller.c)

/// A number that no other poller of this process ever has.
uint64_t gnp_poller_number(const gn_poller *poller);
HANDLE gnp_poller_port(const gn_poller *poller);
/// A packet of an operation will come, which is `slow` when the peer decides how soon.
void gnp_poller_expect(gn_poller *poller, bool slow);
/// It has come, or will not.
void gnp_poller_expect_no_more(gn_poller *poller, bool slow);
void gnp_poller_post(gn_poller *poller, gnp_note *note);

// MARK: Overlapped operations (operation.c)

/// One overlapped operation at a time on one pipe: see operation.c.
typedef struct gnp_operation {
    OVERLAPPED overlapped;  ///< first, since a packet carries its address
    atomic_uint holders;    ///< the owner, and the kernel while the operation is pending
    SRWLOCK lock;           ///< guards `watch`
    CONDITION_VARIABLE ended;
    gnp_watch *watch;       ///< who hears of the end; NULL: nobody any more
    atomic_bool *wanted;    ///< when given, the end is told only if this is set, and clears it
    HANDLE pipe;
    gn_poller *poller;      ///< direct: whose port the packet comes to; NULL: bridged
    uint32_t kind;          ///< the event that its end is
    uint32_t lost;          ///< and what it is besides when the pipe is broken
    bool slow;              ///< the peer decides how long it is pending
    bool owns_pipe;         ///< closes the pipe in the end
    atomic_bool pending;
    DWORD error;            ///< how the last one ended; 0: well
    HANDLE event;           ///< bridged
    PTP_WAIT bridge;        ///< bridged, made when it is first needed
    PTP_TIMER limit;        ///< cancels what takes too long to leave
    uint8_t *buffer;        ///< what is written
    size_t room;
} gnp_operation;

/// Makes a record for operations on `pipe`; direct when `poller` is given. NULL with the last error.
gnp_operation *gnp_operation_make(HANDLE pipe, gn_poller *poller, gnp_watch *watch, uint32_t kind);

/// Before the system call.
void gnp_operation_begin(gnp_operation *operation);
/// After the system call, with what came of it. True when the operation is pending; otherwise it has ended, and `error` says how.
bool gnp_operation_begun(gnp_operation *operation, bool succeeded, DWORD native);

/// A packet of the operation has been taken from the port of `poller`. True when the event is filled in.
bool gnp_operation_arrived(gnp_operation *operation, gn_poller *poller, gn_event *event);

/// Lets go of the record. What is pending is cancelled, unless `leave_ns` is given: then it has so much time to end. With `owns_pipe` the pipe is closed after that.
void gnp_operation_drop(gnp_operation *operation, bool owns_pipe, uint64_t leave_ns);

// MARK: Objects

struct gn_channel {
    gnp_watch watch;
    HANDLE pipe;
    HANDLE event;                ///< of reads that must not wait
    bool server;                 ///< which end of the pipe it is
    uint64_t home;               ///< the poller whose port gets this pipe's packets: that is for ever. 0: none yet
    bool direct;                 ///< in that poller now
    gnp_operation *readiness;    ///< a read of no bytes, pending while the channel is empty
    gnp_operation *writing;
    atomic_bool wants_writable;  ///< a write returned GN_WOULD_BLOCK and no event has answered it yet
    uint64_t made_at;            ///< system time, in the kernel's units of 100 ns
};

/// Makes a channel of a connected overlapped pipe; closes it on failure.
gn_outcome gnp_channel_make(HANDLE pipe, bool server, gn_channel **channel, gn_error *error);

/// Starts to wait for bytes. GN_WOULD_BLOCK: there is nothing to read, and an event will come. GN_DONE: reading is worth trying. Errors: NO_DESCRIPTORS, NO_MEMORY.
gn_outcome gnp_channel_arm(gn_channel *channel, gn_error *error);

/// Takes a channel out of its poller, if it is in one.
void gnp_channel_leave(gn_channel *channel);

/// One instance of a listener's pipe, waiting for a client.
typedef struct gnp_instance {
    HANDLE pipe;
    gnp_operation *connecting;
} gnp_instance;

enum { GNP_INSTANCES = 32 };

struct gn_listener {
    gnp_watch watch;
    WCHAR *name;
    PSECURITY_DESCRIPTOR descriptor;
    size_t count, next;  ///< instances, and which one is looked at first
    gnp_instance instances[GNP_INSTANCES];
};

/// Makes an instance and lets it wait. Errors: as gn_listener_open.
gn_outcome gnp_instance_open(gn_listener *listener, bool first, gnp_instance *instance, gn_error *error);
void gnp_instance_close(gnp_instance *instance);
/// Lets it wait for a client.
void gnp_instance_wait(gnp_instance *instance);
/// True when a client has come to one of the instances.
bool gnp_listener_is_ready(gn_listener *listener);
/// The instance to which one has come, or NULL.
gnp_instance *gnp_listener_next(gn_listener *listener);

// MARK: Pipes (pipe.c)

/// Bytes that the kernel keeps for each direction of a pipe.
enum { GNP_PIPE_ROOM = 2 * GN_WRITE_UNIT };

/// What a handle leads to.
typedef struct gnp_pipe_state {
    bool server, overlapped, duplex, connected;
} gnp_pipe_state;

/// Looks at a handle; false with the last error when it is no pipe.
bool gnp_pipe_look(HANDLE pipe, gnp_pipe_state *state);

/// Checks the full name of a local pipe and converts it; to be freed. Errors: INVALID, NAME_TOO_LONG, NO_MEMORY.
gn_outcome gnp_pipe_name(const char *path, WCHAR **name, gn_error *error);

/// Makes an instance of a pipe, and when it is the first, only if the name is free. EXISTS: it is not.
gn_outcome gnp_pipe_create(const WCHAR *name, PSECURITY_DESCRIPTOR descriptor, bool first, DWORD most, HANDLE *pipe, gn_error *error);

/// Connects to a pipe. BUSY: every instance is taken.
gn_outcome gnp_pipe_connect(const WCHAR *name, HANDLE *pipe, gn_error *error);

/// Who has a pipe's name: nobody (GN_DONE), a living service of ours (BUSY), or a stranger (UNSAFE).
gn_outcome gnp_name_judge(const WCHAR *name, const char *path, gn_endpoint_facts *facts, gn_error *error);

/// Of an inherited descriptor the handle; other handles are what they are.
HANDLE gnp_inherited(gn_handle handle);

// MARK: The process at the other end (peer_process.c)

/// The number of the process that opened the other end, as the kernel noted it. Errors: OTHER.
gn_outcome gnp_peer_process_id(const gn_channel *channel, DWORD *id, gn_error *error);

/// Opens the process of that number with PROCESS_QUERY_LIMITED_INFORMATION, SYNCHRONIZE and `rights`, if it lives and was there before the connection. NOT_FOUND: it is gone, or another
/// one has its number by now. DENIED: one of the rights is missing.
gn_outcome gnp_peer_process_open(const gn_channel *channel, DWORD id, DWORD rights, HANDLE *process, gn_error *error);

bool gnp_process_lives(HANDLE process);

// MARK: Handles that are ours (lending.c)

/// What a lent section may be used for: to be asked for its kind and size, and to be mapped.
#define GNP_SECTION_LENT (SECTION_QUERY | SECTION_MAP_READ | SECTION_MAP_WRITE)

/// What the kernel tells of a section (SectionBasicInformation).
typedef struct gnp_section_information {
    PVOID base;
    ULONG attributes;
    LARGE_INTEGER size;
} gnp_section_information;

/// False for what is no section, or may not be asked.
bool gnp_section_look(HANDLE section, gnp_section_information *information);

/// Marks a handle as one that this layer keeps, so that no peer can name it as its own. False with the last error.
bool gnp_handle_keep(HANDLE handle);

/// Closes a handle, marked or not; as gnp_close.
void gnp_handle_close(HANDLE handle);

/// SHA-256 of a program's file; false when it cannot be read or is larger than GN_DIGEST_LIMIT.
bool gnp_program_digest(const WCHAR *path, uint8_t digest[32]);

#endif  // _WIN32

#endif
