// Directories that hold sockets: exact modes, links, strangers, and those that are shared.
#include "posix_support.h"

static void exact_modes(void) {
    const mode_t masks[] = {0, 022, 077, 0777}, modes[] = {0700, 0750, 0755};
    for (size_t i = 0; i < 4; i++) {
        for (size_t j = 0; j < 3; j++) {
            struct place place;
            place_make(&place);
            place.options.directory_mode = modes[j];
            place.options.socket_mode = j == 0 ? 0600 : j == 1 ? 0660 : 0666;
            mode_t mask = umask(masks[i]);
            gn_listener *listener;
            gn_endpoint_facts facts;
            gn_error error;
            gn_outcome outcome = gn_listener_open(&place.options, &listener, &facts, &error);
            (void)umask(mask);
            // Without the superuser's rights, a mask of 0777 makes a directory that its owner cannot open.
            if (outcome == GN_DONE) {
                EXPECT(mode_of(place.directory) == modes[j]);
                EXPECT(mode_of(place.socket) == place.options.socket_mode);
                EXPECT(mode_of(place.lock) == 0600);
                EXPECT(facts.directory_mode == modes[j] && facts.socket_mode == place.options.socket_mode);
                gn_listener_close(listener);
            } else {
                EXPECT(masks[i] == 0777 && geteuid() != 0);
            }
            place_remove(&place);
        }
    }
}

static void ours_is_tightened(void) {
    struct place place;
    place_make(&place);
    place_make_directory(&place, 0755);
    gn_listener_close(open_listener(&place));
    EXPECT(mode_of(place.directory) == 0700);
    place_remove(&place);
}

static void others_may_write(void) {
    const mode_t modes[] = {0770, 0777, 0702, 01777};
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        struct place place;
        gn_endpoint_facts facts;
        place_make(&place);
        place_make_directory(&place, modes[i]);
        expect_refusal(&place, GN_CODE_UNSAFE, &facts);
        EXPECT(strcmp(facts.offender, place.directory) == 0 && facts.directory_mode == modes[i] && facts.directory_owner == geteuid());
        EXPECT(mode_of(place.directory) == modes[i]);
        EXPECT(!exists(place.socket) && !exists(place.lock));
        place_remove(&place);
    }
}

static void link_to_ours(void) {
    struct place place;
    gn_endpoint_facts facts;
    char target[160];
    place_make(&place);
    (void)snprintf(target, sizeof target, "%s/elsewhere", place.root);
    EXPECT(mkdir(target, 0700) == 0 && symlink(target, place.directory) == 0);
    expect_refusal(&place, GN_CODE_UNSAFE, &facts);
    EXPECT(facts.directory_is_link && strcmp(facts.offender, place.directory) == 0);
    place_remove(&place);
}

static void file_instead(void) {
    struct place place;
    gn_endpoint_facts facts;
    place_make(&place);
    write_file(place.directory, "mine");
    expect_refusal(&place, GN_CODE_UNSAFE, &facts);
    EXPECT(strcmp(facts.offender, place.directory) == 0 && file_holds(place.directory, "mine"));
    place_remove(&place);
}

static void of_a_stranger(void) {
    needs_root();
    for (int shared = 0; shared < 2; shared++) {
        struct place place;
        gn_endpoint_facts facts;
        place_make(&place);
        place_make_directory(&place, 0700);
        EXPECT(chown(place.directory, STRANGER, STRANGER) == 0);
        place.options.shared_directory = shared != 0;
        expect_refusal(&place, GN_CODE_UNSAFE, &facts);
        EXPECT(strcmp(facts.offender, place.directory) == 0 && facts.directory_owner == STRANGER);
        place_remove(&place);
    }
}

static void sticky_of_a_stranger(void) {
    needs_root();
    struct place place;
    gn_endpoint_facts facts;
    place_make(&place);
    place_make_directory(&place, 01777);
    EXPECT(chown(place.directory, STRANGER, STRANGER) == 0);
    place.options.shared_directory = true;
    expect_refusal(&place, GN_CODE_UNSAFE, &facts);
    place_remove(&place);
}

static void shared_and_sticky(void) {
    needs_root();
    struct place place;
    place_make(&place);
    place_make_directory(&place, 01777);
    place.options.shared_directory = true;
    gn_listener_close(open_listener(&place));
    EXPECT(mode_of(place.directory) == 01777);
    place_remove(&place);
}

static void shared_and_ours(void) {
    struct place place;
    gn_endpoint_facts facts;
    place_make(&place);
    place_make_directory(&place, 0755);
    place.options.shared_directory = true;
    gn_listener_close(open_listener(&place));
    EXPECT(mode_of(place.directory) == 0755);
    EXPECT(chmod(place.directory, 0775) == 0);
    expect_refusal(&place, GN_CODE_UNSAFE, &facts);
    place_remove(&place);
}

