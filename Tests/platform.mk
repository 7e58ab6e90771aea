# Builds one program in C with the platform layer in it. Who includes this has set ROOT, the way to the project, NAME, the program's, and SOURCES, its own files.
#
# CC chooses the platform; EXTRA adds flags to both steps, for sanitizers. BUILD is where everything goes, RUNNER what runs the program, ARGUMENTS what it is given.
CC ?= cc
MAKEFLAGS += --no-print-directory
BUILD ?= $(ROOT)/.build/$(NAME)
PLATFORM := $(ROOT)/Sources/CGinnelPlatform
TARGET := $(shell $(CC) -dumpmachine)

CFLAGS += -std=c11 -O2 -g -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -I$(PLATFORM)/include $(EXTRA)
ifneq (,$(findstring mingw,$(TARGET)))
PROGRAM := $(BUILD)/$(NAME).exe
LIBRARIES := -ladvapi32 -lbcrypt -lntdll
# Formats as C has them, %zu among them.
CFLAGS += -D__USE_MINGW_ANSI_STDIO=1
else
PROGRAM := $(BUILD)/$(NAME)
LIBRARIES := -pthread
CFLAGS += -pthread -D_DEFAULT_SOURCE
endif

ALL := $(SOURCES) $(wildcard $(PLATFORM)/*/*.c)
HEADERS := $(sort $(wildcard $(addsuffix *.h,$(dir $(SOURCES))))) $(wildcard $(PLATFORM)/*.h $(PLATFORM)/*/*.h)
OBJECTS := $(patsubst %.c,$(BUILD)/%.o,$(subst $(ROOT)/Sources/,,$(ALL)))

.PHONY: run build clean
run: build
	$(RUNNER) $(PROGRAM) $(ARGUMENTS)

build: $(PROGRAM)

$(PROGRAM): $(OBJECTS)
	$(CC) $(EXTRA) -o $@ $^ $(LIBRARIES)

# The compiler is part of what an object depends on.
$(BUILD)/compiler: FORCE
	@mkdir -p $(BUILD)
	@echo '$(CC) $(TARGET) $(EXTRA)' | cmp -s - $@ || echo '$(CC) $(TARGET) $(EXTRA)' > $@

$(BUILD)/CGinnelPlatform/%.o: $(PLATFORM)/%.c $(HEADERS) $(BUILD)/compiler
	@mkdir -p $(dir $@)
	$(CC) $(CFLAGS) -c -o $@ $<

$(BUILD)/%.o: %.c $(HEADERS) $(BUILD)/compiler
	@mkdir -p $(dir $@)
	$(CC) $(CFLAGS) -c -o $@ $<

clean:
	rm -rf $(BUILD)

FORCE:
