// Helpers of the decoders that CImage.h declares.
#pragma once
#include "CImage.h"

/// Writes why, and gives the status back.
enum cimage_status cimage_refuse(struct cimage *image, enum cimage_status status, const char *text);

/// Whether the side is within the limit and not 0.
enum cimage_status cimage_check_sides(struct cimage *image, uint32_t maximum_side);

/// Whether what was found is what is expected, and fits.
enum cimage_status cimage_check_expected(
    struct cimage *image, const struct cimage *expected, const uint8_t *pixels, size_t capacity);

/// From red, green, blue, alpha to what is expected; refuses transparency unless it is to be dropped.
enum cimage_status cimage_take_rgba(
    struct cimage *image, const struct cimage *expected, const uint8_t *rgba, uint8_t *pixels);
