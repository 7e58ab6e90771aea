// ginnel_checksum.h: CRC-32 and CRC-32C over a run of bytes. Pure functions; nothing here calls the operating system.
#ifndef GINNEL_CHECKSUM_H
#define GINNEL_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/// CRC-32C (Castagnoli, reflected 0x82F63B78, initial value and final XOR all ones), continued from `checksum`; 0 starts. Any thread.
uint32_t ginnel_crc32c(uint32_t checksum, const void *bytes, size_t count);

/// CRC-32 (IEEE 802.3, reflected 0xEDB88320, initial value and final XOR all ones), continued from `checksum`; 0 starts. Any thread.
uint32_t ginnel_crc32(uint32_t checksum, const void *bytes, size_t count);

/// The same two by table alone, for tests and for machines without the instructions. Any thread.
uint32_t ginnel_crc32c_table(uint32_t checksum, const void *bytes, size_t count);
uint32_t ginnel_crc32_table(uint32_t checksum, const void *bytes, size_t count);

/// Whether ginnel_crc32c (bit 0) and ginnel_crc32 (bit 1) use instructions of this processor. Any thread.
uint32_t ginnel_crc_accelerated(void);

#endif
