#include "measurement.h"

#include <math.h>
#include <time.h>

#include "failure.h"

static double seconds_of(clockid_t clock) {
    struct timespec time;
    if (clock_gettime(clock, &time) != 0) fail_call("clock_gettime");
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

uint64_t clock_now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

// The kernel lets us read the processor time of another process while it runs, so neither start-up nor warm-up counts.
static double cpu_of_both(pid_t server) {
    if (server == OWN_PROCESS_ONLY) return seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    clockid_t clock;
    int error = clock_getcpuclockid(server, &clock);
    if (error != 0) fail("clock_getcpuclockid: %s", strerror(error));
    return seconds_of(CLOCK_PROCESS_CPUTIME_ID) + seconds_of(clock);
}

void measurement_plan(struct measurement *measurement, const struct options *options, pid_t server) {
    double warm_up = fmax(0.1, options->seconds / 10);
    *measurement = (struct measurement){.server = server};
    measurement->begin = clock_now() + (uint64_t)(warm_up * 1e9);
    measurement->duration = (uint64_t)(options->seconds * 1e9);
}

void measurement_start(struct measurement *measurement, uint64_t now) {
    measurement->started = true;
    measurement->started_at = now;
    measurement->end = now + measurement->duration;
    measurement->cpu = cpu_of_both(measurement->server);
}

void measurement_finish(struct measurement *measurement, uint64_t now, uint64_t messages) {
    measurement->finished = true;
    measurement->elapsed = (double)(now - measurement->started_at) / 1e9;
    measurement->cpu = cpu_of_both(measurement->server) - measurement->cpu;
    measurement->messages = messages;
}

static unsigned bucket_of(uint64_t value) {
    if (value < 256) return (unsigned)value;
    unsigned shift = 56 - (unsigned)__builtin_clzll(value);
    return shift * 128 + (unsigned)(value >> shift);
}

// The middle of a bucket, in nanoseconds.
static double value_of(unsigned bucket) {
    if (bucket < 256) return bucket;
    unsigned shift = bucket / 128 - 1;
    return ldexp(bucket % 128 + 128 + 0.5, (int)shift);
}

bool measurement_record(struct measurement *measurement, uint64_t now, uint64_t latency) {
    if (!measurement->started) {
        if (now >= measurement->begin) measurement_start(measurement, now);
        return true;
    }
    if (measurement->finished) return false;
    measurement->has_latencies = true;
    measurement->latencies += latency;
    measurement->buckets[bucket_of(latency)] += 1;
    measurement->messages += 1;
    if (now < measurement->end) return true;
    measurement_finish(measurement, now, measurement->messages);
    return false;
}

static double percentile_us(const struct measurement *measurement, double share) {
    uint64_t rank = (uint64_t)ceil(share * (double)measurement->messages), seen = 0;
    unsigned bucket = 0;
    while ((seen += measurement->buckets[bucket]) < rank) bucket += 1;
    return value_of(bucket) / 1e3;
}

void measurement_print(const struct measurement *measurement) {
    if (measurement->has_latencies)
        printf("{\"p50_us\": %.3f, \"p99_us\": %.3f, \"mean_us\": %.3f, ", percentile_us(measurement, 0.50),
               percentile_us(measurement, 0.99), (double)measurement->latencies / (double)measurement->messages / 1e3);
    else
        printf("{\"p50_us\": null, \"p99_us\": null, \"mean_us\": null, ");
    if (measurement->writes > 0) printf("\"messages_per_write\": %.3f, ", (double)measurement->messages / (double)measurement->writes);
    if (measurement->message_bytes > 0) printf("\"message_bytes\": %llu, ", (unsigned long long)measurement->message_bytes);
    printf("\"rate\": %.1f, \"cpu_seconds\": %.6f, \"messages\": %llu}\n",
           (double)measurement->messages / measurement->elapsed, measurement->cpu,
           (unsigned long long)measurement->messages);
}
