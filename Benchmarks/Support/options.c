#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: %s [--size BYTES] [--connections N] [--seconds S] [--placement one-cpu|two-cpu]\n"
    "       [--mode blocking|epoll|spinning|futex|eventfd]\n"
    "       [--work round-trip|one-way|stream-echo|stream-one-way|protobuf-encode|protobuf-decode] [--batch N] [--pace N]\n";

// Each list is that of the enumeration of the same name.
static const char *const placements[] = {"one-cpu", "two-cpu", NULL};
static const char *const modes[] = {"blocking", "epoll", "spinning", "futex", "eventfd", NULL};
static const char *const works[] = {"round-trip", "one-way", "stream-echo", "stream-one-way", "protobuf-encode", "protobuf-decode", NULL};

void options_refuse(const char *reason) {
    fprintf(stderr, "%s\n", reason);
    fprintf(stderr, usage, program_invocation_short_name);
    exit(2);
}

static double number(const char *option, const char *text, double low, double high) {
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end != '\0' || !(value >= low && value <= high)) {
        fprintf(stderr, "--%s takes a number from %g to %.12g, not \"%s\"\n", option, low, high, text);
        exit(2);
    }
    return value;
}

static int whole(const char *option, const char *text, int low, int high) {
    double value = number(option, text, low, high);
    if (value != (int)value) options_refuse("sizes and counts are whole numbers");
    return (int)value;
}

// Index of the word among those that the option knows.
static int choice(const char *option, const char *text, const char *const *words) {
    for (int index = 0; words[index] != NULL; index += 1)
        if (strcmp(text, words[index]) == 0) return index;
    fprintf(stderr, "--%s does not know \"%s\", only", option, text);
    for (int index = 0; words[index] != NULL; index += 1) fprintf(stderr, " %s", words[index]);
    fputc('\n', stderr);
    exit(2);
}

struct options options_parse(int count, char **arguments) {
    static const struct option table[] = {
        {"size", required_argument, NULL, 's'},      {"connections", required_argument, NULL, 'c'},
        {"seconds", required_argument, NULL, 't'},   {"placement", required_argument, NULL, 'p'},
        {"mode", required_argument, NULL, 'm'},      {"work", required_argument, NULL, 'w'},
        {"batch", required_argument, NULL, 'b'},     {"pace", required_argument, NULL, 'r'},
        {NULL, 0, NULL, 0},
    };
    struct options options = {.size = 1024, .connections = 1, .seconds = 1, .batch = 1};
    int letter, index = 0;
    while ((letter = getopt_long(count, arguments, "", table, &index)) != -1) {
        if (letter == '?') options_refuse("an argument is not understood");
        const char *name = table[index].name;
        switch (letter) {
        case 's': options.size = (size_t)whole(name, optarg, 1, MAX_PAYLOAD); break;
        case 'c': options.connections = whole(name, optarg, 1, 4096); break;
        case 't': options.seconds = number(name, optarg, 0.01, 3600); break;
        case 'p': options.placement = choice(name, optarg, placements); break;
        case 'm': options.mode = choice(name, optarg, modes); break;
        case 'w': options.work = choice(name, optarg, works); break;
        case 'b': options.batch = whole(name, optarg, 1, 64); break;
        case 'r': options.pace = whole(name, optarg, 0, 100000); break;
        }
    }
    if (optind != count) options_refuse("there is an argument too many");
    return options;
}
