// Security: who may open our pipes, mappings and directories, what a client lets a service do, and squatters.
#include "windows_support.h"

#include <aclapi.h>
#include <sddl.h>
#include <stdio.h>
#include <stdlib.h>

static void own_sid(char sid[192]) {
    gn_peer self;
    gn_peer_self(&self);
    EXPECT((self.known & GN_PEER_SID) != 0);
    memcpy(sid, self.sid, sizeof self.sid);
}

/// The descriptor of an object in SDDL; to be freed with LocalFree.
static char *descriptor_of(HANDLE object) {
    PSECURITY_DESCRIPTOR descriptor;
    char *text;
    const SECURITY_INFORMATION parts = OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION;
    EXPECT(GetSecurityInfo(object, SE_KERNEL_OBJECT, parts, NULL, NULL, NULL, NULL, &descriptor) == ERROR_SUCCESS);
    EXPECT(ConvertSecurityDescriptorToStringSecurityDescriptorA(descriptor, SDDL_REVISION_1, parts, &text, NULL));
    LocalFree(descriptor);
    return text;
}

/// The descriptor of the pipe under a channel, which is used up.
static char *descriptor_of_channel(gn_channel **channel) {
    gn_handle handle = gn_channel_release(*channel);
    *channel = NULL;
    char *text = descriptor_of((HANDLE)handle);
    gn_handle_close(handle);
    return text;
}

/// Whether the text is a protected list of exactly these entries, each "rights;;;sid", where the first right may be written in two ways.
static void expect_descriptor(const char *text, const char *others) {
    char sid[192], generic[1024], specific[1024];
    own_sid(sid);
    (void)snprintf(generic, sizeof generic, "O:%sD:P(A;;GA;;;%s)%s", sid, sid, others);
    (void)snprintf(specific, sizeof specific, "O:%sD:P(A;;FA;;;%s)%s", sid, sid, others);
    EXPECT(strcmp(text, generic) == 0 || strcmp(text, specific) == 0);
}

// MARK: Descriptors

static void current_user_is_no_alias(void) {
    PSECURITY_DESCRIPTOR descriptor;
    EXPECT(!ConvertStringSecurityDescriptorToSecurityDescriptorA("D:(A;;GA;;;CU)", SDDL_REVISION_1, &descriptor, NULL));
    // The same with two letters that are an alias.
    EXPECT(ConvertStringSecurityDescriptorToSecurityDescriptorA("D:(A;;GA;;;AU)", SDDL_REVISION_1, &descriptor, NULL));
    LocalFree(descriptor);
}

static void every_instance(void) {
    struct ends ends;
    gn_error error;
    ends_listen(&ends, 3);
    // The first instances and those that took their places.
    for (int turn = 0; turn < 8; turn++) {
        EXPECT(gn_channel_connect(ends.path, &ends.a, &error) == GN_DONE);
        ends.b = ends_accept(&ends);
        char *text = descriptor_of_channel(&ends.b);
        expect_descriptor(text, "");
        LocalFree(text);
        gn_channel_abort(ends.a);
        ends.a = NULL;
    }
    ends_finish(&ends);
}

static void pairs(void) {
    struct ends ends;
    ends_pair(&ends);
    char *text = descriptor_of_channel(&ends.a);
    expect_descriptor(text, "");
    LocalFree(text);
    ends_finish(&ends);
}

/// The descriptor of a pipe that a listener of this mode has given to a client.
static char *descriptor_of_mode(uint32_t mode, int64_t group) {
    char path[512];
    gn_listen_options options = {.path = path, .directory_mode = 0755, .socket_mode = mode, .group = group, .backlog = 2};
    struct ends ends = {0};
    gn_endpoint_facts facts;
    gn_error error;
    pipe_name(path);
    EXPECT(poller_open(&ends.poller, &error) == GN_DONE && gn_listener_open(&options, &ends.listener, &facts, &error) == GN_DONE);
    EXPECT(gn_poller_add_listener(ends.poller, ends.listener, TOKEN_LISTENER, &error) == GN_DONE);
    EXPECT(gn_channel_connect(path, &ends.a, &error) == GN_DONE);
    ends.b = ends_accept(&ends);
    char *text = descriptor_of_channel(&ends.b);
    ends_finish(&ends);
    return text;
}

