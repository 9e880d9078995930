// What the decoders of images share that are newer than CPNG and CJPEG: whole calls with bounds, errors as values.
//
// No function longjmps out, prints, or writes past the buffer it is given.
#pragma once
#include <stddef.h>
#include <stdint.h>

enum cimage_status {
    CIMAGE_OK,
    /// The bytes are no whole, valid image.
    CIMAGE_DAMAGED,
    /// A valid image of a kind that is not taken.
    CIMAGE_UNSUPPORTED,
    /// Transparent pixels, and nobody said to drop the alpha channel.
    CIMAGE_TRANSPARENT,
    /// A side is longer than the limit.
    CIMAGE_TOO_LARGE,
    /// Not the expected height and width.
    CIMAGE_OTHER_SIZE,
    /// Colour where grey is expected.
    CIMAGE_COLOUR,
    CIMAGE_NO_MEMORY,
};

struct cimage {
    uint32_t height, width;
    /// 1 (grey) or 3 (RGB), as the file has it.
    uint32_t channels;
    /// On entry: leave an alpha channel out, whatever is in it. Else images that are transparent anywhere are refused.
    int drops_alpha;
    /// On return: bits of a sample, or of an index into the palette.
    uint32_t depth;
    int has_palette, is_cmyk;
    /// On return: the file holds further images behind the first, which is the one that is read.
    int has_more;
    /// On return of a decoded image: whether it had an alpha channel, or one colour that stands for transparency; and
    /// whether a pixel was transparent.
    int has_alpha, is_transparent;
    /// Ends with a zero byte; empty when the status is CIMAGE_OK.
    char message[200];
};

// All three: reads the header only where `pixels` is NULL. Else decodes to height x width x channels bytes: `image` says
// on entry what is expected (grey is widened to three channels where three are expected), on return what was found.
// `capacity` is checked.

/// libwebp; the first image of an animation.
enum cimage_status cwebp_read(
    const uint8_t *bytes, size_t count, uint32_t maximum_side, struct cimage *image, uint8_t *pixels,
    size_t capacity);

/// libtiff; the first page.
enum cimage_status ctiff_read(
    const uint8_t *bytes, size_t count, uint32_t maximum_side, struct cimage *image, uint8_t *pixels,
    size_t capacity);

/// giflib; the first image, on its canvas.
enum cimage_status cgif_read(
    const uint8_t *bytes, size_t count, uint32_t maximum_side, struct cimage *image, uint8_t *pixels,
    size_t capacity);
