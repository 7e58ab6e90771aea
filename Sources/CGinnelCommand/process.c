// Pipes for children, another user, and the processor time of a process.
#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif
#include "ginnel_command.h"

#if !defined(_WIN32)

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <time.h>
#include <unistd.h>

#if defined(__APPLE__)
#include <libproc.h>
#include <mach/mach_time.h>
#endif

int gnc_pipe(int *read_end, int *write_end) {
    int ends[2];
#if defined(__linux__)
    if (pipe2(ends, O_CLOEXEC) != 0) return errno;
#else
    if (pipe(ends) != 0) return errno;
    (void)fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    (void)fcntl(ends[1], F_SETFD, FD_CLOEXEC);
#endif
    *read_end = ends[0];
    *write_end = ends[1];
    return 0;
}

int gnc_become_user(uint32_t user, uint32_t group) {
    // The order matters: whoever is no longer root may not change groups any more.
    if (setgroups(0, NULL) != 0 || setgid(group) != 0 || setuid(user) != 0) return errno;
    return getuid() == user && geteuid() == user && getegid() == group ? 0 : EPERM;
}

int gnc_processor_time(uint32_t process, uint64_t *nanoseconds) {
#if defined(__linux__)
    clockid_t clock;
    struct timespec time;
    int native = clock_getcpuclockid((pid_t)process, &clock);
    if (native != 0) return native;
    if (clock_gettime(clock, &time) != 0) return errno;
    *nanoseconds = (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
    return 0;
#elif defined(__APPLE__)
    struct rusage_info_v2 usage;
    mach_timebase_info_data_t base;
    if (proc_pid_rusage((int)process, RUSAGE_INFO_V2, (rusage_info_t *)&usage) != 0) return errno;
    if (mach_timebase_info(&base) != 0) return ENOTSUP;
    *nanoseconds = (usage.ri_user_time + usage.ri_system_time) * base.numer / base.denom;
    return 0;
#else
    (void)process;
    (void)nanoseconds;
    return ENOTSUP;
#endif
}

#endif