/// What others may do with a pipe of a mode: our own descriptor, seen by somebody who is neither the user in it nor SYSTEM.
static DWORD access_of_others(uint32_t mode, int64_t group, DWORD wanted) {
    char sid[192], *text = descriptor_of_mode(mode, group), other[2048] = {0};
    // The user of this process becomes a stranger to the descriptor: his SID is changed in it.
    own_sid(sid);
    for (const char *next = text; *next != 0;) {
        bool ours = strncmp(next, sid, strlen(sid)) == 0;
        (void)strncat(other, ours ? "S-1-5-21-9-9-9-1099" : next, ours ? sizeof other - strlen(other) - 1 : 1);
        next += ours ? strlen(sid) : 1;
    }
    LocalFree(text);
    PSECURITY_DESCRIPTOR descriptor;
    (void)strncat(other, "", 1);
    char whole[2300];
    // A check needs a group too.
    (void)snprintf(whole, sizeof whole, "G:SY%s", other);
    EXPECT(ConvertStringSecurityDescriptorToSecurityDescriptorA(whole, SDDL_REVISION_1, &descriptor, NULL));
    HANDLE token, identity;
    EXPECT(OpenProcessToken(GetCurrentProcess(), TOKEN_DUPLICATE | TOKEN_QUERY, &token));
    EXPECT(DuplicateToken(token, SecurityIdentification, &identity));
    GENERIC_MAPPING mapping = {FILE_GENERIC_READ, FILE_GENERIC_WRITE, FILE_GENERIC_EXECUTE, FILE_ALL_ACCESS};
    PRIVILEGE_SET privileges;
    DWORD size = sizeof privileges, granted = 0;
    BOOL allowed = FALSE;
    MapGenericMask(&wanted, &mapping);
    EXPECT(AccessCheck(descriptor, identity, wanted, &mapping, &privileges, &size, &granted, &allowed));
    EXPECT(CloseHandle(token) && CloseHandle(identity));
    LocalFree(descriptor);
    return allowed ? granted : 0;
}

static void services_for_all(void) {
    static const struct { uint32_t mode; int64_t group; const char *generic, *specific; } services[] = {
        {0666, -1, "(A;;GA;;;SY)(A;;0x12019b;;;AU)", "(A;;FA;;;SY)(A;;0x12019b;;;AU)"},
        {0660, DOMAIN_ALIAS_RID_USERS, "(A;;GA;;;SY)(A;;0x12019b;;;BU)", "(A;;FA;;;SY)(A;;0x12019b;;;BU)"},
        {0660, -1, "(A;;GA;;;SY)", "(A;;FA;;;SY)"},
    };
    for (size_t i = 0; i < sizeof services / sizeof services[0]; i++) {
        char *text = descriptor_of_mode(services[i].mode, services[i].group);
        expect_descriptor(text, strstr(text, "(A;;GA;;;SY)") != NULL ? services[i].generic : services[i].specific);
        LocalFree(text);
    }
}

enum { CLIENT = 0x12019B };

static void others_where_they_may(void) {
    EXPECT(access_of_others(0666, -1, CLIENT) == CLIENT);
    // One more right and he could be the service, or let others be.
    EXPECT(access_of_others(0666, -1, CLIENT | FILE_CREATE_PIPE_INSTANCE) == 0 && access_of_others(0666, -1, FILE_CREATE_PIPE_INSTANCE) == 0);
    EXPECT(access_of_others(0666, -1, GENERIC_WRITE) == 0 && access_of_others(0666, -1, GENERIC_ALL) == 0);
    EXPECT(access_of_others(0666, -1, WRITE_DAC) == 0 && access_of_others(0666, -1, WRITE_OWNER) == 0 && access_of_others(0666, -1, DELETE) == 0);
}

static void others_where_they_may_not(void) {
    static const DWORD rights[] = {CLIENT, FILE_READ_DATA, FILE_WRITE_DATA, FILE_CREATE_PIPE_INSTANCE, READ_CONTROL};
    for (size_t i = 0; i < sizeof rights / sizeof rights[0]; i++) {
        EXPECT(access_of_others(0600, -1, rights[i]) == 0 && access_of_others(0660, -1, rights[i]) == 0);
    }
}

