// Watches: how news of a channel or listener reaches the poller it is in.
//
// The thread that waits on the poller fills in the event itself. Any other thread, which the thread pool's are, leaves a note in the poller's port; one note a watch, however
// many news. The lock of the watch decides what came first, the news or the leaving; a note that is still in the port when its watch leaves is freed when it is taken out.
#include "win32.h"

#if defined(_WIN32)

#include <stdlib.h>

gn_outcome gnp_watch_begin(gnp_watch *watch, gn_poller *poller, uint64_t token, gn_error *error) {
    if (watch->poller != NULL) return gnp_fail(error, GN_CODE_EXISTS, 0, "CreateIoCompletionPort");
    if (token == UINT64_MAX) return gnp_fail(error, GN_CODE_INVALID, 0, "CreateIoCompletionPort");
    gnp_note *note = gnp_allocate(sizeof *note);
    if (note == NULL) return gnp_fail_memory(error);
    note->watch = watch;
    AcquireSRWLockExclusive(&watch->lock);
    watch->token = token;
    watch->note = note;
    watch->poller = poller;
    ReleaseSRWLockExclusive(&watch->lock);
    return GN_DONE;
}

void gnp_watch_end(gnp_watch *watch) {
    if (watch->poller == NULL) return;
    AcquireSRWLockExclusive(&watch->lock);
    gnp_note *note = watch->note;
    watch->note = NULL;
    watch->poller = NULL;
    ReleaseSRWLockExclusive(&watch->lock);
    note->watch = NULL;
    if (!atomic_load(&note->queued)) free(note);
}

static bool is_wanted(atomic_bool *wanted) { return wanted == NULL || atomic_exchange(wanted, false); }

void gnp_watch_tell(gnp_watch *watch, uint32_t kinds, atomic_bool *wanted) {
    AcquireSRWLockExclusive(&watch->lock);
    if (watch->poller != NULL && is_wanted(wanted)) {
        atomic_fetch_or(&watch->note->kinds, kinds);
        if (!atomic_exchange(&watch->note->queued, true)) gnp_poller_post(watch->poller, watch->note);
    }
    ReleaseSRWLockExclusive(&watch->lock);
}

bool gnp_watch_report(gnp_watch *watch, const gn_poller *poller, uint32_t kinds, atomic_bool *wanted, gn_event *event) {
    AcquireSRWLockExclusive(&watch->lock);
    bool here = watch->poller == poller, reported = here && is_wanted(wanted);
    if (reported) *event = (gn_event){.token = watch->token, .kind = kinds};
    ReleaseSRWLockExclusive(&watch->lock);
    if (!here) gnp_watch_tell(watch, kinds, wanted);
    return reported;
}

bool gnp_note_arrived(gnp_note *note, gn_event *event) {
    // First taken out, then read: news that come in between post the note once more.
    atomic_store(&note->queued, false);
    uint32_t kinds = atomic_exchange(&note->kinds, 0);
    if (note->watch == NULL) {
        free(note);
        return false;
    }
    if (kinds != 0) *event = (gn_event){.token = note->watch->token, .kind = kinds};
    return kinds != 0;
}

#endif
