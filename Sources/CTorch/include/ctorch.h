// A narrow C ABI over libtorch: everything the engine needs, and nothing else.
//
// Every function that can fail returns a `ct_status`; no C++ exception leaves this library. Arguments are
// checked here, whatever the caller has checked before. Handles are reference counts or owners as said at
// each function. A handle may be used from any thread; in-place operators need the caller's own ordering.
#ifndef CTORCH_H
#define CTORCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ct_tensor ct_tensor;
typedef struct ct_operator ct_operator;
typedef struct ct_generator ct_generator;
typedef struct ct_token ct_token;

enum {
    CT_OK = 0,
    /// Refused before libtorch was called.
    CT_INVALID = 1,
    /// libtorch threw.
    CT_FAILED = 2,
    /// The token was cancelled.
    CT_CANCELLED = 3,
    CT_OUT_OF_MEMORY = 4,
};

/// `message` is to be released with `ct_free`; null when `code` is CT_OK.
typedef struct {
    int32_t code;
    char *message;
} ct_status;

void ct_free(void *memory);

/// Such as "2.13.0": the headers this library was compiled with.
const char *ct_compiled_version(void);
/// The version of the libtorch that was loaded; release with `ct_free`.
ct_status ct_runtime_version(char **version);

// The compute device: the processor, until `ct_cuda_use` succeeds. One for the whole process; tensors are made on it,
// and bytes are copied to and from it.

/// Loads the CUDA driver and libtorch's CUDA half; starts no thread and opens no device.
ct_status ct_cuda_load(void);
/// Makes the first CUDA device the compute device: before the first tensor, after `ct_cuda_load`. With `tf32`,
/// convolutions run on the matrix units in that format. `name` is to be released with `ct_free`.
ct_status ct_cuda_use(bool tf32, char **name);

// Tensors

void ct_tensor_retain(ct_tensor *tensor);
void ct_tensor_release(ct_tensor *tensor);
int32_t ct_tensor_type(const ct_tensor *tensor);
int64_t ct_tensor_dimensions(const ct_tensor *tensor);
/// -1 when `dimension` is out of range.
int64_t ct_tensor_size(const ct_tensor *tensor, int64_t dimension);
int64_t ct_tensor_stride(const ct_tensor *tensor, int64_t dimension);
int64_t ct_tensor_count(const ct_tensor *tensor);
bool ct_tensor_is_contiguous(const ct_tensor *tensor, int8_t memory_format);
bool ct_tensor_requires_grad(const ct_tensor *tensor);
ct_status ct_tensor_set_requires_grad(ct_tensor *tensor, bool value);
/// Counts in-place writes.
int64_t ct_tensor_version(const ct_tensor *tensor);
bool ct_tensor_shares_storage(const ct_tensor *a, const ct_tensor *b);
/// Identifies the memory block that the tensor is a view of; 0 when it has none.
uintptr_t ct_tensor_storage(const ct_tensor *tensor);
/// A new tensor with a copy of `bytes`. `strides` in elements, null for row-major order; `length` must
/// cover the last element exactly or more.
ct_status ct_tensor_from_bytes(
    const void *bytes, size_t length, int32_t type, const int64_t *shape, const int64_t *strides,
    size_t dimensions, ct_tensor **result);
/// Copies the elements out in row-major order, or with `strides` (elements; gaps are zero-filled). `length`
/// must be exactly the bytes from the first to the end of the last element.
ct_status ct_tensor_copy_bytes(
    const ct_tensor *tensor, const int64_t *strides, size_t stride_count, void *bytes, size_t length);
/// The accumulated gradient; *result is null when there is none.
ct_status ct_tensor_grad(const ct_tensor *tensor, ct_tensor **result);
ct_status ct_tensor_clear_grad(ct_tensor *tensor);

// Operators

typedef enum {
    /// The schema's default.
    CT_DEFAULT = 0,
    CT_NONE,
    CT_TENSOR,
    CT_TENSORS,
    CT_OPTIONAL_TENSORS,
    CT_INT,
    CT_INTS,
    CT_DOUBLE,
    CT_DOUBLES,
    CT_BOOL,
    CT_BOOLS,
    CT_STRING,
    CT_SCALAR_TYPE,
    CT_MEMORY_FORMAT,
    CT_LAYOUT,
    CT_COMPUTE_DEVICE,
    CT_GENERATOR,
} ct_tag;

