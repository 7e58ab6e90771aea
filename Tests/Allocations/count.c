// Counts heap allocations of the program into which it is preloaded, and writes the number to the file that ALLOCATIONS names when the program ends.
//
// malloc, calloc, realloc and the aligned ones count one each, whatever they return; freeing does not. With ALLOCATIONS_TRACE=first,number so many
// allocations from the first on write their callers to <file>.trace, one a line as `module(+offset)`, for llvm-symbolizer.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static atomic_ulong count;
static unsigned long trace_first, trace_end;
static int trace_file = -1;
static __thread int inside;

static void *(*real_malloc)(size_t);
static void *(*real_calloc)(size_t, size_t);
static void *(*real_realloc)(void *, size_t);
static void *(*real_aligned)(size_t, size_t);
static int (*real_posix)(void **, size_t, size_t);

// dlsym itself asks for memory before the real functions are known.
static char early[65536];
static size_t early_used;

static void *take_early(size_t size) {
    size_t start = (early_used + 15) & ~(size_t)15;
    if (start + size > sizeof early) _exit(70);
    early_used = start + size;
    return early + start;
}

static int is_early(const void *memory) { return (const char *)memory >= early && (const char *)memory < early + sizeof early; }

static void find(void) {
    static int finding;
    if (finding) return;
    finding = 1;
    real_calloc = (void *(*)(size_t, size_t))dlsym(RTLD_NEXT, "calloc");
    real_realloc = (void *(*)(void *, size_t))dlsym(RTLD_NEXT, "realloc");
    real_aligned = (void *(*)(size_t, size_t))dlsym(RTLD_NEXT, "aligned_alloc");
    real_posix = (int (*)(void **, size_t, size_t))dlsym(RTLD_NEXT, "posix_memalign");
    real_malloc = (void *(*)(size_t))dlsym(RTLD_NEXT, "malloc");
}

static void trace(unsigned long number) {
    if (trace_file < 0 || number < trace_first || number >= trace_end || inside) return;
    inside = 1;
    void *frames[48];
    int depth = backtrace(frames, 48);
    backtrace_symbols_fd(frames, depth, trace_file);
    if (write(trace_file, "\n", 1) != 1) _exit(71);
    inside = 0;
}

static void note(void) { trace(atomic_fetch_add_explicit(&count, 1, memory_order_relaxed)); }

void *malloc(size_t size) {
    if (real_malloc == NULL) find();
    if (real_malloc == NULL) return take_early(size);
    note();
    return real_malloc(size);
}

void *calloc(size_t number, size_t size) {
    if (real_malloc == NULL) find();
    if (real_malloc == NULL) return take_early(number * size);
    note();
    return real_calloc(number, size);
}

void *realloc(void *memory, size_t size) {
    if (real_malloc == NULL) find();
    if (memory != NULL && is_early(memory)) {
        void *moved = malloc(size);
        if (moved != NULL) memcpy(moved, memory, size);
        return moved;
    }
    if (real_malloc == NULL) return take_early(size);
    note();
    return real_realloc(memory, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    if (real_malloc == NULL) find();
    note();
    return real_aligned(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size) {
    if (real_malloc == NULL) find();
    note();
    return real_posix(memory, alignment, size);
}

void free(void *memory) {
    static void (*real_free)(void *);
    if (memory == NULL || is_early(memory)) return;
    if (real_free == NULL) real_free = (void (*)(void *))dlsym(RTLD_NEXT, "free");
    real_free(memory);
}

__attribute__((constructor)) static void begin(void) {
    const char *range = getenv("ALLOCATIONS_TRACE"), *file = getenv("ALLOCATIONS");
    unsigned long first, number;
    char name[4096];
    if (range == NULL || file == NULL || sscanf(range, "%lu,%lu", &first, &number) != 2) return;
    void *frame;
    backtrace(&frame, 1);  // loads what it needs now and not in the middle of a count
    snprintf(name, sizeof name, "%s.trace", file);
    trace_first = first;
    trace_end = first + number;
    trace_file = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
}

__attribute__((destructor)) static void end(void) {
    unsigned long total = atomic_load(&count);
    const char *file = getenv("ALLOCATIONS");
    char text[32];
    int length = snprintf(text, sizeof text, "%lu\n", total);
    int descriptor = file == NULL ? -1 : open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (descriptor < 0 || write(descriptor, text, (size_t)length) != length) _exit(72);
    close(descriptor);
}
