// Digests of bytes and of files.
#include "check.h"
#include "support.h"

#include <stdio.h>
#include <stdlib.h>

// MARK: Bytes

static const struct { size_t count; const char *digest; } letters[] = {  // so many letters "a"
    {0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {1, "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"},
    {55, "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318"},
    {56, "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a"},
    {57, "f13b2d724659eb3bf47f2dd6af1accc87b81f09f59f2b75e5c0bed6589dfe8c6"},
    {63, "7d3e74a05d7db15bce4ad9ec0658ea98e3f06eeecf16b4c6fff2da457ddc2f34"},
    {64, "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb"},
    {65, "635361c48bb9eab14198e76ea8ab7f1a41685d6ad62aa9146d301d4f17eb0ae0"},
    {119, "31eba51c313a5c08226adf18d4a359cfdfd8d2e816b13f4af952f7ea6584dcfb"},
    {120, "2f3d335432c70b580af0e8e1b3674a7c020d683aa5f73aaaedfdc55af904c21c"},
    {128, "6836cf13bac400e9105071cd6af47084dfacad4e5e302c94bfed24e013afb73e"},
    {1000, "41edece42d63e8d9bf515a9ba6932e1c20cbc9f5a5d134645adb5db1b9737ea3"},
    {1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
};

static void expect_text(const uint8_t digest[32], const char *expected) {
    char text[65] = {0};
    for (size_t i = 0; i < 32; i++) (void)snprintf(text + 2 * i, 3, "%02x", digest[i]);
    EXPECT(strcmp(text, expected) == 0);
}

static void expect_digest(const void *bytes, size_t count, const char *expected) {
    uint8_t digest[32];
    gn_sha256(bytes, count, digest);
    expect_text(digest, expected);
}

static void digests(void) {
    // The examples of FIPS 180-4.
    expect_digest("abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    const char *two_blocks = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    expect_digest(two_blocks, 56, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    char *bytes = malloc(1000000);
    EXPECT(bytes != NULL);
    memset(bytes, 'a', 1000000);
    for (size_t i = 0; i < sizeof letters / sizeof letters[0]; i++) expect_digest(bytes, letters[i].count, letters[i].digest);
    free(bytes);
}

static void portions(void) {
    uint8_t bytes[200], whole[32], digest[32];
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)(i * 7);
    gn_sha256(bytes, sizeof bytes, whole);
    for (size_t first = 0; first <= sizeof bytes; first++) {
        for (size_t second = first; second <= sizeof bytes; second += 13) {
            gn_sha256_state state, copy;
            gn_sha256_begin(&state);
            gn_sha256_add(&state, bytes, first);
            copy = state;
            gn_sha256_add(&copy, "other", 5);
            gn_sha256_end(&copy, digest);
            EXPECT(memcmp(digest, whole, sizeof digest) != 0);
            gn_sha256_add(&state, bytes + first, second - first);
            gn_sha256_add(&state, NULL, 0);
            gn_sha256_add(&state, bytes + second, sizeof bytes - second);
            gn_sha256_end(&state, digest);
            EXPECT(memcmp(digest, whole, sizeof digest) == 0);
        }
    }
}

// MARK: Files

static void reading(void) {
    char directory[512], path[600], bytes[8];
    gn_handle file;
    gn_error error;
    size_t count;
    support_directory(directory);
    (void)snprintf(path, sizeof path, "%sfile", directory);
    support_write_file(path, "0123456789");
    EXPECT(gn_file_open(path, &file, &error) == GN_DONE);
    EXPECT(gn_file_read(file, bytes, sizeof bytes, &count, &error) == GN_DONE && count == 8 && memcmp(bytes, "01234567", 8) == 0);
    EXPECT(gn_file_read(file, bytes, sizeof bytes, &count, &error) == GN_DONE && count == 2 && memcmp(bytes, "89", 2) == 0);
    EXPECT(gn_file_read(file, bytes, sizeof bytes, &count, &error) == GN_END);
    EXPECT(gn_file_read(file, bytes, sizeof bytes, &count, &error) == GN_END);
    gn_handle_close(file);
    (void)snprintf(path, sizeof path, "%snone", directory);
    EXPECT_CODE(gn_file_open(path, &file, &error), error, GN_CODE_NOT_FOUND);
    // No file that has bytes.
    EXPECT(gn_file_open(directory, &file, &error) == GN_FAILED);
    support_directory_remove(directory);
}

static void own_program(void) {
    gn_peer self;
    gn_handle file;
    gn_error error;
    size_t count;
    uint64_t total = 0;
    gn_peer_self(&self);
    char *portion = malloc(100000);
    EXPECT(portion != NULL && gn_file_open(self.executable, &file, &error) == GN_DONE);
    gn_outcome outcome;
    while ((outcome = gn_file_read(file, portion, 100000, &count, &error)) == GN_DONE) total += count;
    gn_handle_close(file);
    free(portion);
    FILE *same = fopen(self.executable, "rb");
    EXPECT(same != NULL && fseek(same, 0, SEEK_END) == 0);
    long length = ftell(same);
    (void)fclose(same);
    EXPECT(outcome == GN_END && length > 0 && total == (uint64_t)length);
}

void suite_digests(void) {
    check("SHA-256 gives the standard's digests, whatever the length", digests);
    check("SHA-256 is the same however the bytes are cut, and a copy goes its own way", portions);
    check("a file is read from its beginning to its end, and what is missing or none is refused", reading);
    check("this process's own program can be read while it runs", own_program);
}
