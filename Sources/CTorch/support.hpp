// Shared by the files of this library: handles, and the border that no C++ exception crosses.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/ScalarType.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>

#include "ctorch.h"

struct ct_token {
    // Shared with the hooks of an autograd graph, which may outlive the token.
    std::shared_ptr<std::atomic<bool>> flag = std::make_shared<std::atomic<bool>>(false);
};

namespace ct {

struct Cancelled : std::exception {
    const char *what() const noexcept override { return "cancelled"; }
};

struct Invalid : std::invalid_argument {
    using std::invalid_argument::invalid_argument;
};

[[noreturn]] inline void refuse(const std::string &message) { throw Invalid(message); }

inline void require(bool condition, const char *message) {
    if (!condition) refuse(message);
}

inline char *copy_string(const char *text, size_t length) {
    auto *copy = static_cast<char *>(std::malloc(length + 1));
    if (copy) {
        std::memcpy(copy, text, length);
        copy[length] = 0;
    }
    return copy;
}

/// libtorch's messages go on with a stack; only the first line says what is wrong.
inline ct_status status(int32_t code, const char *message) noexcept {
    const char *end = std::strchr(message, '\n');
    return {code, copy_string(message, end ? static_cast<size_t>(end - message) : std::strlen(message))};
}

template <typename Body>
ct_status guarded(Body body) noexcept {
    try {
        body();
        return {CT_OK, nullptr};
    } catch (const Cancelled &error) {
        return status(CT_CANCELLED, error.what());
    } catch (const Invalid &error) {
        return status(CT_INVALID, error.what());
    } catch (const std::bad_alloc &) {
        return status(CT_OUT_OF_MEMORY, "out of memory");
    } catch (const c10::Error &error) {
        const char *message = error.what_without_backtrace();
        bool memory = dynamic_cast<const c10::OutOfMemoryError *>(&error) || std::strstr(message, "allocate memory");
        return status(memory ? CT_OUT_OF_MEMORY : CT_FAILED, message);
    } catch (const std::exception &error) {
        return status(CT_FAILED, error.what());
    } catch (...) {
        return status(CT_FAILED, "unknown C++ exception");
    }
}

inline at::Tensor borrow(const ct_tensor *handle) {
    if (!handle) refuse("null tensor handle");
    auto *impl = reinterpret_cast<c10::TensorImpl *>(const_cast<ct_tensor *>(handle));
    return at::Tensor(c10::intrusive_ptr<c10::TensorImpl, c10::UndefinedTensorImpl>::reclaim_copy(impl));
}

/// Null for an undefined tensor.
inline ct_tensor *give(at::Tensor tensor) {
    if (!tensor.defined()) return nullptr;
    return reinterpret_cast<ct_tensor *>(tensor.unsafeReleaseTensorImpl());
}

inline const c10::TensorImpl *peek(const ct_tensor *handle) {
    return reinterpret_cast<const c10::TensorImpl *>(handle);
}

inline at::ScalarType scalar_type(int64_t raw) {
    switch (raw) {
        case 0: case 1: case 2: case 3: case 4: case 5: case 6: case 7: case 11: case 15:
            return static_cast<at::ScalarType>(raw);
        default:
            refuse("element type " + std::to_string(raw) + " is not supported");
    }
}

/// Bytes from the first to the end of the last element. Throws on negative or overflowing extents.
inline size_t extent_bytes(
    const int64_t *shape, const int64_t *strides, size_t dimensions, size_t item_size) {
    int64_t last = 0, row = 1;
    bool empty = false;
    for (size_t i = dimensions; i-- > 0;) {
        require(shape[i] >= 0, "negative size in shape");
        int64_t step = strides ? strides[i] : row;
        require(step >= 0, "negative stride");
        if (shape[i] == 0) empty = true;
        int64_t reach = 0;
        if (shape[i] > 0) {
            require(!__builtin_mul_overflow(shape[i] - 1, step, &reach), "shape overflows");
            require(!__builtin_add_overflow(last, reach, &last), "shape overflows");
            require(!__builtin_mul_overflow(row, shape[i], &row), "shape overflows");
        }
    }
    if (empty) return 0;
    int64_t bytes = 0;
    require(!__builtin_add_overflow(last, 1, &last), "shape overflows");
    require(!__builtin_mul_overflow(last, static_cast<int64_t>(item_size), &bytes), "shape overflows");
    return static_cast<size_t>(bytes);
}

}  // namespace ct
