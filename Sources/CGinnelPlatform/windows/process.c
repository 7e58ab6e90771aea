// Child processes.
//
// A child gets exactly the handles it is given: copies that can be inherited are made for it, named in the list that CreateProcessW goes by, and closed here afterwards.
// Their numbers go to the child as C libraries expect them (inherited.c). Its process handle is kept until it is forgotten, and that keeps its id from being given to
// another.
//
// Windows cannot ask a program without a window to end, so both ways of ending end it at once. The exit status says by which (256 + 15 or 256 + 9, as elsewhere); a program
// that was ended by the system, for a wrong access or the like, has 256.
#include "process.h"

#if defined(_WIN32)

#include <stdlib.h>
#include <string.h>

enum { MOST_INHERITED = 1024, SIGNALLED = 256, TERMINATED = 15, KILLED = 9, LAST_SIGNAL = 64 };

/// What a C library knows of a descriptor: that it is open, and a pipe.
enum { OPEN = 0x01, PIPE = 0x08 };

// MARK: Handles for the child

/// Copies that can be inherited: the three standard ones, then the others. INVALID_HANDLE_VALUE: none.
typedef struct handle_copies {
    HANDLE *handles;
    size_t count;
} handle_copies;

static void close_copies(handle_copies *copies) {
    for (size_t i = 0; i < copies->count; i++) gnp_close(copies->handles[i]);
    free(copies->handles);
}

static bool copy(HANDLE source, HANDLE *made) {
    HANDLE self = GetCurrentProcess();
    return !gnp_fails("DuplicateHandle") && DuplicateHandle(self, source, self, made, 0, TRUE, DUPLICATE_SAME_ACCESS);
}

static bool copy_all(const gnp_launch *launch, const gn_handle given[GNP_STANDARD], handle_copies *copies) {
    static const DWORD standard[] = {STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE};
    for (size_t i = 0; i < copies->count; i++) copies->handles[i] = INVALID_HANDLE_VALUE;
    for (size_t i = 0; i < GNP_STANDARD; i++) {
        // A program without a console has no standard handles, and its child has none either.
        if (given[i] == GN_NO_HANDLE) {
            HANDLE ours = GetStdHandle(standard[i]);
            if (ours == NULL || ours == INVALID_HANDLE_VALUE || !copy(ours, &copies->handles[i])) copies->handles[i] = INVALID_HANDLE_VALUE;
        } else if (!copy((HANDLE)given[i], &copies->handles[i])) {
            copies->handles[i] = INVALID_HANDLE_VALUE;
            return false;
        }
    }
    for (size_t i = 0; i < launch->inherited_count; i++) {
        if (!copy((HANDLE)launch->inherited[i], &copies->handles[GNP_STANDARD + i])) {
            copies->handles[GNP_STANDARD + i] = INVALID_HANDLE_VALUE;
            return false;
        }
    }
    return true;
}

/// The block that tells a C library, and inherited.c, of the numbers.
static BYTE *numbers_of(const handle_copies *copies, WORD *size) {
    int32_t count = (int32_t)copies->count;
    *size = (WORD)(sizeof count + copies->count * (1 + sizeof(HANDLE)));
    BYTE *block = gnp_allocate(*size);
    if (block == NULL) return NULL;
    memcpy(block, &count, sizeof count);
    for (size_t i = 0; i < copies->count; i++) {
        // Standard streams are told apart from pipes by the library itself, from what stands in the start-up information.
        block[sizeof count + i] = i >= GNP_STANDARD ? OPEN | PIPE : 0;
        memcpy(block + sizeof count + copies->count + i * sizeof(HANDLE), &copies->handles[i], sizeof(HANDLE));
    }
    return block;
}

// MARK: Starting

/// Lets a suspended process begin as a member of the job, or ends it.
static DWORD begin_in_job(const PROCESS_INFORMATION *information, HANDLE job) {
    if (!gnp_fails("AssignProcessToJobObject") && AssignProcessToJobObject(job, information->hProcess) && ResumeThread(information->hThread) != (DWORD)-1) return 0;
    DWORD native = GetLastError();
    (void)TerminateProcess(information->hProcess, SIGNALLED + KILLED);
    return native;
}

