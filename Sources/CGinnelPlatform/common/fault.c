// Scripted faults: tests make a system call fail without arranging the disaster that would make it fail.
//
// Every wrapper asks gnp_fault before it calls the kernel. Without scripts that is one relaxed load; with scripts it is a
// short search under a spin lock, which no production process ever takes.
#include "../internal.h"

#include <string.h>

enum { SCRIPTS = 16, NAME = 32 };

typedef struct script {
    char operation[NAME];
    uint32_t skip, times;   // times == 0: the slot is free
    int32_t native;
} script;

atomic_uint gnp_faults_active;

static script scripts[SCRIPTS];
static atomic_flag busy = ATOMIC_FLAG_INIT;

static void lock(void) {
    while (atomic_flag_test_and_set_explicit(&busy, memory_order_acquire)) {}
}

static void unlock(void) { atomic_flag_clear_explicit(&busy, memory_order_release); }

bool gn_fault_add(const char *operation, uint32_t skip, uint32_t times, int32_t native) {
    size_t length = strlen(operation);
    if (length >= NAME || times == 0) return false;
    bool added = false;
    lock();
    for (size_t i = 0; i < SCRIPTS && !added; i++) {
        if (scripts[i].times != 0) continue;
        memcpy(scripts[i].operation, operation, length + 1);
        scripts[i].skip = skip;
        scripts[i].times = times;
        scripts[i].native = native;
        atomic_fetch_add_explicit(&gnp_faults_active, 1, memory_order_relaxed);
        added = true;
    }
    unlock();
    return added;
}

void gn_fault_clear(void) {
    lock();
    memset(scripts, 0, sizeof scripts);
    atomic_store_explicit(&gnp_faults_active, 0, memory_order_relaxed);
    unlock();
}

bool gnp_fault_take(const char *operation, bool shorten, int32_t *native) {
    bool fires = false;
    lock();
    for (size_t i = 0; i < SCRIPTS && !fires; i++) {
        script *each = &scripts[i];
        if (each->times == 0 || (each->native == 0) != shorten || strcmp(each->operation, operation) != 0) continue;
        if (each->skip > 0) {
            each->skip--;
            continue;
        }
        *native = each->native;
        if (--each->times == 0) atomic_fetch_sub_explicit(&gnp_faults_active, 1, memory_order_relaxed);
        fires = true;
    }
    unlock();
    return fires;
}