static void shared_through_roots_link(void) {
    needs_root();
    struct place place;
    char target[160];
    gn_endpoint_facts facts;
    place_make(&place);
    (void)snprintf(target, sizeof target, "%s/elsewhere", place.root);
    EXPECT(mkdir(target, 0700) == 0 && chmod(target, 01777) == 0 && symlink(target, place.directory) == 0);
    place.options.shared_directory = true;
    gn_listener_close(open_listener(&place));
    EXPECT(lchown(place.directory, STRANGER, STRANGER) == 0);
    expect_refusal(&place, GN_CODE_UNSAFE, &facts);
    place_remove(&place);
}

static void missing(void) {
    struct place place;
    gn_endpoint_facts facts;
    place_make(&place);
    place.options.create_directory = false;
    expect_refusal(&place, GN_CODE_NOT_FOUND, &facts);
    EXPECT(!facts.directory_exists);
    char deeper[256];
    (void)snprintf(deeper, sizeof deeper, "%s/one/two/service.sock", place.root);
    place.options.create_directory = true;
    place.options.path = deeper;
    expect_refusal(&place, GN_CODE_NOT_FOUND, &facts);
    EXPECT(!facts.directory_exists);
    place_remove(&place);
}

static void given_to_a_group(void) {
    needs_root();
    struct place place;
    struct stat status;
    place_make(&place);
    place.options.group = STRANGER;
    place.options.directory_mode = 0750;
    place.options.socket_mode = 0660;
    gn_listener *listener = open_listener(&place);
    EXPECT(stat(place.directory, &status) == 0 && status.st_gid == STRANGER && (status.st_mode & 07777) == 0750);
    EXPECT(stat(place.socket, &status) == 0 && status.st_gid == STRANGER && (status.st_mode & 07777) == 0660);
    EXPECT(stat(place.lock, &status) == 0 && (status.st_mode & 07777) == 0600);
    gn_listener_close(listener);
    place_remove(&place);
}

static void prepare(void) {
    struct place place;
    gn_error error;
    char other[192];
    place_make(&place);
    mode_t mask = umask(0277);
    gn_outcome outcome = gn_directory_prepare(place.directory, &error);
    (void)umask(mask);
    EXPECT(outcome == GN_DONE);
    EXPECT(mode_of(place.directory) == 0700);
    EXPECT(gn_directory_prepare(place.directory, &error) == GN_DONE);
    (void)snprintf(other, sizeof other, "%s/link", place.root);
    EXPECT(symlink(place.directory, other) == 0);
    EXPECT_CODE(gn_directory_prepare(other, &error), error, GN_CODE_UNSAFE);
    EXPECT(chmod(place.directory, 0720) == 0);
    EXPECT_CODE(gn_directory_prepare(place.directory, &error), error, GN_CODE_UNSAFE);
    (void)snprintf(other, sizeof other, "%s/file", place.root);
    write_file(other, "");
    EXPECT_CODE(gn_directory_prepare(other, &error), error, GN_CODE_UNSAFE);
    (void)snprintf(other, sizeof other, "%s/one/two", place.root);
    EXPECT_CODE(gn_directory_prepare(other, &error), error, GN_CODE_NOT_FOUND);
    if (geteuid() == 0) {
        EXPECT(chmod(place.directory, 0700) == 0 && chown(place.directory, STRANGER, STRANGER) == 0);
        EXPECT_CODE(gn_directory_prepare(place.directory, &error), error, GN_CODE_UNSAFE);
    }
    place_remove(&place);
}

void suite_directories(void) {
    check("directory, socket and lock have their exact modes under every umask", exact_modes);
    check("a directory of ours is brought to the mode that was asked for", ours_is_tightened);
    check("a directory in which others may write is unsafe and is left alone", others_may_write);
    check("a link in the place of the directory is unsafe", link_to_ours);
    check("a file in the place of the directory is unsafe and is left alone", file_instead);
    check("a stranger's directory is unsafe, shared or not", of_a_stranger);
    check("a stranger's sticky directory is unsafe", sticky_of_a_stranger);
    check("a sticky directory of root may be shared and keeps its mode", shared_and_sticky);
    check("a directory of ours may be shared when nobody else can write to it", shared_and_ours);
    check("a shared directory may be reached through root's link and nobody else's", shared_through_roots_link);
    check("a missing directory or parent is not found", missing);
    check("directory and socket are given to a group with the modes for it", given_to_a_group);
    check("preparing a directory makes it, accepts ours and refuses the rest", prepare);
}
