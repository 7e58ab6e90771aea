// Paths and names: their limits, and directories for them.
#include "check.h"
#include "support.h"

#include <stdio.h>

static void expect_service_at(const gn_listen_options *options) {
    gn_channel *client;
    gn_listener *listener;
    gn_endpoint_facts facts;
    gn_error error;
    EXPECT(gn_listener_open(options, &listener, &facts, &error) == GN_DONE);
    EXPECT(gn_channel_connect(options->path, &client, &error) == GN_DONE);
    gn_channel_abort(client);
    gn_endpoint_inspect(options->path, &facts);
    EXPECT(facts.answers && facts.lock_held);
    gn_listener_close(listener);
    EXPECT_CODE(gn_channel_connect(options->path, &client, &error), error, GN_CODE_NOT_FOUND);
}

static void at_the_limit(void) {
    char path[512];
    bool longer;
    gn_listen_options options;
    support_long_endpoint(path, gn_path_limit(&longer), &options);
    expect_service_at(&options);
    support_endpoint_remove(path);
}

static void over_the_limit(void) {
    char path[512];
    bool longer;
    gn_channel *channel;
    gn_listener *listener;
    gn_listen_options options;
    gn_endpoint_facts facts;
    gn_error error;
    size_t limit = gn_path_limit(&longer);
    const size_t lengths[] = {limit + 1, limit + 2, limit + 100};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        support_long_endpoint(path, lengths[i], &options);
        if (longer) {
            expect_service_at(&options);
        } else {
            EXPECT_CODE(gn_listener_open(&options, &listener, &facts, &error), error, GN_CODE_NAME_TOO_LONG);
            EXPECT_CODE(gn_channel_connect(path, &channel, &error), error, GN_CODE_NAME_TOO_LONG);
        }
        support_endpoint_remove(path);
    }
}

static void exact_room(void) {
    static const gn_endpoint_kind kinds[] = {GN_ENDPOINT_USER, GN_ENDPOINT_SYSTEM};
    char path[1024], exact[1024];
    bool needs_parent;
    gn_error error;
    for (size_t i = 0; i < 2; i++) {
        EXPECT(gn_endpoint_path(kinds[i], "..rec", 0, path, sizeof path, &needs_parent, &error) == GN_DONE);
        size_t size = strlen(path) + 1;
        EXPECT(gn_endpoint_path(kinds[i], "..rec", 0, exact, size, &needs_parent, &error) == GN_DONE && strcmp(path, exact) == 0);
        EXPECT_CODE(gn_endpoint_path(kinds[i], "..rec", 0, exact, size - 1, &needs_parent, &error), error, GN_CODE_NAME_TOO_LONG);
    }
}

static void unknown_groups(void) {
    uint32_t group;
    gn_error error;
    EXPECT_CODE(gn_group_id("no such group here", &group, &error), error, GN_CODE_NOT_FOUND);
    EXPECT_CODE(gn_group_id("", &group, &error), error, GN_CODE_NOT_FOUND);
}

static void directories(void) {
    char root[512], path[600];
    gn_error error;
    support_directory(root);
    (void)snprintf(path, sizeof path, "%sours", root);
    EXPECT(gn_directory_prepare(path, &error) == GN_DONE && gn_directory_prepare(path, &error) == GN_DONE);
    (void)snprintf(path, sizeof path, "%sfile", root);
    support_write_file(path, "");
    EXPECT_CODE(gn_directory_prepare(path, &error), error, GN_CODE_UNSAFE);
    (void)snprintf(path, sizeof path, "%snone/deeper", root);
    EXPECT_CODE(gn_directory_prepare(path, &error), error, GN_CODE_NOT_FOUND);
    support_directory_remove(root);
}

void suite_names(void) {
    check("a path at the system's limit works", at_the_limit);
    check("a path over the limit works where the system has a way, else its name is too long", over_the_limit);
    check("the room for an endpoint's path is exact", exact_room);
    check("a group that does not exist is not found", unknown_groups);
    check("a directory is made, and accepted when it is there; a file in its place is unsafe, and a missing parent is not found", directories);
}
