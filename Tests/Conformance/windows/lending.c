// Handles that reach the peer as numbers: what is lent, and to whom.
#include "windows_support.h"

#include <aclapi.h>
#include <winternl.h>

enum { BYTES = 1 << 16 };

static gn_outcome lend(gn_channel *channel, HANDLE handle, uint64_t *number, gn_error *error) { return gn_channel_lend_handle(channel, (gn_handle)handle, number, error); }

static HANDLE section_of(gn_segment *segment) { return (HANDLE)gn_segment_handle(segment); }

static HANDLE with_rights(HANDLE handle, DWORD rights) {
    HANDLE copy;
    EXPECT(DuplicateHandle(GetCurrentProcess(), handle, GetCurrentProcess(), &copy, rights, FALSE, 0));
    return copy;
}

static ACCESS_MASK rights_of(HANDLE handle) {
    PUBLIC_OBJECT_BASIC_INFORMATION information;
    EXPECT(NtQueryObject(handle, (OBJECT_INFORMATION_CLASS)0, &information, sizeof information, NULL) == 0);
    return information.GrantedAccess;
}

// MARK: Lending

static void once(void) {
    struct ends ends;
    gn_error error;
    gn_segment *adopted;
    gn_handle handle, none;
    uint64_t number;
    ends_pair(&ends);
    gn_channel *both[] = {ends.a, ends.b};
    gn_segment *segment = segment_create(BYTES);
    for (size_t i = 0; i < 2; i++) {
        EXPECT(lend(both[i], section_of(segment), &number, &error) == GN_DONE && number != 0);
        EXPECT(gn_handle_claim(number, &handle, &error) == GN_DONE);
        EXPECT_CODE(gn_handle_claim(number, &none, &error), error, GN_CODE_UNSAFE);
        EXPECT(gn_segment_adopt(handle, BYTES, &adopted, &error) == GN_DONE);
        EXPECT_CODE(gn_handle_claim(number, &none, &error), error, GN_CODE_UNSAFE);
        gn_segment_close(adopted);
    }
    gn_segment_close(segment);
    ends_finish(&ends);
}

/// What a client does with the number of an offer that it does not take: nobody else can close it.
static void refused(void) {
    struct ends ends;
    gn_error error;
    gn_handle handle;
    uint64_t number;
    DWORD flags, before, after;
    ends_pair(&ends);
    gn_segment *segment = segment_create(BYTES);
    EXPECT(GetProcessHandleCount(GetCurrentProcess(), &before));
    for (size_t i = 0; i < 100; i++) {
        EXPECT(lend(ends.a, section_of(segment), &number, &error) == GN_DONE);
        EXPECT(GetHandleInformation((HANDLE)(uintptr_t)number, &flags));
        EXPECT(gn_handle_claim(number, &handle, &error) == GN_DONE);
        gn_handle_close(handle);
        EXPECT(!GetHandleInformation((HANDLE)(uintptr_t)number, &flags));
    }
    EXPECT(GetProcessHandleCount(GetCurrentProcess(), &after) && after == before);
    gn_segment_close(segment);
    ends_finish(&ends);
}

static void only_to_be_mapped(void) {
    static const DWORD held[] = {SECTION_QUERY | SECTION_MAP_READ, SECTION_QUERY | SECTION_MAP_READ | SECTION_MAP_WRITE | READ_CONTROL};
    struct ends ends;
    gn_error error;
    gn_handle handle;
    uint64_t number;
    DWORD flags;
    ends_pair(&ends);
    gn_segment *segment = segment_create(BYTES);
    EXPECT(lend(ends.a, section_of(segment), &number, &error) == GN_DONE);
    EXPECT(rights_of((HANDLE)(uintptr_t)number) == (SECTION_QUERY | SECTION_MAP_READ | SECTION_MAP_WRITE));
    EXPECT(GetHandleInformation((HANDLE)(uintptr_t)number, &flags) && flags == 0);
    gn_handle_close((gn_handle)number);
    // And never more than the lender has itself.
    for (size_t i = 0; i < 2; i++) {
        HANDLE limited = with_rights(section_of(segment), held[i]);
        EXPECT(lend(ends.a, limited, &number, &error) == GN_DONE);
        EXPECT(rights_of((HANDLE)(uintptr_t)number) == (held[i] & ~(DWORD)READ_CONTROL));
        EXPECT((gn_handle_claim(number, &handle, &error) == GN_DONE) == (i == 1));
        gn_handle_close((gn_handle)number);
        EXPECT(CloseHandle(limited));
    }
    gn_segment_close(segment);
    ends_finish(&ends);
}

