// Batches of images: what would take several passes as operators is one parallel pass here.
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>

#include <vector>

#include "device.hpp"
#include "support.hpp"

using namespace ct;

/// The pixel that `position` takes its value from, in [0, size), or -1 for zero.
static int64_t source_position(int64_t position, int64_t size, bool reflect) {
    if (position >= 0 && position < size) return position;
    if (!reflect) return -1;
    return position < 0 ? -position : 2 * (size - 1) - position;
}

extern "C" {

ct_status ct_gather_images(
    const uint8_t *images, size_t length, int64_t image_count, int64_t height, int64_t width,
    int64_t channels, const int64_t *indices, size_t index_count, float scale, const float *mean,
    const float *std, ct_tensor **result) {
    return guarded([&] {
        *result = nullptr;
        require(image_count >= 0 && height > 0 && width > 0 && channels > 0, "image sizes must be positive");
        require(channels <= 1024, "more than 1024 channels");
        require(index_count <= INT64_MAX, "too many indices");
        int64_t image_size = 0, total = 0;
        require(!__builtin_mul_overflow(height, width, &image_size), "image size overflows");
        require(!__builtin_mul_overflow(image_size, channels, &image_size), "image size overflows");
        require(!__builtin_mul_overflow(image_size, image_count, &total), "data set size overflows");
        require(static_cast<uint64_t>(total) <= length, "data set is shorter than its images");
        for (size_t i = 0; i < index_count; ++i) {
            if (indices[i] < 0 || indices[i] >= image_count) {
                refuse("index " + std::to_string(indices[i]) + " is out of range for " +
                       std::to_string(image_count) + " images");
            }
        }
        // One table per channel: 256 values, exactly the formula's.
        std::vector<float> table(static_cast<size_t>(channels) * 256);
        for (int64_t c = 0; c < channels; ++c) {
            require(std[c] != 0, "a channel's standard deviation is zero");
            for (int byte = 0; byte < 256; ++byte) {
                table[static_cast<size_t>(c * 256 + byte)] = (static_cast<float>(byte) * scale - mean[c]) / std[c];
            }
        }
        auto batch = at::empty(
            {static_cast<int64_t>(index_count), channels, height, width},
            at::TensorOptions().dtype(at::kFloat).memory_format(at::MemoryFormat::ChannelsLast));
        float *target = batch.mutable_data_ptr<float>();
        at::parallel_for(0, static_cast<int64_t>(index_count), 8, [&](int64_t begin, int64_t end) {
            for (int64_t n = begin; n < end; ++n) {
                const uint8_t *from = images + indices[n] * image_size;
                float *to = target + n * image_size;
                for (int64_t i = 0; i < image_size; i += channels) {
                    for (int64_t c = 0; c < channels; ++c) to[i + c] = table[c * 256 + from[i + c]];
                }
            }
        });
        *result = give(on_device(std::move(batch)));
    });
}

ct_status ct_shift_and_flip(
    const ct_tensor *images, const int32_t *dy, const int32_t *dx, const uint8_t *flip, size_t count,
    bool reflect, ct_tensor **result) {
    return guarded([&] {
        *result = nullptr;
        at::NoGradGuard no_grad;
        auto source = on_host(borrow(images).detach());
        require(source.dim() == 4 && source.scalar_type() == at::kFloat, "a float32 (N, C, H, W) batch is needed");
        require(static_cast<uint64_t>(source.size(0)) == count, "one shift per image is needed");
        int64_t channels = source.size(1), height = source.size(2), width = source.size(3);
        for (size_t i = 0; i < count; ++i) {
            require(dy[i] > -height && dy[i] < height && dx[i] > -width && dx[i] < width,
                "a shift must be smaller than the image");
        }
        auto target = at::empty_like(source, source.options(), at::MemoryFormat::ChannelsLast);
        const float *from = source.const_data_ptr<float>();
        float *to = target.mutable_data_ptr<float>();
        int64_t s0 = source.stride(0), s1 = source.stride(1), s2 = source.stride(2), s3 = source.stride(3);
        int64_t size = channels * height * width;
        at::parallel_for(0, static_cast<int64_t>(count), 4, [&](int64_t begin, int64_t end) {
            for (int64_t n = begin; n < end; ++n) {
                for (int64_t y = 0; y < height; ++y) {
                    int64_t sy = source_position(y + dy[n], height, reflect);
                    for (int64_t x = 0; x < width; ++x) {
                        int64_t flipped = flip[n] ? width - 1 - x : x;
                        int64_t sx = source_position(flipped + dx[n], width, reflect);
                        float *pixel = to + n * size + (y * width + x) * channels;
                        const float *origin = from + n * s0 + sy * s2 + sx * s3;
                        bool inside = sy >= 0 && sx >= 0;
                        for (int64_t c = 0; c < channels; ++c) pixel[c] = inside ? origin[c * s1] : 0.0f;
                    }
                }
            }
        });
        *result = give(on_device(std::move(target)));
    });
}

}  // extern "C"