/// Starts the child with the handles in `list` and no others, and in `job` from its first instruction on, if there is one.
static DWORD create(WCHAR *path, WCHAR *line, WCHAR *environment, const handle_copies *copies, HANDLE *list, size_t listed, HANDLE job, gn_process *made) {
    STARTUPINFOEXW start = {.StartupInfo = {.cb = sizeof start, .dwFlags = STARTF_USESTDHANDLES}};
    const HANDLE none = INVALID_HANDLE_VALUE;
    start.StartupInfo.hStdInput = copies->handles[0] == none ? NULL : copies->handles[0];
    start.StartupInfo.hStdOutput = copies->handles[1] == none ? NULL : copies->handles[1];
    start.StartupInfo.hStdError = copies->handles[2] == none ? NULL : copies->handles[2];
    SIZE_T size = 0;
    (void)InitializeProcThreadAttributeList(NULL, 1, 0, &size);
    start.lpAttributeList = gnp_allocate(size);
    start.StartupInfo.lpReserved2 = numbers_of(copies, &start.StartupInfo.cbReserved2);
    DWORD native = ERROR_NOT_ENOUGH_MEMORY;
    if (start.lpAttributeList != NULL && start.StartupInfo.lpReserved2 != NULL && InitializeProcThreadAttributeList(start.lpAttributeList, 1, 0, &size)) {
        PROCESS_INFORMATION information;
        bool ready = listed == 0 || UpdateProcThreadAttribute(start.lpAttributeList, 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST, list, listed * sizeof *list, NULL, NULL);
        const DWORD flags = EXTENDED_STARTUPINFO_PRESENT | CREATE_UNICODE_ENVIRONMENT | (job != NULL ? CREATE_SUSPENDED : 0u);
        if (ready && !gnp_fails("CreateProcessW") && CreateProcessW(path, line, NULL, NULL, listed > 0, flags, environment, NULL, &start.StartupInfo, &information)) {
            native = job == NULL ? 0 : begin_in_job(&information, job);
            gnp_close(information.hThread);
            made->process = information.hProcess;
            made->id = information.dwProcessId;
            if (native != 0) gnp_close(information.hProcess);
        } else {
            native = GetLastError();
        }
        DeleteProcThreadAttributeList(start.lpAttributeList);
    }
    free(start.lpAttributeList);
    free(start.StartupInfo.lpReserved2);
    return native;
}

static gn_outcome start(const gnp_launch *launch, const handle_copies *copies, HANDLE job, gn_process *made, gn_error *error) {
    WCHAR *wide = gnp_wide(launch->path), *line = gnp_command_line(launch->arguments), *block = gnp_environment_block(launch->environment);
    HANDLE *list = gnp_allocate(copies->count * sizeof *list);
    size_t listed = 0;
    DWORD native = wide != NULL && line != NULL && block != NULL && list != NULL ? 0 : GetLastError();
    for (size_t i = 0; list != NULL && i < copies->count; i++) {
        if (copies->handles[i] != INVALID_HANDLE_VALUE) list[listed++] = copies->handles[i];
    }
    if (wide != NULL && line != NULL && block != NULL && list != NULL) native = create(wide, line, block, copies, list, listed, job, made);
    else if (native == 0) native = ERROR_NOT_ENOUGH_MEMORY;
    free(list);
    free(block);
    free(line);
    free(wide);
    // What is no program is like one that the system will not run.
    if (native == ERROR_BAD_EXE_FORMAT) return gnp_fail(error, GN_CODE_DENIED, (int32_t)native, "CreateProcessW");
    return native == 0 ? GN_DONE : gnp_fail_native(error, native, "CreateProcessW");
}

gn_outcome gnp_process_make(const gnp_launch *launch, const gn_handle standard[GNP_STANDARD], HANDLE job, gn_process **process, gn_error *error) {
    if (launch->inherited_count > MOST_INHERITED) return gnp_fail(error, GN_CODE_INVALID, 0, "CreateProcessW");
    handle_copies copies = {.count = GNP_STANDARD + launch->inherited_count};
    copies.handles = gnp_allocate(copies.count * sizeof *copies.handles);
    gn_process *made = gnp_allocate(sizeof *made);
    if (made == NULL || copies.handles == NULL) {
        free(made);
        free(copies.handles);
        return gnp_fail_memory(error);
    }
    gn_outcome outcome = GN_DONE;
    if (!copy_all(launch, standard, &copies)) outcome = gnp_fail_last(error, "DuplicateHandle");
    else outcome = start(launch, &copies, job, made, error);
    close_copies(&copies);
    if (outcome == GN_DONE) *process = made;
    else free(made);
    return outcome;
}

gn_outcome gn_process_start(const char *path, const char *const *arguments, const char *const *environment, const gn_handle *inherited,
                            size_t inherited_count, gn_handle output, gn_process **process, gn_error *error) {
    const gnp_launch launch = {path, arguments, environment, inherited, inherited_count};
    const gn_handle standard[GNP_STANDARD] = {GN_NO_HANDLE, output, GN_NO_HANDLE};
    return gnp_process_make(&launch, standard, NULL, process, error);
}

// MARK: Afterwards

uint32_t gn_process_id(const gn_process *process) { return process->id; }

void gn_process_end(gn_process *process, bool at_once) { (void)TerminateProcess(process->process, SIGNALLED + (at_once ? KILLED : TERMINATED)); }

gn_outcome gn_process_status(gn_process *process, int32_t *status, gn_error *error) {
    DWORD code;
    DWORD state = WaitForSingleObject(process->process, 0);
    if (state == WAIT_TIMEOUT) return GN_WOULD_BLOCK;
    if (state != WAIT_OBJECT_0 || !GetExitCodeProcess(process->process, &code)) return gnp_fail_last(error, "GetExitCodeProcess");
    *status = code <= SIGNALLED + LAST_SIGNAL ? (int32_t)code : SIGNALLED;
    return GN_DONE;
}

void gn_process_forget(gn_process *process) {
    if (process->supervision != NULL) gnp_supervision_end(process->supervision);
    gnp_close(process->process);
    free(process);
}

#endif