static void groups(void) {
    uint32_t group;
    gn_error error;
    WCHAR name[256];
    char narrow[256];
    // The users of this machine, by the name they have in its language.
    SID_IDENTIFIER_AUTHORITY authority = SECURITY_NT_AUTHORITY;
    PSID users;
    WCHAR domain[256];
    DWORD size = 256, domain_size = 256;
    SID_NAME_USE use;
    EXPECT(AllocateAndInitializeSid(&authority, 2, SECURITY_BUILTIN_DOMAIN_RID, DOMAIN_ALIAS_RID_USERS, 0, 0, 0, 0, 0, 0, &users));
    EXPECT(LookupAccountSidW(NULL, users, name, &size, domain, &domain_size, &use));
    FreeSid(users);
    EXPECT(WideCharToMultiByte(CP_UTF8, 0, name, -1, narrow, sizeof narrow, NULL, NULL) > 0);
    EXPECT(gn_group_id(narrow, &group, &error) == GN_DONE && group == DOMAIN_ALIAS_RID_USERS);
    EXPECT_CODE(gn_group_id("no such group", &group, &error), error, GN_CODE_NOT_FOUND);
    EXPECT(access_of_others(0660, group, CLIENT) == CLIENT);
    EXPECT(access_of_others(0660, group, FILE_CREATE_PIPE_INSTANCE) == 0 && access_of_others(0660, group, GENERIC_WRITE) == 0);
    // Guests: a group that whoever runs this is not in.
    EXPECT(access_of_others(0660, DOMAIN_ALIAS_RID_GUESTS, CLIENT) == 0);
}

static void modes(void) {
    static const uint32_t wrong[] = {0, 0400, 0622, 0644, 0700, 0777, 0200666};
    char path[512];
    gn_listen_options options = {.path = path, .directory_mode = 0700, .group = -1, .backlog = 2};
    gn_listener *listener;
    gn_endpoint_facts facts;
    gn_error error;
    pipe_name(path);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        options.socket_mode = wrong[i];
        EXPECT_CODE(gn_listener_open(&options, &listener, &facts, &error), error, GN_CODE_INVALID);
    }
    options.socket_mode = 0660, options.group = 7;
    EXPECT_CODE(gn_listener_open(&options, &listener, &facts, &error), error, GN_CODE_INVALID);
}

// MARK: Squatters

/// A pipe as another program would make it.
static HANDLE foreign_pipe(const char *path, const char *descriptor, DWORD flags) {
    WCHAR name[512];
    SECURITY_ATTRIBUTES attributes = {.nLength = sizeof attributes};
    wide_name(path, name);
    EXPECT(ConvertStringSecurityDescriptorToSecurityDescriptorA(descriptor, SDDL_REVISION_1, &attributes.lpSecurityDescriptor, NULL));
    HANDLE pipe = CreateNamedPipeW(name, PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED | flags, PIPE_TYPE_BYTE, PIPE_UNLIMITED_INSTANCES, 4096, 4096, 0, &attributes);
    LocalFree(attributes.lpSecurityDescriptor);
    return pipe;
}

static gn_code opening(const char *path, gn_endpoint_facts *facts) {
    gn_listen_options options = {.path = path, .directory_mode = 0700, .socket_mode = 0600, .group = -1, .backlog = 2};
    gn_listener *listener;
    gn_error error;
    if (gn_listener_open(&options, &listener, facts, &error) == GN_FAILED) return error.code;
    gn_listener_close(listener);
    return (gn_code)0;
}

static void squatters(void) {
    static const char *const descriptors[] = {"O:BAG:BAD:(A;;GA;;;WD)", "O:SYG:SYD:(A;;GA;;;WD)"};
    char path[512];
    gn_endpoint_facts facts;
    gn_channel *channel;
    gn_peer peer;
    gn_error error;
    pipe_name(path);
    size_t tried = 0;
    for (size_t i = 0; i < 2; i++) {
        // Only administrators may give away what they make; without that right there is no stranger to be had.
        HANDLE pipe = foreign_pipe(path, descriptors[i], 0), second;
        if (pipe == INVALID_HANDLE_VALUE) continue;
        tried++;
        EXPECT(opening(path, &facts) == GN_CODE_UNSAFE);
        EXPECT(strcmp(facts.offender, path) == 0 && facts.lock_holder == GetCurrentProcessId() && facts.answers);
        // A client sees whose it is before it has sent a byte.
        second = foreign_pipe(path, descriptors[i], 0);
        EXPECT(second != INVALID_HANDLE_VALUE && gn_channel_connect(path, &channel, &error) == GN_DONE);
        EXPECT(gn_peer_identify(channel, GN_PEER_SID, &peer, &error) == GN_DONE && (peer.known & GN_PEER_SID) != 0);
        EXPECT(strcmp(peer.sid, i == 0 ? "S-1-5-32-544" : "S-1-5-18") == 0);
        gn_channel_abort(channel);
        EXPECT(CloseHandle(pipe) && CloseHandle(second));
    }
    EXPECT(opening(path, &facts) == 0);
    if (tried == 0) check_skip("it takes the rights of an administrator");
}

