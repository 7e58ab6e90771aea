// Handles that reach the peer as numbers.
//
// Whoever lends a handle opens the peer's process, puts a copy into its table and sends the copy's number among other bytes. A descriptor that comes with a message on Unix is the kernel's
// word; a number is the peer's, and a liar may name any handle that we have. To map what it names would put a stranger's bytes into a neighbour's memory, and to close it would
// pull away what somebody else stands on. So a number is claimed before it is used, and what is refused there was neither mapped nor closed. It has to be the number of a section,
// with exactly the rights that lending gives, which a section of a program's own as good as never has, and must not be marked as kept.
//
// The mark is the kernel's: a handle that is protected from closing. This layer has it on every section handle that it keeps, from the making or the claiming to the closing,
// so the table of handles is its own registry and cannot be out of date. What remains is that one peer names what another has lent and we have not claimed yet: it gets the other's
// stream in its own place, and the other is refused. It could as well have passed the bytes on.
#include "win32.h"

#if defined(_WIN32)

/// Numbers are multiples of four, of which the kernel ignores the rest, and have 31 bits. The negative ones stand for this process, this thread and their like.
static bool is_number(uint64_t number) { return number != 0 && number % 4 == 0 && number <= INT32_MAX; }

// MARK: Ours

bool gnp_handle_keep(HANDLE handle) {
    return !gnp_fails("SetHandleInformation") && SetHandleInformation(handle, HANDLE_FLAG_PROTECT_FROM_CLOSE, HANDLE_FLAG_PROTECT_FROM_CLOSE);
}

void gnp_handle_close(HANDLE handle) {
    if (handle == NULL || handle == INVALID_HANDLE_VALUE) return;
    DWORD kept = GetLastError();
    (void)SetHandleInformation(handle, HANDLE_FLAG_PROTECT_FROM_CLOSE, 0);
    SetLastError(kept);
    gnp_close(handle);
}

// MARK: Sections

NTSYSAPI NTSTATUS NTAPI NtQuerySection(HANDLE section, int kind, PVOID information, SIZE_T size, PSIZE_T needed);

/// The kinds of information that are asked for here: each the first one.
enum { BASIC = 0 };

bool gnp_section_look(HANDLE section, gnp_section_information *information) {
    return NtQuerySection(section, BASIC, information, sizeof *information, NULL) == 0;
}

/// Whether a handle leads to a section, and with which rights. One without SECTION_QUERY cannot be told from another object.
static bool is_section(HANDLE handle, ACCESS_MASK *rights) {
    gnp_section_information section;
    PUBLIC_OBJECT_BASIC_INFORMATION object;
    if (!gnp_section_look(handle, &section)) return false;
    if (NtQueryObject(handle, (OBJECT_INFORMATION_CLASS)BASIC, &object, sizeof object, NULL) != 0) return false;
    *rights = object.GrantedAccess;
    return true;
}

// MARK: Lending

/// Copies a handle into a process. A section loses all rights but those to map it: a peer has no business with its descriptor or its owner. Of any other kind of object the caller
/// knows what it is for, and has opened it with those rights.
static DWORD copy_into(HANDLE process, HANDLE handle, HANDLE *copy) {
    ACCESS_MASK rights;
    bool section = is_section(handle, &rights);
    if (gnp_fails("DuplicateHandle")) return GetLastError();
    BOOL copied = DuplicateHandle(GetCurrentProcess(), handle, process, copy, section ? rights & GNP_SECTION_LENT : 0, FALSE, section ? 0 : DUPLICATE_SAME_ACCESS);
    return copied ? 0 : GetLastError();
}

gn_outcome gn_channel_lend_handle(gn_channel *channel, gn_handle handle, uint64_t *number, gn_error *error) {
    DWORD id, flags;
    HANDLE process, copy;
    // A negative one stands for this very process, with every right to it. And one of nothing must be found out before the next handle is made here, which would get its number.
    if (handle < 0 || !is_number((uint64_t)handle) || !GetHandleInformation((HANDLE)handle, &flags)) return gnp_fail(error, GN_CODE_INVALID, ERROR_INVALID_HANDLE, "DuplicateHandle");
    if (gnp_peer_process_id(channel, &id, error) != GN_DONE) return GN_FAILED;
    if (gnp_peer_process_open(channel, id, PROCESS_DUP_HANDLE, &process, error) != GN_DONE) return GN_FAILED;
    DWORD native = copy_into(process, (HANDLE)handle, &copy);
    // A process that is ending takes nothing any more, and says that it is not allowed.
    bool gone = native != 0 && !gnp_process_lives(process);
    gnp_close(process);
    if (gone) return gnp_fail(error, GN_CODE_NOT_FOUND, (int32_t)native, "DuplicateHandle");
    if (native != 0) return gnp_fail_native(error, native, "DuplicateHandle");
    *number = (uint64_t)(uintptr_t)copy;
    return GN_DONE;
}

// MARK: Claiming

gn_outcome gn_handle_claim(uint64_t number, gn_handle *handle, gn_error *error) {
    static SRWLOCK lock = SRWLOCK_INIT;
    HANDLE named = (HANDLE)(uintptr_t)number;
    DWORD flags;
    ACCESS_MASK rights;
    if (!is_number(number)) return gnp_fail(error, GN_CODE_UNSAFE, ERROR_INVALID_HANDLE, "gn_handle_claim");
    // Of two who name the same number one is refused.
    AcquireSRWLockExclusive(&lock);
    bool free = GetHandleInformation(named, &flags) && flags == 0 && is_section(named, &rights) && rights == GNP_SECTION_LENT;
    bool marked = free && gnp_handle_keep(named);
    DWORD native = GetLastError();
    ReleaseSRWLockExclusive(&lock);
    if (!free) return gnp_fail(error, GN_CODE_UNSAFE, ERROR_INVALID_HANDLE, "gn_handle_claim");
    if (!marked) return gnp_fail_native(error, native, "SetHandleInformation");
    *handle = (gn_handle)named;
    return GN_DONE;
}

#endif
