// The runtime in C++ of protobuf's makers, on the messages of the process monitor: what our codec is compared with.
//
// One process and no connection. A message is a result with as many records as make it at least `--size` bytes long, the same here and in ginnel-bench.

#include "process_monitor.pb.h"

// The headers of the other programs are C, and `fail` is a macro there.
#define _Noreturn [[noreturn]]
extern "C" {
#include "failure.h"
#include "measurement.h"
#include "options.h"
}

static DetectionResult message_of(size_t size) {
    DetectionResult message;
    message.set_task_id("task-1");
    message.set_success(true);
    for (uint32_t number = 1; message.ByteSizeLong() < size; number += 1) {
        std::string name = "process-" + std::to_string(number);
        ProcessRecord *record = message.add_processes();
        record->set_pid(number);
        record->set_ppid(1);
        record->set_name(name);
        record->set_executable_path("/usr/bin/" + name);
        record->add_command_line(name);
        record->add_command_line("--verbose");
        record->set_start_time(1700000000 + int64_t(number));
        record->set_cpu_usage(number * 0.5);
        record->set_memory_usage(uint64_t(number) * 4096);
        record->set_accessible(true);
        record->set_file_exists(true);
        record->set_collection_time(1700000000000);
    }
    return message;
}

int main(int count, char **arguments) {
    struct options options = options_parse(count, arguments);
    if (options.work != PROTOBUF_ENCODE && options.work != PROTOBUF_DECODE) options_refuse("this program knows protobuf-encode and protobuf-decode only");
    const DetectionResult message = message_of(options.size);
    const std::string bytes = message.SerializeAsString();
    struct measurement measurement;
    measurement_plan(&measurement, &options, OWN_PROCESS_ONLY);
    for (;;) {
        uint64_t before = clock_now();
        if (options.work == PROTOBUF_ENCODE) {
            if (message.SerializeAsString().size() != bytes.size()) fail("a message is not as long as the time before");
        } else {
            DetectionResult read;
            if (!read.ParseFromString(bytes) || read.processes_size() != message.processes_size()) fail("a message was not read");
        }
        uint64_t now = clock_now();
        if (!measurement_record(&measurement, now, now - before)) break;
    }
    measurement.message_bytes = bytes.size();
    measurement_print(&measurement);
}
