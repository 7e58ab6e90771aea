// Children that have a channel to their parent, and what they do: see support.h.
#include "check.h"
#include "support.h"

// MARK: The parent's side

static gn_handle give_channel(struct partner *partner) {
    ends_pair(&partner->ends);
    gn_handle handle = gn_channel_release(partner->ends.b);
    partner->ends.b = NULL;
    return handle;
}

void partner_start(struct partner *partner, const char *const *role) {
    gn_peer self;
    gn_peer_self(&self);
    partner_start_program(partner, self.executable, role);
}

void partner_start_program(struct partner *partner, const char *program, const char *const *role) {
    gn_handle handle = give_channel(partner);
    const char *arguments[12] = {"conformance", "--child"};
    for (size_t i = 0; role[i] != NULL && i < 9; i++) arguments[i + 2] = role[i];
    gn_error error;
    EXPECT(gn_process_start(program, arguments, NULL, &handle, 1, GN_NO_HANDLE, &partner->process, &error) == GN_DONE);
    gn_handle_close(handle);
}

void partner_await(struct partner *partner) {
    char byte;
    ends_read_exactly(&partner->ends, TOKEN_A, &byte, 1);
}

int32_t partner_finish(struct partner *partner) {
    ends_finish(&partner->ends);
    return child_finish(partner->process);
}

// MARK: The child's side

bool partner_meet(struct ends *ends) {
    gn_error error;
    memset(ends, 0, sizeof *ends);
    return poller_open(&ends->poller, &error) == GN_DONE && gn_channel_adopt(3, &ends->a, &error) == GN_DONE &&
           gn_poller_add_channel(ends->poller, ends->a, TOKEN_A, &error) == GN_DONE;
}

void partner_ready(struct ends *ends) {
    char byte;
    size_t count;
    gn_error error;
    ends_write(ends, TOKEN_A, "r", 1);
    while (ends_read(ends, TOKEN_A, &byte, 1, &count, &error) == GN_DONE) {}
    ends_finish(ends);
}

/// Listens until the parent hangs up.
static int hold(const char *path) {
    gn_listen_options options = {
        .path = path, .create_directory = true, .directory_mode = 0700, .socket_mode = 0600, .group = -1, .backlog = 16};
    struct ends ends;
    gn_listener *listener;
    gn_endpoint_facts facts;
    gn_error error;
    if (!partner_meet(&ends) || gn_listener_open(&options, &listener, &facts, &error) != GN_DONE) return 2;
    partner_ready(&ends);
    gn_listener_close(listener);
    return 0;
}

/// Connects and stays until the parent hangs up.
static int connect_quietly(const char *path) {
    struct ends ends;
    gn_channel *channel;
    gn_error error;
    if (!partner_meet(&ends) || gn_channel_connect(path, &channel, &error) != GN_DONE) return 2;
    partner_ready(&ends);
    gn_channel_abort(channel);
    return 0;
}

static int stay(void) {
    struct ends ends;
    if (!partner_meet(&ends)) return 2;
    partner_ready(&ends);
    return 0;
}

/// Answers one byte with its successor on each of three channels that it was given, the last first, and says which number each has. A fourth is not there.
static int answer_by_number(void) {
    for (gn_handle number = 5; number >= 3; number--) {
        struct ends ends = {0};
        gn_error error;
        char byte;
        if (poller_open(&ends.poller, &error) != GN_DONE || gn_channel_adopt(number, &ends.a, &error) != GN_DONE ||
            gn_poller_add_channel(ends.poller, ends.a, TOKEN_A, &error) != GN_DONE) {
            return 2;
        }
        ends_read_exactly(&ends, TOKEN_A, &byte, 1);
        const char answer[] = {(char)(byte + 1), (char)('0' + number)};
        ends_write(&ends, TOKEN_A, answer, 2);
        gn_channel_close(ends.a, 1000000000u);
        ends.a = NULL;
        ends_finish(&ends);
    }
    gn_channel *none;
    gn_error error;
    return gn_channel_adopt(6, &none, &error) == GN_FAILED && error.code == GN_CODE_INVALID ? 0 : 3;
}

int partner_main(const char *role, int count, char **arguments) {
    if (strcmp(role, "hold") == 0 && count == 1) return hold(arguments[0]);
    if (strcmp(role, "connect-quietly") == 0 && count == 1) return connect_quietly(arguments[0]);
    if (strcmp(role, "stay") == 0) return stay();
    if (strcmp(role, "answer-by-number") == 0) return answer_by_number();
    return -1;
}