static void first_instance(void) {
    char path[512], sid[192], descriptor[512];
    pipe_name(path);
    own_sid(sid);
    (void)snprintf(descriptor, sizeof descriptor, "D:P(A;;GA;;;%s)", sid);
    gn_listener *listener = open_listener(path, 0600);
    EXPECT(foreign_pipe(path, descriptor, FILE_FLAG_FIRST_PIPE_INSTANCE) == INVALID_HANDLE_VALUE);
    gn_listener_close(listener);
}

static void second_service(void) {
    char path[512];
    gn_endpoint_facts facts;
    pipe_name(path);
    gn_listener *listener = open_listener(path, 0600);
    // Whatever the system does with the flag, a service that looks first is told.
    EXPECT(opening(path, &facts) == GN_CODE_BUSY);
    EXPECT(facts.lock_held && facts.answers && facts.lock_holder == GetCurrentProcessId() && facts.offender[0] == 0);
    gn_listener_close(listener);
    // Between the look and the making: EXISTS is no answer to give, BUSY is.
    EXPECT(gn_fault_add("CreateNamedPipeW", 0, 1, ERROR_ACCESS_DENIED));
    EXPECT(opening(path, &facts) == GN_CODE_BUSY);
}

static void expect_denied(bool scripted) {
    char path[512];
    gn_endpoint_facts facts;
    gn_channel *channel;
    gn_error error;
    pipe_name(path);
    HANDLE pipe = foreign_pipe(path, "D:P(A;;GA;;;SY)", 0);
    EXPECT(pipe != INVALID_HANDLE_VALUE);
    if (scripted) EXPECT(gn_fault_add("CreateFileW", 0, 2, ERROR_ACCESS_DENIED));
    EXPECT_CODE(gn_channel_connect(path, &channel, &error), error, GN_CODE_DENIED);
    EXPECT(opening(path, &facts) == GN_CODE_UNSAFE && strcmp(facts.offender, path) == 0);
    EXPECT(CloseHandle(pipe));
}

static void closed_to_us(void) { expect_denied(false); }

static void closed_by_script(void) { expect_denied(true); }

// MARK: What a client gives away

static void identification_only(void) {
    char path[512], byte;
    gn_channel *channel;
    gn_error error;
    DWORD count, level = 0, size;
    pipe_name(path);
    HANDLE pipe = foreign_pipe(path, "D:P(A;;GA;;;WD)", 0), token;
    EXPECT(pipe != INVALID_HANDLE_VALUE && gn_channel_connect(path, &channel, &error) == GN_DONE);
    gn_span span = {.bytes = "x", .count = 1};
    size_t written;
    EXPECT(gn_channel_write(channel, &span, 1, &written, &error) == GN_DONE);
    OVERLAPPED overlapped = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};
    EXPECT(ReadFile(pipe, &byte, 1, NULL, &overlapped) || GetOverlappedResult(pipe, &overlapped, &count, TRUE));
    // What a service at that name could do with whoever calls it.
    EXPECT(ImpersonateNamedPipeClient(pipe) && OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &token));
    EXPECT(RevertToSelf() && GetTokenInformation(token, TokenImpersonationLevel, &level, sizeof level, &size));
    EXPECT(level == SecurityIdentification);
    EXPECT(CloseHandle(token) && CloseHandle(overlapped.hEvent) && CloseHandle(pipe));
    gn_channel_abort(channel);
}

static void not_inherited(void) {
    struct ends ends;
    DWORD flags;
    ends_connect(&ends);
    gn_handle handles[] = {gn_channel_release(ends.a), gn_channel_release(ends.b)};
    ends.a = ends.b = NULL;
    for (size_t i = 0; i < 2; i++) {
        EXPECT(GetHandleInformation((HANDLE)handles[i], &flags) && (flags & HANDLE_FLAG_INHERIT) == 0);
        gn_handle_close(handles[i]);
    }
    ends_finish(&ends);
}

// MARK: Names and directories