static void other_objects(void) {
    struct ends ends;
    gn_error error;
    gn_handle none;
    uint64_t number;
    ends_pair(&ends);
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);
    EXPECT(lend(ends.a, event, &number, &error) == GN_DONE);
    HANDLE copy = (HANDLE)(uintptr_t)number;
    EXPECT(rights_of(copy) == rights_of(event));
    EXPECT_CODE(gn_handle_claim(number, &none, &error), error, GN_CODE_UNSAFE);
    EXPECT(SetEvent(copy) && WaitForSingleObject(event, 0) == WAIT_OBJECT_0);
    EXPECT(CloseHandle(copy) && CloseHandle(event));
    ends_finish(&ends);
}

static void nothing_to_lend(void) {
    struct ends ends;
    gn_error error;
    uint64_t number = 0;
    ends_pair(&ends);
    HANDLE closed = CreateEventW(NULL, TRUE, FALSE, NULL);
    EXPECT(CloseHandle(closed));
    // The pseudo handles stand for this process and this thread, with every right.
    const gn_handle wrong[] = {GN_NO_HANDLE, (gn_handle)GetCurrentThread(), -4, -6, 0, 1, 3, (gn_handle)1 << 40, (gn_handle)closed, INTPTR_MIN};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) EXPECT_CODE(gn_channel_lend_handle(ends.a, wrong[i], &number, &error), error, GN_CODE_INVALID);
    EXPECT(number == 0);
    ends_finish(&ends);
}

// MARK: Another process

int claim_and_answer(const char *path) {
    struct ends ends = {0};
    gn_error error;
    gn_segment *segment;
    gn_handle handle, none;
    uint64_t number, before = support_open_descriptors();
    if (poller_open(&ends.poller, &error) != GN_DONE || gn_channel_connect(path, &ends.a, &error) != GN_DONE ||
        gn_poller_add_channel(ends.poller, ends.a, TOKEN_A, &error) != GN_DONE) {
        return 2;
    }
    ends_read_exactly(&ends, TOKEN_A, &number, sizeof number);
    if (gn_handle_claim(number, &handle, &error) != GN_DONE) return 3;
    if (gn_handle_claim(number, &none, &error) != GN_FAILED || error.code != GN_CODE_UNSAFE) return 4;
    if (gn_segment_adopt(handle, BYTES, &segment, &error) != GN_DONE) return 5;
    memcpy(gn_segment_bytes(segment), "answer", 7);
    // And one back, from the side that has connected.
    gn_segment *own = segment_create(BYTES);
    memcpy(gn_segment_bytes(own), "return", 7);
    if (lend(ends.a, section_of(own), &number, &error) != GN_DONE) return 6;
    ends_write(&ends, TOKEN_A, &number, sizeof number);
    ends_read_exactly(&ends, TOKEN_A, &number, 1);
    gn_segment_close(own);
    gn_segment_close(segment);
    ends_finish(&ends);
    return support_open_descriptors() == before ? 0 : 7;
}

static void to_another_process_and_back(void) {
    struct ends ends;
    gn_error error;
    gn_handle handle;
    gn_segment *theirs;
    uint64_t number;
    ends_listen(&ends, 16);
    gn_process *child = child_start((const char *const[]){"claim-and-answer", ends.path, NULL}, NULL, 0, GN_NO_HANDLE);
    ends.b = ends_accept(&ends);
    EXPECT(gn_poller_add_channel(ends.poller, ends.b, TOKEN_B, &error) == GN_DONE);
    gn_segment *segment = segment_create(BYTES);
    EXPECT(lend(ends.b, section_of(segment), &number, &error) == GN_DONE);
    ends_write(&ends, TOKEN_B, &number, sizeof number);
    ends_read_exactly(&ends, TOKEN_B, &number, sizeof number);
    EXPECT(strcmp(gn_segment_bytes(segment), "answer") == 0);
    EXPECT(gn_handle_claim(number, &handle, &error) == GN_DONE && gn_segment_adopt(handle, BYTES, &theirs, &error) == GN_DONE);
    EXPECT(strcmp(gn_segment_bytes(theirs), "return") == 0);
    ends_write(&ends, TOKEN_B, "e", 1);
    EXPECT(child_finish(child) == 0);
    gn_segment_close(theirs);
    gn_segment_close(segment);
    ends_finish(&ends);
}

static void to_a_process_that_has_ended(void) {
    struct ends ends;
    gn_error error;
    uint64_t number = 0;
    int32_t status;
    char bytes[5];
    ends_listen(&ends, 16);
    gn_segment *segment = segment_create(BYTES);
    // It leaves its end to another, so that the connection goes on.
    gn_process *child = child_start((const char *const[]){"give-away", ends.path, NULL}, NULL, 0, GN_NO_HANDLE);
    ends.b = ends_accept(&ends);
    EXPECT(gn_poller_add_channel(ends.poller, ends.b, TOKEN_B, &error) == GN_DONE);
    ends_read_exactly(&ends, TOKEN_B, bytes, 5);
    while (gn_process_status(child, &status, &error) == GN_WOULD_BLOCK) {}
    EXPECT_CODE(lend(ends.b, section_of(segment), &number, &error), error, GN_CODE_NOT_FOUND);
    gn_process_forget(child);
    // Now nobody holds it any more, and its number may be another's.
    EXPECT_CODE(lend(ends.b, section_of(segment), &number, &error), error, GN_CODE_NOT_FOUND);
    EXPECT(number == 0);
    ends_write(&ends, TOKEN_B, "x", 1);
    ends_read_exactly(&ends, TOKEN_B, bytes, 1);
    gn_segment_close(segment);
    ends_finish(&ends);
}

