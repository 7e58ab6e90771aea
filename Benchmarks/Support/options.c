#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: %s [--size BYTES] [--connections N] [--seconds S] [--placement one-cpu|two-cpu]\n"
    "       [--mode blocking|epoll] [--work round-trip|one-way] [--batch N]\n";

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

// Index of the word among the two that the option knows.
static int choice(const char *option, const char *text, const char *first, const char *second) {
    if (strcmp(text, first) == 0) return 0;
    if (strcmp(text, second) == 0) return 1;
    fprintf(stderr, "--%s takes %s or %s, not \"%s\"\n", option, first, second, text);
    exit(2);
}

struct options options_parse(int count, char **arguments) {
    static const struct option table[] = {
        {"size", required_argument, NULL, 's'},      {"connections", required_argument, NULL, 'c'},
        {"seconds", required_argument, NULL, 't'},   {"placement", required_argument, NULL, 'p'},
        {"mode", required_argument, NULL, 'm'},      {"work", required_argument, NULL, 'w'},
        {"batch", required_argument, NULL, 'b'},     {NULL, 0, NULL, 0},
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
        case 'p': options.placement = choice(name, optarg, "one-cpu", "two-cpu"); break;
        case 'm': options.mode = choice(name, optarg, "blocking", "epoll"); break;
        case 'w': options.work = choice(name, optarg, "round-trip", "one-way"); break;
        case 'b': options.batch = whole(name, optarg, 1, 64); break;
        }
    }
    if (optind != count) options_refuse("there is an argument too many");
    return options;
}
