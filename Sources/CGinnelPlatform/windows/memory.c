// Shared memory: mappings of the paging file, with a name or without.
//
// Their size is fixed when they are made. A peer may send a mapping of another kind, whose pages can be missing when they are touched: of a file on a disk that goes away,
// or one whose memory was never committed. So what kind it is, and how large, is asked of the kernel before it is used.
//
// Names live in the session ("Local\"), so that no privilege is needed and other sessions do not see them. The kernel removes a name with its last handle and view.
#include "win32.h"

#if defined(_WIN32)

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct gn_segment {
    HANDLE mapping;  ///< NULL unless it is to be sent, or keeps the name
    bool named;
    void *bytes;
    uint64_t size;
};

enum { LONGEST_NAME = 200, PAGE = 4096 };

/// The kinds of a section that are wanted or not.
enum { COMMITTED = 0x8000000, FILE_BACKED = 0x800000, IMAGE = 0x1000000, RESERVED = 0x4000000 };

size_t gn_segment_name_limit(void) { return LONGEST_NAME; }

// MARK: Names

static gn_outcome wide_name(const char *name, WCHAR wide[LONGEST_NAME + 8], gn_error *error) {
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    size_t length = strlen(name);
    if (length == 0 || strspn(name, allowed) != length) return gnp_fail(error, GN_CODE_INVALID, ERROR_INVALID_NAME, "CreateFileMappingW");
    if (length > LONGEST_NAME) return gnp_fail(error, GN_CODE_NAME_TOO_LONG, ERROR_FILENAME_EXCED_RANGE, "CreateFileMappingW");
    memcpy(wide, L"Local\\", 6 * sizeof *wide);
    for (size_t i = 0; i <= length; i++) wide[6 + i] = (WCHAR)(unsigned char)name[i];
    return GN_DONE;
}

gn_outcome gn_segment_remove(const char *name, gn_error *error) {
    WCHAR wide[LONGEST_NAME + 8];
    return wide_name(name, wide, error);
}

// MARK: Making and mapping

/// Maps all of it and makes the object; it takes the mapping over, whatever comes of it, and keeps it where asked.
static gn_outcome map(HANDLE mapping, uint64_t size, bool keep, bool named, gn_segment **segment, gn_error *error) {
    gn_segment *made = gnp_allocate(sizeof *made);
    if (made == NULL) {
        gnp_handle_close(mapping);
        return gnp_fail_memory(error);
    }
    const char *operation = "SetHandleInformation";
    if (!keep || gnp_handle_keep(mapping)) {
        operation = "MapViewOfFile";
        made->bytes = gnp_fails(operation) ? NULL : MapViewOfFile(mapping, FILE_MAP_READ | FILE_MAP_WRITE, 0, 0, (SIZE_T)size);
    }
    if (made->bytes == NULL) {
        DWORD native = GetLastError();
        gnp_handle_close(mapping);
        free(made);
        return gnp_fail_native(error, native, operation);
    }
    // The view keeps the memory.
    if (!keep) gnp_handle_close(mapping);
    made->mapping = keep ? mapping : NULL;
    made->named = named;
    made->size = size;
    *segment = made;
    return GN_DONE;
}

static gn_outcome create(const WCHAR *name, uint64_t size, gn_segment **segment, gn_error *error) {
    if (size < GN_SEGMENT_MINIMUM || size > GN_SEGMENT_MAXIMUM) return gnp_fail(error, GN_CODE_INVALID, 0, "CreateFileMappingW");
    PSECURITY_DESCRIPTOR descriptor = gnp_descriptor("", error);
    if (descriptor == NULL) return GN_FAILED;
    SECURITY_ATTRIBUTES attributes = {.nLength = sizeof attributes, .lpSecurityDescriptor = descriptor, .bInheritHandle = FALSE};
    SetLastError(0);
    HANDLE mapping = gnp_fails("CreateFileMappingW") ? NULL
                                                     : CreateFileMappingW(INVALID_HANDLE_VALUE, &attributes, PAGE_READWRITE | SEC_COMMIT,
                                                                          (DWORD)(size >> 32), (DWORD)size, name);
    DWORD native = GetLastError();
    LocalFree(descriptor);
    // A name that exists is opened by that call, and must not be used: it is somebody's memory, of any size.
    if (mapping != NULL && native == ERROR_ALREADY_EXISTS) gnp_close(mapping);
    if (native == ERROR_ALREADY_EXISTS || native == ERROR_INVALID_HANDLE) return gnp_fail(error, GN_CODE_EXISTS, (int32_t)native, "CreateFileMappingW");
    // A name that exists and does not let us in is taken as well.
    if (mapping == NULL && name != NULL && native == ERROR_ACCESS_DENIED) return gnp_fail(error, GN_CODE_EXISTS, (int32_t)native, "CreateFileMappingW");
    if (mapping == NULL) return gnp_fail_native(error, native, "CreateFileMappingW");
    return map(mapping, size, true, name != NULL, segment, error);
}

gn_outcome gn_segment_create(uint64_t size, gn_segment **segment, gn_error *error) { return create(NULL, size, segment, error); }

