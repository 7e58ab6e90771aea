#include "ginnel_checksum.h"
