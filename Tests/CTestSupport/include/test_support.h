// test_support.h: what tests ask of the operating system and the library itself has no use for.
#ifndef TEST_SUPPORT_H
#define TEST_SUPPORT_H

#include <stdbool.h>
#include <stddef.h>

/// A listening Unix socket at `path`, made without any of the library's care; -1 when that fails.
int ts_listen(const char *path);

/// A Unix socket, or the next connection of a listening one, which no child inherits: a child that another test starts would keep it open. -1, with errno set, when there is none.
int ts_socket(void);
int ts_accept(int listener);

/// A pipe, first its reading end, which no child inherits. False, with errno set, when there is none.
bool ts_pipe(int ends[2]);

/// Lets reads and writes of a descriptor wait.
void ts_make_blocking(int descriptor);

/// Closes a descriptor.
void ts_close(int descriptor);

/// Bytes that the program has allocated and not freed, as the allocator counts them; 0 where it does not tell.
size_t ts_bytes_allocated(void);

/// Whether the thread or address sanitizer is compiled in: it replaces the allocator, and everything takes longer.
bool ts_is_sanitized(void);

/// Allows this thread, and those that it starts, one processor only. False where that cannot be done.
bool ts_use_one_processor(void);

/// Acts as another user from now on, in all threads; root may come back. False when that is not allowed.
bool ts_become_user(unsigned user);

#endif
