// Paths: what cannot be one, and where named endpoints are looked for.
#include "posix_support.h"

#include <grp.h>

static void last_component_too_long(void) {
    struct place place;
    char path[512];
    gn_channel *channel;
    gn_endpoint_facts facts;
    gn_error error;
    place_make(&place);
    const size_t lengths[] = {120, 255, 300};
    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(path, sizeof path, "%s/", place.directory);
        size_t begin = strlen(path);
        memset(path + begin, 'n', lengths[i]);
        path[begin + lengths[i]] = 0;
        place.options.path = path;
        expect_refusal(&place, GN_CODE_NAME_TOO_LONG, &facts);
        EXPECT_CODE(gn_channel_connect(path, &channel, &error), error, GN_CODE_NAME_TOO_LONG);
    }
    place_remove(&place);
}

static void no_name(void) {
    struct place place;
    gn_endpoint_facts facts;
    const char *const paths[] = {"/tmp/", "/", "/tmp/.", "/tmp/.."};
    place_make(&place);
    for (size_t i = 0; i < 4; i++) {
        place.options.path = paths[i];
        expect_refusal(&place, GN_CODE_INVALID, &facts);
    }
    place_remove(&place);
}

// MARK: Named endpoints

static void expect_candidates(const char *const *expected, size_t needing_parent) {
    char path[1024];
    bool needs_parent;
    gn_error error;
    size_t index = 0;
    for (; expected[index] != NULL; index++) {
        EXPECT(gn_endpoint_path(GN_ENDPOINT_USER, "rec", index, path, sizeof path, &needs_parent, &error) == GN_DONE);
        EXPECT(strcmp(path, expected[index]) == 0);
        EXPECT(needs_parent == (index == needing_parent));
    }
    gn_outcome outcome = gn_endpoint_path(GN_ENDPOINT_USER, "rec", index, path, sizeof path, &needs_parent, &error);
    EXPECT_CODE(outcome, error, GN_CODE_NOT_FOUND);
}

static void set(const char *name, const char *value) {
    if (value == NULL) EXPECT(unsetenv(name) == 0);
    else EXPECT(setenv(name, value, 1) == 0);
}

#if defined(__linux__)
static void user_endpoints(void) {
    char usual[128], base[128], in_tmp[128], in_other[128];
    unsigned user = geteuid();
    (void)snprintf(base, sizeof base, "/run/user/%u", user);
    (void)snprintf(usual, sizeof usual, "/run/user/%u/rec/service.sock", user);
    (void)snprintf(in_tmp, sizeof in_tmp, "/tmp/ginnel-%u/rec/service.sock", user);
    (void)snprintf(in_other, sizeof in_other, "/var/other/ginnel-%u/rec/service.sock", user);
    set("XDG_RUNTIME_DIR", NULL), set("TMPDIR", NULL);
    expect_candidates((const char *const[]){usual, in_tmp, NULL}, 1);
    set("XDG_RUNTIME_DIR", "/run/session//"), set("TMPDIR", "/var/other/");
    expect_candidates((const char *const[]){"/run/session/rec/service.sock", usual, in_other, NULL}, 2);
    set("XDG_RUNTIME_DIR", base), set("TMPDIR", "relative");
    expect_candidates((const char *const[]){usual, in_tmp, NULL}, 1);
    set("XDG_RUNTIME_DIR", "relative"), set("TMPDIR", "");
    expect_candidates((const char *const[]){usual, in_tmp, NULL}, 1);
    set("XDG_RUNTIME_DIR", NULL), set("TMPDIR", NULL);
}
#else
static void user_endpoints(void) {
    set("TMPDIR", "/var/other/");
    expect_candidates((const char *const[]){"/var/other/rec/service.sock", NULL}, SIZE_MAX);
    set("TMPDIR", NULL);
}
#endif

static void names(void) {
    char path[1024];
    bool needs_parent;
    gn_error error;
    const char *const invalid[] = {".", "..", "a/..", "/a"};
    for (size_t i = 0; i < 4; i++) {
        EXPECT_CODE(gn_endpoint_path(GN_ENDPOINT_SYSTEM, invalid[i], 0, path, sizeof path, &needs_parent, &error), error, GN_CODE_INVALID);
    }
    EXPECT(gn_endpoint_path(GN_ENDPOINT_SYSTEM, "..rec", 0, path, sizeof path, &needs_parent, &error) == GN_DONE && !needs_parent);
}

static void groups(void) {
    uint32_t group = 1;
    gn_error error;
    const struct group *own = getgrgid(0);
    EXPECT(own != NULL && gn_group_id(own->gr_name, &group, &error) == GN_DONE && group == 0);
}

void suite_paths(void) {
    check("a last component that fits nowhere is too long", last_component_too_long);
    check("a path without a name at its end is invalid", no_name);
    check("a user's endpoints are looked for in the right places in the right order", user_endpoints);
    check("names that would leave the directory are refused", names);
    check("a group's number is found by its name", groups);
}
