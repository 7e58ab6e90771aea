// Shared memory on Windows: names, descriptors, and mappings of other kinds.
#include "windows_support.h"

#include <aclapi.h>
#include <sddl.h>
#include <stdio.h>

enum { BYTES = 1 << 16 };

/// The same name as the system has it.
static void system_name(const char *name, WCHAR wide[256]) { (void)swprintf(wide, 256, L"Local\\%hs", name); }

static void only_for_this_user(void) {
    char name[SEGMENT_NAME], sid[192];
    WCHAR wide[256];
    gn_segment *segment;
    gn_error error;
    gn_peer self;
    PSECURITY_DESCRIPTOR descriptor;
    char *text, generic[512], specific[512];
    segment_name(name);
    system_name(name, wide);
    gn_peer_self(&self);
    memcpy(sid, self.sid, sizeof sid);
    EXPECT(gn_segment_create_named(name, BYTES, &segment, &error) == GN_DONE);
    HANDLE mapping = OpenFileMappingW(READ_CONTROL, FALSE, wide);
    const SECURITY_INFORMATION parts = OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION;
    EXPECT(mapping != NULL && GetSecurityInfo(mapping, SE_KERNEL_OBJECT, parts, NULL, NULL, NULL, NULL, &descriptor) == ERROR_SUCCESS);
    EXPECT(ConvertSecurityDescriptorToStringSecurityDescriptorA(descriptor, SDDL_REVISION_1, parts, &text, NULL));
    (void)snprintf(generic, sizeof generic, "O:%sD:P(A;;GA;;;%s)", sid, sid);
    (void)snprintf(specific, sizeof specific, "O:%sD:P(A;;0xf001f;;;%s)", sid, sid);
    EXPECT(strcmp(text, generic) == 0 || strcmp(text, specific) == 0);
    LocalFree(text);
    LocalFree(descriptor);
    EXPECT(CloseHandle(mapping));
    gn_segment_close(segment);
}

static void taken_names_stay_as_they_are(void) {
    char name[SEGMENT_NAME];
    WCHAR wide[256];
    gn_segment *segment;
    gn_error error;
    segment_name(name);
    system_name(name, wide);
    // Somebody else's, of the kind that would do.
    HANDLE mapping = CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, BYTES, wide);
    char *bytes = MapViewOfFile(mapping, FILE_MAP_WRITE, 0, 0, 0);
    EXPECT(bytes != NULL);
    memcpy(bytes, "his", 4);
    EXPECT_CODE(gn_segment_create_named(name, BYTES, &segment, &error), error, GN_CODE_EXISTS);
    EXPECT(strcmp(bytes, "his") == 0 && UnmapViewOfFile(bytes) && CloseHandle(mapping));
    // A name that another kind of object has.
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, wide);
    EXPECT_CODE(gn_segment_create_named(name, BYTES, &segment, &error), error, GN_CODE_EXISTS);
    EXPECT(gn_segment_open_named(name, &segment, &error) == GN_FAILED);
    EXPECT(CloseHandle(event));
    EXPECT(gn_segment_create_named(name, BYTES, &segment, &error) == GN_DONE);
    gn_segment_close(segment);
}

static void open_to_others(void) {
    static const char *const others[] = {"(A;;GA;;;WD)", "(A;;GR;;;AU)", ""};
    char name[SEGMENT_NAME], text[1024];
    WCHAR wide[256];
    gn_segment *segment;
    gn_error error;
    gn_peer self;
    gn_peer_self(&self);
    for (size_t i = 0; i < 3; i++) {
        SECURITY_ATTRIBUTES attributes = {.nLength = sizeof attributes};
        segment_name(name);
        system_name(name, wide);
        (void)snprintf(text, sizeof text, "O:%sG:%sD:P(A;;GA;;;%s)%s", i == 2 ? "BA" : self.sid, self.sid, self.sid, others[i]);
        EXPECT(ConvertStringSecurityDescriptorToSecurityDescriptorA(text, SDDL_REVISION_1, &attributes.lpSecurityDescriptor, NULL));
        HANDLE mapping = CreateFileMappingW(INVALID_HANDLE_VALUE, &attributes, PAGE_READWRITE, 0, BYTES, wide);
        LocalFree(attributes.lpSecurityDescriptor);
        // Only administrators may make what belongs to their group.
        EXPECT(mapping != NULL || i == 2);
        if (mapping == NULL) continue;
        EXPECT_CODE(gn_segment_open_named(name, &segment, &error), error, GN_CODE_UNSAFE);
        EXPECT(CloseHandle(mapping));
    }
}