int connect_closed_to_all(const char *path) {
    ACL list;
    gn_channel *channel;
    gn_error error;
    char byte;
    size_t count;
    bool drained;
    // A list without an entry lets in nobody.
    if (!InitializeAcl(&list, sizeof list, ACL_REVISION) ||
        SetSecurityInfo(GetCurrentProcess(), SE_KERNEL_OBJECT, DACL_SECURITY_INFORMATION, NULL, NULL, &list, NULL) != ERROR_SUCCESS ||
        gn_channel_connect(path, &channel, &error) != GN_DONE) {
        return 2;
    }
    gn_outcome outcome;
    while ((outcome = gn_channel_read(channel, &byte, 1, &count, &drained, &error)) == GN_WOULD_BLOCK) {}
    gn_channel_abort(channel);
    return outcome == GN_END ? 0 : 3;
}

static void to_a_process_that_may_not_be_opened(void) {
    struct ends ends;
    gn_error error;
    uint64_t number = 0;
    ends_listen(&ends, 16);
    gn_segment *segment = segment_create(BYTES);
    gn_process *child = child_start((const char *const[]){"connect-closed-to-all", ends.path, NULL}, NULL, 0, GN_NO_HANDLE);
    ends.b = ends_accept(&ends);
    EXPECT_CODE(lend(ends.b, section_of(segment), &number, &error), error, GN_CODE_DENIED);
    EXPECT(number == 0);
    gn_channel_close(ends.b, 0);
    ends.b = NULL;
    EXPECT(child_finish(child) == 0);
    gn_segment_close(segment);
    ends_finish(&ends);
}

static void steps_that_fail(void) {
    static const struct {
        const char *step;
        uint32_t skip;
        DWORD native;
        gn_code code;
    } faults[] = {
        {"GetNamedPipeClientProcessId", 0, ERROR_PIPE_LOCAL, GN_CODE_OTHER},
        {"OpenProcess", 0, ERROR_ACCESS_DENIED, GN_CODE_DENIED},
        {"OpenProcess", 0, ERROR_INVALID_PARAMETER, GN_CODE_NOT_FOUND},
        {"OpenProcess", 0, ERROR_NO_SYSTEM_RESOURCES, GN_CODE_NO_MEMORY},
        // It lives no more, or began after the connection.
        {"WaitForSingleObject", 0, ERROR_INVALID_HANDLE, GN_CODE_NOT_FOUND},
        {"GetProcessTimes", 0, ERROR_ACCESS_DENIED, GN_CODE_NOT_FOUND},
        {"DuplicateHandle", 0, ERROR_ACCESS_DENIED, GN_CODE_DENIED},
        {"DuplicateHandle", 0, ERROR_NOT_ENOUGH_QUOTA, GN_CODE_NO_MEMORY},
    };
    struct ends ends;
    gn_error error;
    uint64_t number = 0;
    ends_connect(&ends);
    gn_segment *segment = segment_create(BYTES);
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        EXPECT(gn_fault_add(faults[i].step, faults[i].skip, 1, (int32_t)faults[i].native));
        EXPECT_CODE(lend(ends.b, section_of(segment), &number, &error), error, faults[i].code);
    }
    // A process that ends under the copying says that it is not allowed.
    EXPECT(gn_fault_add("DuplicateHandle", 0, 1, ERROR_ACCESS_DENIED) && gn_fault_add("WaitForSingleObject", 1, 1, ERROR_INVALID_HANDLE));
    EXPECT_CODE(lend(ends.b, section_of(segment), &number, &error), error, GN_CODE_NOT_FOUND);
    EXPECT(number == 0);
    // Whoever cannot lend stays on the pipe.
    ends_echo(&ends);
    gn_segment_close(segment);
    ends_finish(&ends);
}

void suite_lending(void) {
    check("a number is good for one claim, from either end", once);
    check("a number that is claimed and closed, as that of a refused offer, leaves no handle", refused);
    check("a lent segment can be asked for and mapped, with no right that the lender lacks", only_to_be_mapped);
    check("another object is lent with the rights it has, and cannot be claimed", other_objects);
    check("what is no handle is not lent, least of all one that stands for this process", nothing_to_lend);
    check("segments are lent to another process and back", to_another_process_and_back);
    check("nothing is lent to a process that has ended, whoever has its number", to_a_process_that_has_ended);
    check("a peer's process that may not be opened is lent nothing", to_a_process_that_may_not_be_opened);
    check("lending that fails says why and leaves the connection as it was", steps_that_fail);
}
