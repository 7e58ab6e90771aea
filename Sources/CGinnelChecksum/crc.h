// crc.h: what the files of this target share. All functions here work on the raw register: the callers do the two XORs with all ones.
#ifndef GINNEL_CRC_H
#define GINNEL_CRC_H

#include "ginnel_checksum.h"

#if defined(__x86_64__) && !defined(__arm64ec__)
#define GINNEL_CRC_X86 1
#elif defined(__aarch64__)
#define GINNEL_CRC_ARM 1
#endif

typedef uint32_t crc_tables[8][256];
extern const crc_tables ginnel_crc_ieee;
extern const crc_tables ginnel_crc_castagnoli;

/// Eight bytes a step by table.
uint32_t ginnel_crc_by_table(const crc_tables *tables, uint32_t state, const uint8_t *bytes, size_t count);

#if defined(GINNEL_CRC_X86) || defined(GINNEL_CRC_ARM)
/// Asks the processor; costs up to microseconds in a virtual machine, so ask once.
int ginnel_crc_probe(void);
/// These two only where the probe said yes.
uint32_t ginnel_crc32c_by_instruction(uint32_t state, const uint8_t *bytes, size_t count);
uint32_t ginnel_crc32_by_instruction(uint32_t state, const uint8_t *bytes, size_t count);
#endif

#endif
