// JPEG decoding and encoding over libjpeg-turbo: whole calls with bounds, errors as values.
//
// No function longjmps out, prints, or writes past the buffer it is given.
#pragma once
#include <stddef.h>
#include <stdint.h>

enum cjpeg_status {
    CJPEG_OK,
    /// The bytes are no whole, valid JPEG.
    CJPEG_DAMAGED,
    /// A valid JPEG of a kind that is not taken.
    CJPEG_UNSUPPORTED,
    /// A side is longer than the limit.
    CJPEG_TOO_LARGE,
    /// Not the expected height and width.
    CJPEG_OTHER_SIZE,
    /// Colour where grey is expected.
    CJPEG_COLOUR,
    CJPEG_NO_MEMORY,
};

struct cjpeg_image {
    uint32_t height, width;
    /// 1 (grey) or 3 (RGB), as the file has it; 3 for CMYK.
    uint32_t channels;
    /// On return: whether the file has CMYK or YCCK.
    int is_cmyk;
    /// On entry of a decoding: 1, 2, 4 or 8, by which the sides are divided, rounded up; 0 is 1.
    uint32_t reduction;
    /// Ends with a zero byte; empty when the status is CJPEG_OK.
    char message[200];
};

/// Reads the header only.
enum cjpeg_status cjpeg_probe(
    const uint8_t *bytes, size_t count, uint32_t maximum_side, struct cjpeg_image *image);

/// Decodes to height x width x channels bytes, of the sides divided by `reduction`. `image` says on entry what is expected
/// of the whole image (grey is widened to three channels where three are expected), on return what was found. `capacity` is checked. CMYK is converted as
/// Pillow does: its values are taken as inverted, as Adobe writes them, and R = (1 - C)(1 - K).
enum cjpeg_status cjpeg_decode(
    const uint8_t *bytes, size_t count, uint32_t maximum_side, struct cjpeg_image *image,
    uint8_t *pixels, size_t capacity);

/// Encodes 8-bit grey or RGB pixels; `quality` is libjpeg's, 1 to 100. The result is allocated with malloc and
/// belongs to the caller.
enum cjpeg_status cjpeg_encode(
    const uint8_t *pixels, size_t count, struct cjpeg_image *image, int quality, uint8_t **bytes,
    size_t *length);
