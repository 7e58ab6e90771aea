// Who may do what with our pipes, mappings and directories: descriptors in SDDL, from this user's real SID, and what other descriptors say.
//
// SDDL has no word for "the current user", so the SID is read from the process's token and written out. Every descriptor is protected ("P"), so that nothing is inherited
// from wherever the object lies, and names the owner, because the default owner of what an administrator makes is the group of administrators, which tells a client nothing
// about who the service is.
#include "win32.h"

#if defined(_WIN32)

#include <aclapi.h>
#include <sddl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// MARK: SIDs

static bool text_of_sid(PSID sid, char text[GNP_SID_TEXT]) {
    char *allocated;
    if (sid == NULL || !ConvertSidToStringSidA(sid, &allocated)) return false;
    size_t length = strlen(allocated);
    bool fits = length < GNP_SID_TEXT;
    if (fits) memcpy(text, allocated, length + 1);
    LocalFree(allocated);
    return fits;
}

/// A token's user. The buffer holds the structure and the SID behind it.
typedef union user_room {
    TOKEN_USER user;
    uint8_t bytes[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
} user_room;

bool gnp_sid_of_token(HANDLE token, char sid[GNP_SID_TEXT]) {
    user_room room;
    DWORD size;
    if (gnp_fails("GetTokenInformation")) return false;
    return GetTokenInformation(token, TokenUser, &room, sizeof room, &size) && text_of_sid(room.user.User.Sid, sid);
}

bool gnp_sid_own(char sid[GNP_SID_TEXT]) {
    HANDLE token;
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token)) return false;
    bool known = gnp_sid_of_token(token, sid);
    gnp_close(token);
    return known;
}

bool gnp_sid_of_owner(HANDLE object, char sid[GNP_SID_TEXT]) {
    PSID owner = NULL;
    PSECURITY_DESCRIPTOR descriptor = NULL;
    if (GetSecurityInfo(object, SE_KERNEL_OBJECT, OWNER_SECURITY_INFORMATION, &owner, NULL, NULL, NULL, &descriptor) != ERROR_SUCCESS) return false;
    bool known = text_of_sid(owner, sid);
    LocalFree(descriptor);
    return known;
}

// MARK: Descriptors

PSECURITY_DESCRIPTOR gnp_descriptor(const char *others, gn_error *error) {
    char sid[GNP_SID_TEXT], text[3 * GNP_SID_TEXT + 512];
    PSECURITY_DESCRIPTOR descriptor;
    if (!gnp_sid_own(sid)) {
        (void)gnp_fail_last(error, "GetTokenInformation");
        return NULL;
    }
    if (snprintf(text, sizeof text, "O:%sG:%sD:P(A;;GA;;;%s)%s", sid, sid, sid, others) >= (int)sizeof text) {
        (void)gnp_fail_native(error, ERROR_INVALID_PARAMETER, "gnp_descriptor");
        return NULL;
    }
    if (ConvertStringSecurityDescriptorToSecurityDescriptorA(text, SDDL_REVISION_1, &descriptor, NULL)) return descriptor;
    (void)gnp_fail_last(error, "ConvertStringSecurityDescriptorToSecurityDescriptorA");
    return NULL;
}

// MARK: Groups

/// Aliases that Windows itself makes (Users, Guests, …) have relative ids below this, groups that were made on this machine from here on.
enum { FIRST_BUILT_IN = 500, FIRST_LOCAL = 1000 };

typedef union sid_room {
    SID sid;
    uint8_t bytes[SECURITY_MAX_SID_SIZE];
} sid_room;

static bool look_up(const WCHAR *name, sid_room *room, SID_NAME_USE *use) {
    WCHAR domain[256];
    DWORD size = sizeof *room, domain_size = sizeof domain / sizeof domain[0];
    return LookupAccountNameW(NULL, name, &room->sid, &size, domain, &domain_size, use) != 0;
}

/// The SID of this machine, to which its own groups belong.
static bool machine_sid(sid_room *room) {
    WCHAR name[MAX_COMPUTERNAME_LENGTH + 1];
    DWORD size = sizeof name / sizeof name[0];
    SID_NAME_USE use;
    return GetComputerNameW(name, &size) && look_up(name, room, &use) && use == SidTypeDomain;
}