gn_outcome gn_segment_create_named(const char *name, uint64_t size, gn_segment **segment, gn_error *error) {
    WCHAR wide[LONGEST_NAME + 8];
    return wide_name(name, wide, error) == GN_DONE ? create(wide, size, segment, error) : GN_FAILED;
}

// MARK: Those of others

/// The bytes of a mapping that stays what it is; false for any other.
static bool look(HANDLE mapping, uint64_t *size) {
    gnp_section_information information;
    if (!gnp_section_look(mapping, &information)) return false;
    bool steady = (information.attributes & COMMITTED) != 0 && (information.attributes & (FILE_BACKED | IMAGE | RESERVED)) == 0;
    *size = (uint64_t)information.size.QuadPart;
    return steady && information.size.QuadPart > 0;
}

static uint64_t whole_pages(uint64_t size) { return (size + PAGE - 1) / PAGE * PAGE; }

gn_outcome gn_segment_adopt(gn_handle handle, uint64_t size, gn_segment **segment, gn_error *error) {
    HANDLE mapping = (HANDLE)handle;
    uint64_t found;
    if (size < GN_SEGMENT_MINIMUM || size > GN_SEGMENT_MAXIMUM) {
        if (handle != GN_NO_HANDLE) gnp_handle_close(mapping);
        return gnp_fail(error, GN_CODE_INVALID, 0, "NtQuerySection");
    }
    // The kernel counts in pages.
    if (handle == GN_NO_HANDLE || !look(mapping, &found) || whole_pages(found) != whole_pages(size)) {
        if (handle != GN_NO_HANDLE) gnp_handle_close(mapping);
        return gnp_fail(error, GN_CODE_UNSAFE, 0, "NtQuerySection");
    }
    gn_outcome outcome = map(mapping, size, false, false, segment, error);
    if (outcome == GN_FAILED && error->code == GN_CODE_DENIED) error->code = GN_CODE_UNSAFE;  // not for writing
    return outcome;
}

gn_outcome gn_segment_open_named(const char *name, gn_segment **segment, gn_error *error) {
    WCHAR wide[LONGEST_NAME + 8];
    char owner[GNP_SID_TEXT], own[GNP_SID_TEXT];
    if (wide_name(name, wide, error) != GN_DONE) return GN_FAILED;
    HANDLE mapping = gnp_fails("OpenFileMappingW") ? NULL : OpenFileMappingW(SECTION_QUERY | FILE_MAP_READ | FILE_MAP_WRITE | READ_CONTROL, FALSE, wide);
    if (mapping == NULL) return gnp_fail_last(error, "OpenFileMappingW");
    uint64_t size;
    bool ours = gnp_sid_of_owner(mapping, owner) && gnp_sid_own(own) && strcmp(owner, own) == 0 && !gnp_open_to_others(mapping, UINT32_MAX);
    if (!ours || !look(mapping, &size)) {
        gnp_close(mapping);
        return gnp_fail(error, GN_CODE_UNSAFE, 0, "GetSecurityInfo");
    }
    if (size >= GN_SEGMENT_MINIMUM && size <= GN_SEGMENT_MAXIMUM) return map(mapping, size, true, true, segment, error);
    gnp_close(mapping);
    return gnp_fail(error, GN_CODE_INVALID, 0, "NtQuerySection");
}

// MARK: A segment

void *gn_segment_bytes(gn_segment *segment) { return segment->bytes; }

uint64_t gn_segment_size(const gn_segment *segment) { return segment->size; }

gn_handle gn_segment_handle(const gn_segment *segment) {
    return segment->named || segment->mapping == NULL ? GN_NO_HANDLE : (gn_handle)segment->mapping;
}

void gn_segment_let_go(gn_segment *segment) {
    gnp_handle_close(segment->mapping);
    segment->mapping = NULL;
}

void gn_segment_close(gn_segment *segment) {
    (void)UnmapViewOfFile(segment->bytes);
    gnp_handle_close(segment->mapping);
    free(segment);
}

// MARK: The boot

/// SystemTimeOfDayInformation. The moment of the boot moves when the clock is set; what it moved by is kept beside it.
typedef struct time_of_day {
    LARGE_INTEGER boot, now, zone;
    ULONG zone_number, reserved;
    ULONGLONG boot_moved, sleep_moved;
} time_of_day;

gn_outcome gn_boot_id(char *text, size_t capacity, gn_error *error) {
    time_of_day times = {0};
    if (capacity < 33) return gnp_fail(error, GN_CODE_INVALID, 0, "NtQuerySystemInformation");
    NTSTATUS status = NtQuerySystemInformation((SYSTEM_INFORMATION_CLASS)3, &times, sizeof times, NULL);
    if (status != 0) return gnp_fail(error, GN_CODE_OTHER, (int32_t)RtlNtStatusToDosError(status), "NtQuerySystemInformation");
    (void)snprintf(text, capacity, "%016llx", (unsigned long long)((uint64_t)times.boot.QuadPart - times.boot_moved));
    return GN_DONE;
}

#endif
