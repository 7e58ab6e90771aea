// The library as the system has installed it. Seen by the target Ginnel alone, and only with its package trait.
#include <zstd.h>
