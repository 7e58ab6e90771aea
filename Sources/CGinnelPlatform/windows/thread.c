// Threads and locks. There are no signals to keep away from threads here.
#include "win32.h"

#if defined(_WIN32)

#include <limits.h>
#include <process.h>
#include <stdlib.h>
#include <string.h>

struct gn_thread {
    HANDLE thread;
    void (*body)(void *);
    void *argument;
    char name[64];
};

typedef HRESULT(WINAPI *name_setter)(HANDLE, PCWSTR);

/// Names the calling thread; older systems cannot.
static void take_name(const char *name) {
    HMODULE library = GetModuleHandleW(L"kernelbase.dll");
    FARPROC address = library == NULL ? NULL : GetProcAddress(library, "SetThreadDescription");
    WCHAR *wide = address == NULL ? NULL : gnp_wide(name);
    if (wide == NULL) return;
    name_setter set;
    memcpy(&set, &address, sizeof set);
    (void)set(GetCurrentThread(), wide);
    free(wide);
}

static unsigned __stdcall run(void *argument) {
    gn_thread *self = argument;
    take_name(self->name);
    self->body(self->argument);
    return 0;
}

gn_outcome gn_thread_start(const char *name, size_t stack_size, void (*body)(void *), void *argument, gn_thread **thread, gn_error *error) {
    gn_thread *made = gnp_allocate(sizeof *made);
    if (made == NULL) return gnp_fail_memory(error);
    made->body = body;
    made->argument = argument;
    strncpy(made->name, name, sizeof made->name - 1);
    unsigned stack = stack_size < UINT_MAX ? (unsigned)stack_size : UINT_MAX;
    // The C library's own way to start a thread, so that it knows of it.
    made->thread = gnp_fails("_beginthreadex") ? NULL : (HANDLE)_beginthreadex(NULL, stack, run, made, STACK_SIZE_PARAM_IS_A_RESERVATION, NULL);
    if (made->thread == NULL) {
        free(made);
        return gnp_fail_last(error, "_beginthreadex");
    }
    *thread = made;
    return GN_DONE;
}

void gn_thread_join(gn_thread *thread) {
    (void)WaitForSingleObject(thread->thread, INFINITE);
    gnp_close(thread->thread);
    free(thread);
}

uint64_t gn_thread_current(void) { return GetCurrentThreadId(); }

// MARK: Locks

struct gn_mutex {
    SRWLOCK lock;
};

gn_mutex *gn_mutex_create(void) {
    gn_mutex *made = gnp_allocate(sizeof *made);
    if (made != NULL) InitializeSRWLock(&made->lock);
    return made;
}

void gn_mutex_destroy(gn_mutex *mutex) { free(mutex); }

void gn_mutex_lock(gn_mutex *mutex) { AcquireSRWLockExclusive(&mutex->lock); }

void gn_mutex_unlock(gn_mutex *mutex) { ReleaseSRWLockExclusive(&mutex->lock); }

#endif
