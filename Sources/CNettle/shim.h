#ifndef BURN_CNETTLE_SHIM_H
#define BURN_CNETTLE_SHIM_H
#include <nettle/hmac.h>
#include <nettle/sha1.h>
#include <nettle/sha2.h>
#endif