/// One argument or result. Lists and handles lie in the pools of the call: `offset` and `count` say where.
typedef struct {
    ct_tag tag;
    int64_t integer;
    double real;
    size_t offset;
    size_t count;
} ct_value;

/// What the values of one call refer to.
typedef struct {
    ct_tensor *const *tensors;
    size_t tensor_count;
    const int64_t *integers;
    size_t integer_count;
    const double *reals;
    size_t real_count;
    const char *characters;
    size_t character_count;
    ct_generator *generator;
} ct_pools;

/// Finds an operator by name ("aten::conv2d") and overload (""); the handle lives for ever.
ct_status ct_operator_find(const char *name, const char *overload, ct_operator **result);
size_t ct_operator_argument_count(const ct_operator *op);
size_t ct_operator_result_count(const ct_operator *op);
/// Null when `index` is out of range.
const char *ct_operator_argument_name(const ct_operator *op, size_t index);
bool ct_operator_argument_is_written(const ct_operator *op, size_t index);

/// Calls `op` through the dispatcher. `arguments` are positional; those left out at the end, and those
/// tagged CT_DEFAULT, take the schema's defaults. Types and counts are checked against the schema first.
///
/// Lists of tensors among the results are flattened. `*results` (release with `ct_free`) holds
/// `*result_count` values; a CT_TENSOR's handle is `(ct_tensor *)integer`, owned by the caller.
///
/// With a `token`: checked before the call, and from a hook on every result that needs a gradient, so that a
/// backward pass stops too.
ct_status ct_call(
    const ct_operator *op, const ct_value *arguments, size_t argument_count, const ct_pools *pools,
    ct_token *token, ct_value **results, size_t *result_count);

// Automatic differentiation. Modes belong to the calling thread.

bool ct_grad_mode(void);
void ct_set_grad_mode(bool enabled);
/// Enters inference mode; leave with `ct_inference_mode_leave` on the same thread, innermost first.
ct_status ct_inference_mode_enter(void **guard);
void ct_inference_mode_leave(void *guard);
/// Gradients of `outputs` (weighted by `output_gradients`, whose entries may be null for scalars) with
/// respect to `inputs`. `results` has room for `input_count` handles; unused inputs give null.
ct_status ct_gradients(
    ct_tensor *const *outputs, ct_tensor *const *output_gradients, size_t output_count,
    ct_tensor *const *inputs, size_t input_count, bool keep_graph, bool create_graph,
    ct_tensor **results);
/// Accumulates gradients into the leaves.
ct_status ct_backward(
    ct_tensor *const *outputs, ct_tensor *const *output_gradients, size_t output_count, bool keep_graph);

// Precision

/// Whether no GPU is the compute device.
bool ct_computes_on_processor(void);
/// Whether the processor has instructions for products of bfloat16 numbers, and is the compute device.
bool ct_has_bfloat16_products(void);
/// Whether convolutions and matrix products that are called from this thread take their operands as bfloat16, and give such.
/// Returns what it was before.
bool ct_set_bfloat16_products(bool enabled);

// Cancellation

ct_token *ct_token_create(void);
void ct_token_destroy(ct_token *token);
void ct_token_cancel(ct_token *token);
bool ct_token_is_cancelled(const ct_token *token);

// Threads and random numbers

/// For parallel operators called from this thread.
ct_status ct_set_threads(int32_t count);
int32_t ct_threads(void);
/// Only before the first use of the inter-op pool.
ct_status ct_set_interop_threads(int32_t count);
ct_status ct_generator_create(uint64_t seed, ct_generator **result);
void ct_generator_destroy(ct_generator *generator);
ct_status ct_seed_default_generator(uint64_t seed);

// Images

/// N images by index from `images` (`image_count` x H x W x C bytes) as float32 (N, C, H, W),
/// channels_last: (byte * scale - mean[c]) / std[c].
ct_status ct_gather_images(
    const uint8_t *images, size_t length, int64_t image_count, int64_t height, int64_t width,
    int64_t channels, const int64_t *indices, size_t index_count, float scale, const float *mean,
    const float *std, ct_tensor **result);
/// Shifts image n of a float32 (N, C, H, W) batch by (dy[n], dx[n]) pixels, then mirrors it where flip[n].
/// Pixels from outside are zero, or mirrored at the edge when `reflect`. |dy| < H and |dx| < W.
ct_status ct_shift_and_flip(
    const ct_tensor *images, const int32_t *dy, const int32_t *dx, const uint8_t *flip, size_t count,
    bool reflect, ct_tensor **result);

#ifdef __cplusplus
}
#endif

#endif
