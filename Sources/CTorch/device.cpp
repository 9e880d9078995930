// A GPU through libtorch's CUDA half, which is loaded when it is asked for: the same program runs without.
#include "device.hpp"

#include <ATen/Context.h>
#include <ATen/ops/zeros.h>
#include <dlfcn.h>

#include <atomic>

#include "support.hpp"

using namespace ct;

namespace {

std::atomic<bool> uses_cuda{false};

void open_library(const char *name) {
    // Never closed: libtorch keeps what it registers.
    if (!dlopen(name, RTLD_NOW | RTLD_GLOBAL)) refuse(std::string("cannot load ") + name + ": " + dlerror());
}

}  // namespace

c10::Device ct::compute_device() {
    return uses_cuda.load(std::memory_order_relaxed) ? c10::Device(c10::kCUDA, 0) : c10::Device(c10::kCPU);
}

at::Tensor ct::on_device(at::Tensor tensor) {
    auto device = compute_device();
    return tensor.device() == device ? tensor : tensor.to(device);
}

at::Tensor ct::on_host(const at::Tensor &tensor) { return tensor.device().is_cpu() ? tensor : tensor.cpu(); }

extern "C" {

ct_status ct_cuda_load(void) {
    return guarded([] {
        open_library("libcuda.so.1");
        open_library("libtorch_cuda.so");
    });
}

ct_status ct_cuda_use(bool tf32, char **name) {
    return guarded([&] {
        *name = nullptr;
        // Read when the library's handle is made: sums in one order, whatever the load.
        setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", 0);
        auto &context = at::globalContext();
        require(at::hasCUDA(), "libtorch has no CUDA half");
        require(at::detail::getCUDAHooks().deviceCount() > 0, "no CUDA device can be used");
        context.lazyInitDevice(c10::kCUDA);
        context.setBenchmarkCuDNN(false);
        context.setDeterministicCuDNN(true);
        // Operators without a repeatable form run as they are: their sums differ in the last bits.
        context.setDeterministicAlgorithms(true, true);
        context.setDeterministicFillUninitializedMemory(false);
        // Boundary distances want all of float32's bits, where they are not given up for speed.
        context.setAllowTF32CuDNN(tf32);
        context.setAllowTF32CuBLAS(false);
        uses_cuda.store(true, std::memory_order_relaxed);
        // The first memory, so that what is missing is said here.
        auto probe = at::zeros({1}, at::TensorOptions().device(compute_device()));
        require(probe.cpu().item<float>() == 0, "the CUDA device does not answer");
        *name = copy_string("cuda:0", 6);
    });
}

}  // extern "C"
