// Tensors, automatic differentiation, threads and random numbers.
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty_strided.h>
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/inductor/aoti_torch/c/shim.h>
#include <torch/headeronly/version.h>

#include <mutex>

#include "device.hpp"
#include "support.hpp"

using namespace ct;

struct ct_generator {
    at::Generator generator;
};

at::Generator ct_generator_value(ct_generator *handle) { return handle->generator; }

extern "C" {

void ct_free(void *memory) { std::free(memory); }

const char *ct_compiled_version(void) {
#define CT_TEXT(x) #x
#define CT_VALUE(x) CT_TEXT(x)
    return CT_VALUE(TORCH_VERSION_MAJOR) "." CT_VALUE(TORCH_VERSION_MINOR) "." CT_VALUE(TORCH_VERSION_PATCH);
}

ct_status ct_runtime_version(char **version) {
    return guarded([&] {
        uint64_t packed = aoti_torch_abi_version();
        std::string text = std::to_string(packed >> 56 & 0xff) + "." + std::to_string(packed >> 48 & 0xff) + "." +
            std::to_string(packed >> 40 & 0xff);
        *version = copy_string(text.data(), text.size());
    });
}

void ct_tensor_retain(ct_tensor *tensor) { give(borrow(tensor)); }

void ct_tensor_release(ct_tensor *tensor) {
    if (!tensor) return;
    auto *impl = reinterpret_cast<c10::TensorImpl *>(tensor);
    c10::intrusive_ptr<c10::TensorImpl, c10::UndefinedTensorImpl>::reclaim(impl);
}

int32_t ct_tensor_type(const ct_tensor *tensor) {
    return static_cast<int32_t>(c10::typeMetaToScalarType(peek(tensor)->dtype()));
}

int64_t ct_tensor_dimensions(const ct_tensor *tensor) { return peek(tensor)->dim(); }

int64_t ct_tensor_size(const ct_tensor *tensor, int64_t dimension) {
    auto sizes = peek(tensor)->sizes();
    if (dimension < 0 || dimension >= static_cast<int64_t>(sizes.size())) return -1;
    return sizes[static_cast<size_t>(dimension)];
}

int64_t ct_tensor_stride(const ct_tensor *tensor, int64_t dimension) {
    auto strides = peek(tensor)->strides();
    if (dimension < 0 || dimension >= static_cast<int64_t>(strides.size())) return -1;
    return strides[static_cast<size_t>(dimension)];
}

int64_t ct_tensor_count(const ct_tensor *tensor) { return peek(tensor)->numel(); }

bool ct_tensor_is_contiguous(const ct_tensor *tensor, int8_t memory_format) {
    if (memory_format != 0 && memory_format != 2) return false;
    return peek(tensor)->is_contiguous(static_cast<at::MemoryFormat>(memory_format));
}

bool ct_tensor_requires_grad(const ct_tensor *tensor) { return peek(tensor)->requires_grad(); }

ct_status ct_tensor_set_requires_grad(ct_tensor *tensor, bool value) {
    return guarded([&] { borrow(tensor).set_requires_grad(value); });
}

int64_t ct_tensor_version(const ct_tensor *tensor) {
    auto *impl = const_cast<c10::TensorImpl *>(peek(tensor));
    return impl->is_inference() ? 0 : static_cast<int64_t>(impl->version_counter().current_version());
}

bool ct_tensor_shares_storage(const ct_tensor *a, const ct_tensor *b) {
    return peek(a)->has_storage() && peek(b)->has_storage() &&
        peek(a)->unsafe_storage().is_alias_of(peek(b)->unsafe_storage());
}

uintptr_t ct_tensor_storage(const ct_tensor *tensor) {
    if (!peek(tensor)->has_storage()) return 0;
    return reinterpret_cast<uintptr_t>(peek(tensor)->unsafe_storage().unsafeGetStorageImpl());
}

ct_status ct_tensor_from_bytes(
    const void *bytes, size_t length, int32_t type, const int64_t *shape, const int64_t *strides,
    size_t dimensions, ct_tensor **result) {
    return guarded([&] {
        *result = nullptr;
        auto element = scalar_type(type);
        require(dimensions <= 16, "more than 16 dimensions");
        size_t extent = extent_bytes(shape, strides, dimensions, c10::elementSize(element));
        if (extent > length) {
            refuse("shape needs " + std::to_string(extent) + " bytes, given are " + std::to_string(length));
        }
        std::vector<int64_t> sizes(shape, shape + dimensions), steps(dimensions);
        int64_t row = 1;
        for (size_t i = dimensions; i-- > 0;) {
            steps[i] = strides ? strides[i] : row;
            row *= std::max<int64_t>(sizes[i], 1);
        }
        auto tensor = at::empty_strided(sizes, steps, at::TensorOptions().dtype(element));
        require(tensor.storage().nbytes() >= extent, "storage is smaller than the shape");
        if (extent > 0) std::memcpy(tensor.mutable_data_ptr(), bytes, extent);
        *result = give(on_device(std::move(tensor)));
    });
}

ct_status ct_tensor_copy_bytes(
    const ct_tensor *tensor, const int64_t *strides, size_t stride_count, void *bytes, size_t length) {
    return guarded([&] {
        at::NoGradGuard no_grad;
        auto source = on_host(borrow(tensor).detach());
        auto sizes = source.sizes();
        require(!strides || stride_count == sizes.size(), "one stride per dimension is needed");
        size_t extent = extent_bytes(sizes.data(), strides, sizes.size(), source.element_size());
        if (extent != length) {
            refuse("tensor has " + std::to_string(extent) + " bytes, given is room for " + std::to_string(length));
        }
        if (extent == 0) return;
        at::Tensor target;
        if (strides) {
            auto count = static_cast<int64_t>(extent / source.element_size());
            target = at::zeros({count}, source.options()).as_strided(sizes, {strides, stride_count});
            target.copy_(source);
        } else {
            target = source.contiguous();
        }
        std::memcpy(bytes, target.const_data_ptr(), extent);
    });
}

ct_status ct_tensor_grad(const ct_tensor *tensor, ct_tensor **result) {
    return guarded([&] {
        auto value = borrow(tensor);
        *result = give(value.grad());
    });
}

ct_status ct_tensor_clear_grad(ct_tensor *tensor) {
    return guarded([&] { borrow(tensor).mutable_grad() = at::Tensor(); });
}

bool ct_grad_mode(void) { return at::GradMode::is_enabled(); }

void ct_set_grad_mode(bool enabled) { at::GradMode::set_enabled(enabled); }

ct_status ct_inference_mode_enter(void **guard) {
    return guarded([&] { *guard = new c10::InferenceMode(true); });
}

void ct_inference_mode_leave(void *guard) { delete static_cast<c10::InferenceMode *>(guard); }

static std::vector<at::Tensor> tensors(ct_tensor *const *handles, size_t count) {
    std::vector<at::Tensor> values;
    values.reserve(count);
    for (size_t i = 0; i < count; ++i) values.push_back(borrow(handles[i]));
    return values;
}

static std::vector<at::Tensor> seeds(
    ct_tensor *const *handles, const std::vector<at::Tensor> &outputs) {
    std::vector<at::Tensor> values(outputs.size());
    for (size_t i = 0; i < outputs.size(); ++i) {
        if (handles && handles[i]) {
            values[i] = borrow(handles[i]);
        } else {
            require(outputs[i].numel() == 1, "an output that is no scalar needs a gradient of its own shape");
        }
    }
    return values;
}

ct_status ct_gradients(
    ct_tensor *const *outputs, ct_tensor *const *output_gradients, size_t output_count,
    ct_tensor *const *inputs, size_t input_count, bool keep_graph, bool create_graph,
    ct_tensor **results) {
    return guarded([&] {
        std::fill(results, results + input_count, nullptr);
        auto of = tensors(outputs, output_count);
        auto gradients = torch::autograd::grad(
            of, tensors(inputs, input_count), seeds(output_gradients, of), keep_graph, create_graph, true);
        require(gradients.size() == input_count, "wrong number of gradients");
        for (size_t i = 0; i < input_count; ++i) results[i] = give(std::move(gradients[i]));
    });
}

ct_status ct_backward(
    ct_tensor *const *outputs, ct_tensor *const *output_gradients, size_t output_count, bool keep_graph) {
    return guarded([&] {
        auto of = tensors(outputs, output_count);
        torch::autograd::backward(of, seeds(output_gradients, of), keep_graph, false);
    });
}

ct_token *ct_token_create(void) {
    try {
        return new ct_token();
    } catch (...) {
        return nullptr;
    }
}

void ct_token_destroy(ct_token *token) { delete token; }

void ct_token_cancel(ct_token *token) { token->flag->store(true, std::memory_order_relaxed); }

bool ct_token_is_cancelled(const ct_token *token) { return token->flag->load(std::memory_order_relaxed); }

ct_status ct_set_threads(int32_t count) {
    return guarded([&] {
        require(count > 0 && count <= 1024, "the number of threads must lie between 1 and 1024");
        at::set_num_threads(count);
    });
}

int32_t ct_threads(void) { return at::get_num_threads(); }

ct_status ct_set_interop_threads(int32_t count) {
    return guarded([&] {
        require(count > 0 && count <= 1024, "the number of threads must lie between 1 and 1024");
        at::set_num_interop_threads(count);
    });
}

ct_status ct_generator_create(uint64_t seed, ct_generator **result) {
    return guarded([&] {
        if (compute_device().is_cpu()) {
            *result = new ct_generator{at::make_generator<at::CPUGeneratorImpl>(seed)};
            return;
        }
        auto generator = at::detail::getCUDAHooks().getNewGenerator(compute_device().index());
        generator.set_current_seed(seed);
        *result = new ct_generator{std::move(generator)};
    });
}

void ct_generator_destroy(ct_generator *generator) { delete generator; }

ct_status ct_seed_default_generator(uint64_t seed) {
    return guarded([&] {
        auto generator = at::globalContext().defaultGenerator(compute_device());
        std::lock_guard<std::mutex> lock(generator.mutex());
        generator.set_current_seed(seed);
    });
}

}  // extern "C"
