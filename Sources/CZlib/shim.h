#ifndef BURN_CZLIB_SHIM_H
#define BURN_CZLIB_SHIM_H
#include <zlib.h>
#endif
