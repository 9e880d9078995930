// The device that tensors live on, one for the whole process.
#pragma once

#include <ATen/core/Tensor.h>

namespace ct {

c10::Device compute_device();

/// `tensor`, moved to the compute device where it is elsewhere.
at::Tensor on_device(at::Tensor tensor);

/// `tensor`, copied to ordinary memory where it is elsewhere: what may be read through a pointer.
at::Tensor on_host(const at::Tensor &tensor);

}  // namespace ct
