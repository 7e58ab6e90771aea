// Command lines and environments for CreateProcessW, which takes one text of each.
//
// A program splits its command line itself, most of them as the C library does: spaces divide, quotation marks hold together, and backslashes mean themselves unless a
// quotation mark follows them. The environment is a sequence of variables, sorted without regard to case, and ended by an empty one.
#include "command_line.h"

#if defined(_WIN32)

#include <stdlib.h>
#include <string.h>
#include <wchar.h>

// MARK: Texts that grow

typedef struct growing_text {
    WCHAR *characters;
    size_t count, room;
    bool failed;
} growing_text;

static void add(growing_text *text, const WCHAR *characters, size_t count) {
    if (text->count + count > text->room) {
        size_t room = 2 * (text->count + count) + 64;
        WCHAR *grown = gnp_allocate(room * sizeof *grown);
        if (grown == NULL) {
            text->failed = true;
            return;
        }
        if (text->count > 0) memcpy(grown, text->characters, text->count * sizeof *grown);
        free(text->characters);
        text->characters = grown;
        text->room = room;
    }
    memcpy(text->characters + text->count, characters, count * sizeof *characters);
    text->count += count;
}

static WCHAR *finished(growing_text *text) {
    add(text, L"", 1);
    if (!text->failed) return text->characters;
    free(text->characters);
    SetLastError(ERROR_NOT_ENOUGH_MEMORY);
    return NULL;
}

// MARK: Command lines

static void add_argument(growing_text *line, const WCHAR *argument) {
    size_t length = wcslen(argument);
    if (length > 0 && wcspbrk(argument, L" \t\n\v\"") == NULL) {
        add(line, argument, length);
        return;
    }
    add(line, L"\"", 1);
    for (size_t i = 0, slashes = 0; i <= length; i++) {
        if (i < length && argument[i] == L'\\') {
            slashes++;
            continue;
        }
        // Before a quotation mark, also the one that ends the argument, each backslash has to be two; one more keeps the mark as it is.
        bool marked = i == length || argument[i] == L'"';
        for (size_t each = marked ? 2 * slashes : slashes; each > 0; each--) add(line, L"\\", 1);
        if (i < length && argument[i] == L'"') add(line, L"\\", 1);
        if (i < length) add(line, &argument[i], 1);
        slashes = 0;
    }
    add(line, L"\"", 1);
}

WCHAR *gnp_command_line(const char *const *arguments) {
    growing_text line = {0};
    for (size_t i = 0; arguments[i] != NULL; i++) {
        WCHAR *wide = gnp_wide(arguments[i]);
        if (wide == NULL) {
            free(line.characters);
            return NULL;
        }
        if (i > 0) add(&line, L" ", 1);
        add_argument(&line, wide);
        free(wide);
    }
    return finished(&line);
}

// MARK: Environments

/// The length of a variable's name. That of a current directory ("=C:=C:\…") begins with the mark.
static size_t name_length(const WCHAR *variable) { return variable[0] == 0 ? 0 : 1 + wcscspn(variable + 1, L"="); }

static int compare_names(const WCHAR *first, const WCHAR *second) {
    return CompareStringOrdinal(first, (int)name_length(first), second, (int)name_length(second), TRUE) - CSTR_EQUAL;
}

static int compare(const void *first, const void *second) { return compare_names(*(const WCHAR *const *)first, *(const WCHAR *const *)second); }

typedef struct variable_list {
    const WCHAR **each;
    size_t count;
} variable_list;

/// Adds one, or puts it in the place of one with the same name.
static void put(variable_list *variables, const WCHAR *variable) {
    for (size_t i = 0; i < variables->count; i++) {
        if (compare_names(variables->each[i], variable) != 0) continue;
        variables->each[i] = variable;
        return;
    }
    variables->each[variables->count++] = variable;
}

static WCHAR *joined(const variable_list *variables) {
    growing_text block = {0};
    qsort(variables->each, variables->count, sizeof *variables->each, compare);
    for (size_t i = 0; i < variables->count; i++) add(&block, variables->each[i], wcslen(variables->each[i]) + 1);
    if (variables->count == 0) add(&block, L"", 1);
    return finished(&block);
}

WCHAR *gnp_environment_block(const char *const *additions) {
    WCHAR *ours = GetEnvironmentStringsW(), *block = NULL;
    size_t count = 0, added = 0;
    if (ours == NULL) return NULL;
    for (const WCHAR *each = ours; *each != 0; each += wcslen(each) + 1) count++;
    while (additions != NULL && additions[added] != NULL) added++;
    WCHAR **wide = gnp_allocate((added + 1) * sizeof *wide);
    variable_list all = {.each = gnp_allocate((count + added + 1) * sizeof *all.each)};
    bool converted = wide != NULL && all.each != NULL;
    if (!converted) SetLastError(ERROR_NOT_ENOUGH_MEMORY);
    for (const WCHAR *each = ours; converted && *each != 0; each += wcslen(each) + 1) all.each[all.count++] = each;
    for (size_t i = 0; converted && i < added; i++) {
        wide[i] = gnp_wide(additions[i]);
        converted = wide[i] != NULL;
        if (converted) put(&all, wide[i]);
    }
    if (converted) block = joined(&all);
    for (size_t i = 0; wide != NULL && i < added; i++) free(wide[i]);
    free(wide);
    free(all.each);
    FreeEnvironmentStringsW(ours);
    return block;
}

#endif
