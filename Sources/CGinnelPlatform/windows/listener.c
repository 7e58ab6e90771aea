// Listening: a named pipe of several instances, each of which waits for one client.
//
// The first instance is made with the flag that fails when the name exists: that decides which service lives, and there is no lock beside it that could go stale. All
// instances have the same descriptor; one that was left out would be open to others.
//
// A name exists as long as any instance does, also those that are connected. So a service that listens no more keeps the name until its last connection has ended, and a successor
// is told BUSY until then. That is how the system is made; nobody else can take the name in the meantime.
//
// The instances belong to no poller, because the connections they become may go to any: their waiting is bridged (operation.c).
#include "win32.h"

#if defined(_WIN32)

#include <stdlib.h>
#include <string.h>

gn_outcome gnp_instance_open(gn_listener *listener, bool first, gnp_instance *instance, gn_error *error) {
    HANDLE pipe;
    if (gnp_pipe_create(listener->name, listener->descriptor, first, PIPE_UNLIMITED_INSTANCES, &pipe, error) != GN_DONE) return GN_FAILED;
    gnp_operation *connecting = gnp_operation_make(pipe, NULL, &listener->watch, GN_EVENT_READABLE);
    if (connecting == NULL) {
        (void)gnp_fail_last(error, "CreateEventW");
        gnp_close(pipe);
        return GN_FAILED;
    }
    *instance = (gnp_instance){.pipe = pipe, .connecting = connecting};
    gnp_instance_wait(instance);
    return GN_DONE;
}

void gnp_instance_close(gnp_instance *instance) {
    if (instance->connecting != NULL) gnp_operation_drop(instance->connecting, false, 0);
    gnp_close(instance->pipe);
    *instance = (gnp_instance){.pipe = NULL, .connecting = NULL};
}

/// How many clients may come before the first is accepted. Two at least, so that the name does not vanish while one instance is exchanged.
static size_t instances_for(int backlog) { return backlog < 2 ? 2 : backlog > GNP_INSTANCES ? GNP_INSTANCES : (size_t)backlog; }

static gn_outcome open_all(gn_listener *listener, const gn_listen_options *options, gn_endpoint_facts *facts, gn_error *error) {
    // A look beforehand tells a living service of ours from a stranger's and from nothing; the flag below decides.
    gn_outcome outcome = gnp_name_judge(listener->name, options->path, facts, error);
    for (size_t wanted = instances_for(options->backlog); outcome == GN_DONE && listener->count < wanted;) {
        outcome = gnp_instance_open(listener, listener->count == 0, &listener->instances[listener->count], error);
        if (outcome == GN_DONE) listener->count++;
    }
    if (outcome == GN_DONE || error->code != GN_CODE_EXISTS) return outcome;
    // Somebody was quicker. When he has gone again by now, trying again is still the right advice.
    int32_t native = error->native;
    if (gnp_name_judge(listener->name, options->path, facts, error) == GN_FAILED) return GN_FAILED;
    return gnp_fail(error, GN_CODE_BUSY, native, "CreateNamedPipeW");
}

gn_outcome gn_listener_open(const gn_listen_options *options, gn_listener **listener, gn_endpoint_facts *facts, gn_error *error) {
    char others[1024];
    memset(facts, 0, sizeof *facts);
    if (options->backlog < 1 || options->backlog > 4096 || options->group < -1 || options->group >= UINT32_MAX ||
        !gnp_access_of_mode(options, others, sizeof others)) {
        return gnp_fail(error, GN_CODE_INVALID, 0, "gn_listener_open");
    }
    gn_listener *made = gnp_allocate(sizeof *made);
    if (made == NULL) return gnp_fail_memory(error);
    InitializeSRWLock(&made->watch.lock);
    gn_outcome outcome = gnp_pipe_name(options->path, &made->name, error);
    if (outcome == GN_DONE) made->descriptor = gnp_descriptor(others, error);
    if (made->descriptor != NULL) outcome = open_all(made, options, facts, error);
    else outcome = GN_FAILED;
    if (outcome == GN_DONE) *listener = made;
    else gn_listener_close(made);
    return outcome;
}

gn_outcome gn_listener_adopt(gn_handle handle, gn_listener **listener, gn_error *error) {
    // What listens here is a name with its instances, not a handle that could be passed on.
    (void)handle, (void)listener;
    return gnp_fail(error, GN_CODE_INVALID, 0, "gn_listener_adopt");
}

void gn_listener_close(gn_listener *listener) {
    gnp_watch_end(&listener->watch);
    for (size_t i = 0; i < listener->count; i++) gnp_instance_close(&listener->instances[i]);
    if (listener->descriptor != NULL) LocalFree(listener->descriptor);
    free(listener->name);
    free(listener);
}

#endif
