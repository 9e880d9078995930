// Passes with products in bfloat16, by libtorch's own rules of which operators take them (autocast).
#include <ATen/autocast_mode.h>

#include "device.hpp"
#include "support.hpp"

extern "C" {

bool ct_computes_on_processor(void) { return ct::compute_device().is_cpu(); }

bool ct_has_bfloat16_products(void) {
    if (!ct_computes_on_processor()) return false;
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx512bf16");
#else
    return false;
#endif
}

bool ct_set_bfloat16_products(bool enabled) {
    bool before = at::autocast::is_autocast_enabled(at::kCPU);
    if (before == enabled) return before;
    if (enabled) {
        at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
        // Its keys are weights by their address, and nothing says when they are written.
        at::autocast::set_autocast_cache_enabled(false);
    }
    at::autocast::set_autocast_enabled(at::kCPU, enabled);
    return before;
}

}  // extern "C"
