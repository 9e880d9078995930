// PNG decoding and encoding over libpng: whole calls with bounds, errors as values.
//
// Neither function longjmps out, prints, or writes past the buffers it is given.
#pragma once
#include <stddef.h>
#include <stdint.h>

enum cpng_status {
    CPNG_OK,
    /// The bytes are no whole, valid PNG.
    CPNG_DAMAGED,
    /// A valid PNG of a kind that is not taken.
    CPNG_UNSUPPORTED,
    /// Transparent pixels, and nobody said to drop the alpha channel.
    CPNG_TRANSPARENT,
    /// A side is longer than the limit.
    CPNG_TOO_LARGE,
    /// Not the expected height and width.
    CPNG_OTHER_SIZE,
    /// Colour where grey is expected.
    CPNG_COLOUR,
    CPNG_NO_MEMORY,
};

struct cpng_image {
    uint32_t height, width;
    /// 1 (grey) or 3 (RGB), as the file has it.
    uint32_t channels;
    /// On entry: leave an alpha channel out, whatever is in it. Else images that are transparent anywhere are
    /// refused.
    int drops_alpha;
    /// On return: bits of a sample, or of an index into the palette.
    uint32_t depth;
    int has_palette;
    /// On return of a decoded image: whether it had an alpha channel, or one colour that stands for transparency; and
    /// whether a pixel was transparent.
    int has_alpha, is_transparent;
    /// Ends with a zero byte; empty when the status is CPNG_OK.
    char message[160];
};

/// Reads the header only.
enum cpng_status cpng_probe(
    const uint8_t *bytes, size_t count, uint32_t maximum_side, struct cpng_image *image);

/// Decodes to height x width x channels bytes. `image` says on entry what is expected (grey is widened to
/// three channels where three are expected), on return what was found. `capacity` is checked.
enum cpng_status cpng_decode(
    const uint8_t *bytes, size_t count, uint32_t maximum_side, struct cpng_image *image,
    uint8_t *pixels, size_t capacity);

/// Encodes 8-bit grey or RGB pixels; `level` is zlib's, 0 to 9. The result is allocated with malloc and
/// belongs to the caller.
enum cpng_status cpng_encode(
    const uint8_t *pixels, size_t count, struct cpng_image *image, int level,
    uint8_t **bytes, size_t *length);
