#include "pair.h"

#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "failure.h"

static char directory[sizeof "/tmp/ginnel-bench-XXXXXX"] = "/tmp/ginnel-bench-XXXXXX";
static char path[sizeof directory + sizeof "/socket"];
static int ready[2]; // one byte travels from the server to the client

static void pin(int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0) fail("cannot run on CPU %d: %s", cpu, strerror(errno));
}

// A thousand connections are more than the usual soft limit leaves.
static void raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) fail_call("getrlimit");
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) fail_call("setrlimit");
}

void pair_ready(void) {
    if (write(ready[1], "", 1) != 1) fail_call("write to the client");
    close(ready[1]);
}

static void wait_until_ready(void) {
    char byte;
    close(ready[1]);
    if (read(ready[0], &byte, 1) != 1) fail("the server did not start");
    close(ready[0]);
}

void pair_connected(void) {
    unlink(path);
    rmdir(directory);
}

static void run_server(const struct options *options, const struct workload *workload, pid_t client) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != client) _exit(1); // it died before the line above took effect
    close(ready[0]);
    pin(0);
    workload->serve(options, path);
    _exit(0);
}

void pair_run(const struct options *options, const struct workload *workload) {
    static struct measurement measurement;
    signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit();
    if (pipe(ready) != 0) fail_call("pipe");
    if (mkdtemp(directory) == NULL) fail_call("mkdtemp");
    snprintf(path, sizeof path, "%s/socket", directory);

    if (workload->prepare != NULL) workload->prepare(options);
    pid_t client = getpid(), server = fork();
    if (server < 0) fail_call("fork");
    if (server == 0) run_server(options, workload, client);
    atexit(pair_connected); // a failure on the way removes the name too

    pin(options->placement == ONE_CPU ? 0 : 1);
    wait_until_ready();
    workload->drive(options, path, server, &measurement);

    int status;
    if (waitpid(server, &status, 0) != server) fail_call("waitpid");
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) fail("the server failed");
    measurement_print(&measurement);
}
