// witness.h: what the layer has asked of the system, seen on the way. Some of it leaves no other trace, and under Wine some of it has no effect.
#ifndef WITNESS_H
#define WITNESS_H

#include "windows_support.h"

typedef struct witnessed_pipe {
    WCHAR name[300];
    DWORD open_mode, pipe_mode;
    bool has_descriptor, is_inheritable;
} witnessed_pipe;

typedef struct witnessed_open {
    WCHAR name[300];
    DWORD access, share, flags;
} witnessed_open;

enum { WITNESSED = 64 };

/// Forgets what was seen; from now on the first WITNESSED calls are kept. To be used by one thread, and read by it.
void witness_begin(void);
size_t witness_pipes(const witnessed_pipe **pipes);
size_t witness_opens(const witnessed_open **opens);

/// The size of the last ReadFile, and whether it was left with the system.
DWORD witness_last_read(bool *pending);

/// From now on the system names this process as every pipe's client; 0: the true one.
void witness_client(DWORD process);

#endif