static void named_endpoints(void) {
    static const char *const invalid[] = {"a\\b", "a/b", "a:b", "a*", "a?", "a\"", "a<b", "a|b", "a\n", "\xff"};
    char path[512], sid[192], expected[512], longest[300];
    bool needs_parent = true;
    gn_error error;
    own_sid(sid);
    (void)snprintf(expected, sizeof expected, "\\\\.\\pipe\\recorder-service-%s", sid);
    EXPECT(gn_endpoint_path(GN_ENDPOINT_USER, "recorder", 0, path, sizeof path, &needs_parent, &error) == GN_DONE);
    EXPECT(strcmp(path, expected) == 0 && !needs_parent);
    EXPECT(gn_endpoint_path(GN_ENDPOINT_SYSTEM, "migration", 0, path, sizeof path, &needs_parent, &error) == GN_DONE);
    EXPECT(strcmp(path, "\\\\.\\pipe\\migration-service") == 0);
    EXPECT(gn_endpoint_path(GN_ENDPOINT_SYSTEM, "\xc3\xbc" "bung", 0, path, sizeof path, &needs_parent, &error) == GN_DONE);
    gn_listener_close(open_listener(path, 0600));
    for (size_t i = 0; i < sizeof invalid / sizeof invalid[0]; i++) {
        EXPECT_CODE(gn_endpoint_path(GN_ENDPOINT_USER, invalid[i], 0, path, sizeof path, &needs_parent, &error), error, GN_CODE_INVALID);
    }
    memset(longest, 'n', sizeof longest - 1);
    longest[sizeof longest - 1] = 0;
    EXPECT_CODE(gn_endpoint_path(GN_ENDPOINT_USER, longest, 0, path, sizeof path, &needs_parent, &error), error, GN_CODE_NAME_TOO_LONG);
}

static void directories(void) {
    WCHAR temporary[MAX_PATH], wide[MAX_PATH + 64];
    char path[4 * MAX_PATH];
    gn_error error;
    EXPECT(GetTempPathW(MAX_PATH, temporary) > 0);
    (void)swprintf(wide, MAX_PATH + 64, L"%lsginnel-directory-%lu", temporary, GetCurrentProcessId());
    EXPECT(WideCharToMultiByte(CP_UTF8, 0, wide, -1, path, sizeof path, NULL, NULL) > 0);
    EXPECT(gn_directory_prepare(path, &error) == GN_DONE && gn_directory_prepare(path, &error) == GN_DONE);
    EXPECT(RemoveDirectoryW(wide));
    HANDLE file = CreateFileW(wide, GENERIC_WRITE, 0, NULL, CREATE_NEW, FILE_FLAG_DELETE_ON_CLOSE, NULL);
    EXPECT(file != INVALID_HANDLE_VALUE);
    EXPECT_CODE(gn_directory_prepare(path, &error), error, GN_CODE_UNSAFE);
    EXPECT(CloseHandle(file));
    // One that everybody may write to.
    PSECURITY_DESCRIPTOR descriptor;
    char sid[192], open[512];
    own_sid(sid);
    (void)snprintf(open, sizeof open, "D:P(A;;FA;;;%s)(A;;FA;;;WD)", sid);
    EXPECT(ConvertStringSecurityDescriptorToSecurityDescriptorA(open, SDDL_REVISION_1, &descriptor, NULL));
    EXPECT(gn_directory_prepare(path, &error) == GN_DONE && SetFileSecurityW(wide, DACL_SECURITY_INFORMATION, descriptor));
    LocalFree(descriptor);
    EXPECT_CODE(gn_directory_prepare(path, &error), error, GN_CODE_UNSAFE);
    EXPECT(RemoveDirectoryW(wide));
    EXPECT_CODE(gn_directory_prepare("C:\\no such\\directory", &error), error, GN_CODE_NOT_FOUND);
}

void suite_security(void) {
    check("SDDL has no alias for the current user", current_user_is_no_alias);
    check("every instance of a listener's pipe is for this user alone", every_instance);
    check("a pair is for this user alone", pairs);
    check("SYSTEM may do everything with a service for others, and whoever may connect is in its list", services_for_all);
    check("where others may connect they can do that and no more", others_where_they_may);
    check("where others may not connect they can do nothing", others_where_they_may_not);
    check("a group may connect and no more, and others may not", groups);
    check("a mode that means nothing here is invalid", modes);
    check("a squatter's pipe is unsafe, named, and known to clients by its owner", squatters);
    check("nobody can make a second first instance of a name", first_instance);
    check("a second service is told who holds the name", second_service);
    check("a pipe whose descriptor does not let us in is denied to us", closed_to_us);
    check("a pipe that does not let us in is denied to clients and unsafe for services", closed_by_script);
    check("a service may learn who its client is and not act for it", identification_only);
    check("channels are not inherited", not_inherited);
    check("an endpoint's name has the user's SID in it, and names that Windows cannot take are invalid", named_endpoints);
    check("a directory is made for this user alone, and one that is not is unsafe", directories);
}