gn_outcome gn_group_id(const char *name, uint32_t *group, gn_error *error) {
    WCHAR *wide = gnp_wide(name);
    if (wide == NULL) return gnp_fail(error, GN_CODE_NOT_FOUND, (int32_t)GetLastError(), "LookupAccountNameW");
    sid_room room, machine;
    SID_NAME_USE use = SidTypeUnknown;
    bool found = look_up(wide, &room, &use) && (use == SidTypeAlias || use == SidTypeGroup || use == SidTypeWellKnownGroup);
    DWORD native = found ? 0 : GetLastError();
    free(wide);
    if (!found) return gnp_fail(error, GN_CODE_NOT_FOUND, (int32_t)native, "LookupAccountNameW");
    // A group's number is the last part of its SID. Only groups of this machine have one: those of a domain are told apart by more than a number.
    uint32_t relative = *GetSidSubAuthority(&room.sid, (DWORD)*GetSidSubAuthorityCount(&room.sid) - 1);
    bool built_in = *GetSidSubAuthorityCount(&room.sid) == 2 && *GetSidSubAuthority(&room.sid, 0) == SECURITY_BUILTIN_DOMAIN_RID;
    bool local = relative >= FIRST_LOCAL && machine_sid(&machine) && EqualPrefixSid(&room.sid, &machine.sid) == 0 &&
                 *GetSidSubAuthorityCount(&room.sid) == *GetSidSubAuthorityCount(&machine.sid) + 1 &&
                 memcmp(GetSidSubAuthority(&room.sid, 0), GetSidSubAuthority(&machine.sid, 0), *GetSidSubAuthorityCount(&machine.sid) * sizeof(DWORD)) == 0;
    if (!built_in && !local) return gnp_fail(error, GN_CODE_NOT_FOUND, 0, "LookupAccountNameW");
    *group = relative;
    return GN_DONE;
}

static bool text_of_group(int64_t group, char text[GNP_SID_TEXT]) {
    if (group < FIRST_BUILT_IN) return false;
    if (group < FIRST_LOCAL) return snprintf(text, GNP_SID_TEXT, "S-1-5-32-%lld", (long long)group) < GNP_SID_TEXT;
    sid_room machine;
    char prefix[GNP_SID_TEXT];
    if (!machine_sid(&machine) || !text_of_sid(&machine.sid, prefix)) return false;
    return snprintf(text, GNP_SID_TEXT, "%s-%lld", prefix, (long long)group) < GNP_SID_TEXT;
}

bool gnp_access_of_mode(const gn_listen_options *options, char *entries, size_t capacity) {
    char group[GNP_SID_TEXT];
    entries[0] = 0;
    switch (options->socket_mode) {
    case 0600:
        return true;
    case 0660:
        // Without a group there is nobody else whom the mode could mean.
        if (options->group < 0) return snprintf(entries, capacity, "(A;;GA;;;SY)") < (int)capacity;
        return text_of_group(options->group, group) &&
               snprintf(entries, capacity, "(A;;GA;;;SY)(A;;0x%x;;;%s)", GNP_PIPE_CLIENT, group) < (int)capacity;
    case 0666:
        // Whoever has logged on to this machine: neither guests nor anonymous ones.
        return snprintf(entries, capacity, "(A;;GA;;;SY)(A;;0x%x;;;AU)", GNP_PIPE_CLIENT) < (int)capacity;
    default:
        return false;
    }
}

// MARK: What others may do

/// SIDs that can do everything anyway.
static bool is_trusted(PSID sid, const char *own) {
    char text[GNP_SID_TEXT];
    return text_of_sid(sid, text) && (strcmp(text, own) == 0 || strcmp(text, "S-1-5-18") == 0 || strcmp(text, "S-1-5-32-544") == 0);
}

bool gnp_open_to_others(HANDLE object, DWORD rights) {
    PACL list = NULL;
    PSECURITY_DESCRIPTOR descriptor = NULL;
    char own[GNP_SID_TEXT];
    if (!gnp_sid_own(own)) return true;
    if (GetSecurityInfo(object, SE_KERNEL_OBJECT, DACL_SECURITY_INFORMATION, NULL, NULL, &list, NULL, &descriptor) != ERROR_SUCCESS) return true;
    bool open = list == NULL;  // no list lets in everybody
    for (DWORD i = 0; list != NULL && i < list->AceCount && !open; i++) {
        void *entry;
        if (!GetAce(list, i, &entry)) open = true;
        else if (((ACE_HEADER *)entry)->AceType == ACCESS_ALLOWED_ACE_TYPE) {
            ACCESS_ALLOWED_ACE *allowed = entry;
            open = (allowed->Mask & rights) != 0 && !is_trusted(&allowed->SidStart, own);
        } else if (((ACE_HEADER *)entry)->AceType != ACCESS_DENIED_ACE_TYPE) {
            open = true;  // of a kind that is not understood here
        }
    }
    LocalFree(descriptor);
    return open;
}

#endif
