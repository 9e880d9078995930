#include "shared.h"

#include <stdio.h>

enum cimage_status cimage_refuse(struct cimage *image, enum cimage_status status, const char *text) {
    snprintf(image->message, sizeof image->message, "%s", text);
    return status;
}

enum cimage_status cimage_check_sides(struct cimage *image, uint32_t maximum_side) {
    if (image->height == 0 || image->width == 0)
        return cimage_refuse(image, CIMAGE_DAMAGED, "it has no pixels");
    if (image->height > maximum_side || image->width > maximum_side)
        return cimage_refuse(image, CIMAGE_TOO_LARGE, "a side is longer than the limit");
    return CIMAGE_OK;
}

enum cimage_status cimage_check_expected(
    struct cimage *image, const struct cimage *expected, const uint8_t *pixels, size_t capacity) {
    if (pixels == NULL || (expected->channels != 1 && expected->channels != 3))
        return cimage_refuse(image, CIMAGE_UNSUPPORTED, "images have one or three channels");
    if (image->height != expected->height || image->width != expected->width)
        return cimage_refuse(image, CIMAGE_OTHER_SIZE, "it has another size");
    if (image->channels > expected->channels) return cimage_refuse(image, CIMAGE_COLOUR, "it has colours");
    const size_t stride = (size_t)image->width * expected->channels;
    if (capacity / stride < image->height)
        return cimage_refuse(image, CIMAGE_NO_MEMORY, "the buffer is too small");
    return CIMAGE_OK;
}

enum cimage_status cimage_take_rgba(
    struct cimage *image, const struct cimage *expected, const uint8_t *rgba, uint8_t *pixels) {
    const size_t area = (size_t)image->height * image->width;
    for (size_t i = 0; i < area; i++, rgba += 4, pixels += expected->channels) {
        if (image->has_alpha && rgba[3] != 255) {
            image->is_transparent = 1;
            if (!expected->drops_alpha)
                return cimage_refuse(image, CIMAGE_TRANSPARENT, "it has transparent pixels");
        }
        pixels[0] = rgba[0];
        if (expected->channels == 3) {
            pixels[1] = rgba[1];
            pixels[2] = rgba[2];
        }
    }
    return CIMAGE_OK;
}
