// posix_support.h: files, users and second processes for the checks of Linux and macOS.
#ifndef POSIX_SUPPORT_H
#define POSIX_SUPPORT_H

#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif

#include "check.h"
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/// A user that is not the one who runs the checks.
enum { STRANGER = 54321 };

/// What a child says that may not do what its role asks of it.
enum { NOT_ALLOWED = 77 };

/// A fresh directory of ours with mode 0700, and options to listen in its `service` directory.
struct place {
    char root[128], directory[160], socket[192], lock[208];
    gn_listen_options options;
};

void place_make(struct place *place);
/// Removes it with everything in it.
void place_remove(struct place *place);
/// Makes the service's directory with an exact mode.
void place_make_directory(struct place *place, mode_t mode);

/// Whether anything, a dangling link among them, has this name.
bool exists(const char *path);
/// Permission bits of what has this name.
mode_t mode_of(const char *path);
void write_file(const char *path, const char *text);
bool file_holds(const char *path, const char *text);

/// A plain bound socket, as another program would make it; -1 backlog: not listening. Returns the descriptor.
int foreign_socket(const char *path, int type, int backlog);

/// Opens a listener that must work, or must fail with a code.
gn_listener *open_listener(const struct place *place);
void expect_refusal(const struct place *place, gn_code code, gn_endpoint_facts *facts);

/// Skips the check, which must not have made anything yet, when this is not the superuser.
void needs_root(void);

/// A child that watches, asks itself to end so many times, watches no more and asks once again.
int ask_oneself(const char *times);

void suite_directories(void);
void suite_sockets(void);
void suite_lock(void);
void suite_paths(void);
void suite_files(void);
void suite_handles(void);
void suite_identity(void);
void suite_kernel(void);
void suite_faults(void);
void suite_exhaustion(void);
void suite_children(void);
void suite_termination(void);
void suite_inherited(void);
void suite_posix_memory(void);
void suite_sealed(void);
void suite_memory_faults(void);

#endif
