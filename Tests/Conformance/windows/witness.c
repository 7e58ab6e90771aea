// The witness: see witness.h. The layer calls the system through the linker's table of imports; where an entry of that table is defined here, the linker takes it instead of
// the import library's. Each passes the call on as it is.
#include "witness.h"

#include <stdatomic.h>
#include <wchar.h>

static witnessed_pipe pipes[WITNESSED];
static witnessed_open opens[WITNESSED];
static size_t pipe_count, open_count;
static DWORD watching_thread;
static atomic_ulong last_size, client;
static atomic_bool last_pending;

static FARPROC real(const char *name) { return GetProcAddress(GetModuleHandleW(L"kernel32.dll"), name); }

static bool is_watching(void) { return watching_thread == GetCurrentThreadId(); }

void witness_begin(void) {
    watching_thread = GetCurrentThreadId();
    pipe_count = open_count = 0;
}

size_t witness_pipes(const witnessed_pipe **first) {
    *first = pipes;
    return pipe_count;
}

size_t witness_opens(const witnessed_open **first) {
    *first = opens;
    return open_count;
}

DWORD witness_last_read(bool *pending) {
    *pending = atomic_load(&last_pending);
    return (DWORD)atomic_load(&last_size);
}

void witness_client(DWORD process) { atomic_store(&client, process); }

// MARK: Calls

typedef HANDLE WINAPI create_named_pipe(LPCWSTR, DWORD, DWORD, DWORD, DWORD, DWORD, DWORD, LPSECURITY_ATTRIBUTES);
typedef HANDLE WINAPI create_file(LPCWSTR, DWORD, DWORD, LPSECURITY_ATTRIBUTES, DWORD, DWORD, HANDLE);
typedef BOOL WINAPI read_file(HANDLE, LPVOID, DWORD, LPDWORD, LPOVERLAPPED);
typedef BOOL WINAPI client_process(HANDLE, PULONG);

static HANDLE WINAPI see_pipe(LPCWSTR name, DWORD open_mode, DWORD pipe_mode, DWORD most, DWORD out, DWORD in, DWORD timeout, LPSECURITY_ATTRIBUTES attributes) {
    if (is_watching() && pipe_count < WITNESSED) {
        witnessed_pipe *seen = &pipes[pipe_count++];
        *seen = (witnessed_pipe){.open_mode = open_mode, .pipe_mode = pipe_mode, .has_descriptor = attributes != NULL && attributes->lpSecurityDescriptor != NULL,
                                 .is_inheritable = attributes != NULL && attributes->bInheritHandle};
        (void)wcsncpy(seen->name, name, 299);
    }
    create_named_pipe *call = (create_named_pipe *)(void (*)(void))real("CreateNamedPipeW");
    return call(name, open_mode, pipe_mode, most, out, in, timeout, attributes);
}

static HANDLE WINAPI see_open(LPCWSTR name, DWORD access, DWORD share, LPSECURITY_ATTRIBUTES attributes, DWORD how, DWORD flags, HANDLE template) {
    if (is_watching() && open_count < WITNESSED) {
        witnessed_open *seen = &opens[open_count++];
        *seen = (witnessed_open){.access = access, .share = share, .flags = flags};
        (void)wcsncpy(seen->name, name, 299);
    }
    create_file *call = (create_file *)(void (*)(void))real("CreateFileW");
    return call(name, access, share, attributes, how, flags, template);
}

static BOOL WINAPI see_read(HANDLE file, LPVOID bytes, DWORD size, LPDWORD count, LPOVERLAPPED overlapped) {
    read_file *call = (read_file *)(void (*)(void))real("ReadFile");
    BOOL done = call(file, bytes, size, count, overlapped);
    DWORD native = GetLastError();
    atomic_store(&last_size, size);
    atomic_store(&last_pending, !done && native == ERROR_IO_PENDING);
    SetLastError(native);
    return done;
}

static BOOL WINAPI see_client(HANDLE pipe, PULONG process) {
    client_process *call = (client_process *)(void (*)(void))real("GetNamedPipeClientProcessId");
    BOOL known = call(pipe, process);
    if (known && atomic_load(&client) != 0) *process = (ULONG)atomic_load(&client);
    return known;
}

create_named_pipe *__imp_CreateNamedPipeW = see_pipe;
create_file *__imp_CreateFileW = see_open;
read_file *__imp_ReadFile = see_read;
client_process *__imp_GetNamedPipeClientProcessId = see_client;