static void expect_unsafe(HANDLE handle) {
    gn_segment *segment;
    gn_error error;
    EXPECT(handle != NULL && handle != INVALID_HANDLE_VALUE);
    EXPECT_CODE(gn_segment_adopt((gn_handle)handle, BYTES, &segment, &error), error, GN_CODE_UNSAFE);
}

static void other_kinds(void) {
    WCHAR directory[MAX_PATH], path[MAX_PATH];
    HANDLE limited, self = GetCurrentProcess();
    // Memory that is not there yet would end whoever touches it.
    expect_unsafe(CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE | SEC_RESERVE, 0, BYTES, NULL));
    EXPECT(GetTempPathW(MAX_PATH, directory) > 0 && GetTempFileNameW(directory, L"gnl", 0, path) != 0);
    HANDLE file = CreateFileW(path, GENERIC_READ | GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, FILE_FLAG_DELETE_ON_CLOSE, NULL);
    EXPECT(file != INVALID_HANDLE_VALUE);
    expect_unsafe(CreateFileMappingW(file, NULL, PAGE_READWRITE, 0, BYTES, NULL));
    EXPECT(CloseHandle(file));
    expect_unsafe(CreateEventW(NULL, TRUE, FALSE, NULL));
    // For reading only, or of a kind that cannot be asked for.
    HANDLE mapping = CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, BYTES, NULL);
    EXPECT(DuplicateHandle(self, mapping, self, &limited, SECTION_QUERY | SECTION_MAP_READ, FALSE, 0));
    expect_unsafe(limited);
    EXPECT(DuplicateHandle(self, mapping, self, &limited, SECTION_MAP_READ | SECTION_MAP_WRITE, FALSE, 0));
    expect_unsafe(limited);
    EXPECT(CloseHandle(mapping));
    gn_segment *segment;
    gn_error error;
    EXPECT_CODE(gn_segment_adopt((gn_handle)0x7ffffff0, BYTES, &segment, &error), error, GN_CODE_UNSAFE);
}

static void names_of_the_system(void) {
    static const char *const invalid[] = {"Global\\name", "Local\\name", "a\\b", "a b", "a.b", "\xc3\xbc", "a\n"};
    gn_segment *segment;
    gn_error error;
    EXPECT(gn_segment_name_limit() == 200);
    for (size_t i = 0; i < sizeof invalid / sizeof invalid[0]; i++) {
        EXPECT_CODE(gn_segment_create_named(invalid[i], BYTES, &segment, &error), error, GN_CODE_INVALID);
        EXPECT_CODE(gn_segment_open_named(invalid[i], &segment, &error), error, GN_CODE_INVALID);
        EXPECT_CODE(gn_segment_remove(invalid[i], &error), error, GN_CODE_INVALID);
    }
}

static void memory_runs_out(void) {
    char name[SEGMENT_NAME];
    gn_segment *segment;
    gn_error error;
    segment_name(name);
    EXPECT(gn_fault_add("CreateFileMappingW", 0, 1, ERROR_COMMITMENT_LIMIT));
    EXPECT_CODE(gn_segment_create(BYTES, &segment, &error), error, GN_CODE_NO_MEMORY);
    EXPECT(gn_fault_add("MapViewOfFile", 0, 1, ERROR_NOT_ENOUGH_MEMORY));
    EXPECT_CODE(gn_segment_create_named(name, BYTES, &segment, &error), error, GN_CODE_NO_MEMORY);
    EXPECT_CODE(gn_segment_open_named(name, &segment, &error), error, GN_CODE_NOT_FOUND);
    EXPECT(gn_fault_add("calloc", 0, 1, ERROR_NOT_ENOUGH_MEMORY));
    EXPECT_CODE(gn_segment_create(BYTES, &segment, &error), error, GN_CODE_NO_MEMORY);
}

void suite_segments(void) {
    check("a name's memory is for this user alone", only_for_this_user);
    check("a name that is taken stays as it is, whatever has it", taken_names_stay_as_they_are);
    check("memory of a name that is open to others is unsafe", open_to_others);
    check("mappings of files, of reserved memory and without the rights are unsafe, and closed", other_kinds);
    check("names are letters, digits, dashes and underscores, 200 at most", names_of_the_system);
    check("a segment for which there is no memory leaves nothing behind", memory_runs_out);
}
