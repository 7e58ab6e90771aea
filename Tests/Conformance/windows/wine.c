// What Wine does otherwise than Windows is documented to do. The clauses that it cannot show are skipped by their names, here alone, and run on Windows.
#include "windows_support.h"

#include <stdio.h>

static const struct difference { const char *clause, *reason; } differences[] = {
    {"nobody can make a second first instance of a name", "Wine makes it: FILE_FLAG_FIRST_PIPE_INSTANCE refuses nothing there"},
    {"of many that open at once one has the endpoint, and its name leads to it", "Wine makes a second first instance, which is what decides"},
    {"a pipe whose descriptor does not let us in is denied to us", "Wine opens pipes for anybody, whatever their descriptors say"},
    {"a service may learn who its client is and not act for it", "Wine lets a service act for its clients whatever they say when they open the pipe"},
    {"a directory is no program, and is denied", "Wine says ERROR_INVALID_HANDLE of a directory, where Windows says ERROR_ACCESS_DENIED"},
    {"a program is known by its whole path, however long it is", "Wine starts no program whose path is over 260 characters"},
    {"300,000 rings that nobody has heard do not block either", "Wine looks through all unread writes of a pipe at each one, which takes longer than a minute"},
};

enum { DIFFERENCES = sizeof differences / sizeof differences[0] };

static bool met[DIFFERENCES];

static bool is_wine(void) {
    HMODULE library = GetModuleHandleW(L"ntdll.dll");
    return library != NULL && GetProcAddress(library, "wine_get_version") != NULL;
}

const char *support_difference(const char *sentence) {
    for (int i = 0; i < DIFFERENCES; i++) {
        if (strcmp(differences[i].clause, sentence) != 0) continue;
        met[i] = true;
        return is_wine() ? differences[i].reason : NULL;
    }
    return NULL;
}

unsigned support_unknown_differences(void) {
    unsigned unknown = 0;
    for (int i = 0; i < DIFFERENCES; i++) {
        if (met[i]) continue;
        (void)printf("not ok - %s # Wine differs in it, and there is no such clause\n", differences[i].clause);
        unknown++;
    }
    return unknown;
}
