#include "CPNG.h"

#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Everything that must survive a longjmp lives here, not in locals.
struct reader {
    png_structp png;
    png_infop info;
    const uint8_t *bytes;
    size_t count, position;
    struct cpng_image *image;
    png_bytepp rows;
    uint8_t *scratch;
};

static void on_error(png_structp png, png_const_charp text) {
    struct reader *reader = png_get_error_ptr(png);
    snprintf(reader->image->message, sizeof reader->image->message, "%s", text);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp text) {
    (void)png;
    (void)text;
}

static void on_read(png_structp png, png_bytep out, size_t wanted) {
    struct reader *reader = png_get_io_ptr(png);
    if (wanted > reader->count - reader->position) png_error(png, "the file ends too early");
    memcpy(out, reader->bytes + reader->position, wanted);
    reader->position += wanted;
}

static enum cpng_status refuse(struct reader *reader, enum cpng_status status, const char *text) {
    snprintf(reader->image->message, sizeof reader->image->message, "%s", text);
    return status;
}

/// After it: 8-bit grey or RGB, with an alpha channel where the file has transparency.
static enum cpng_status read_header(struct reader *reader, uint32_t maximum_side) {
    png_structp png = reader->png;
    png_set_read_fn(png, reader, on_read);
    // Text, colour profiles and the like are passed over unread: they change no sample value.
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
    png_set_chunk_malloc_max(png, 1 << 20);
    png_set_chunk_cache_max(png, 64);
    png_set_user_limits(png, 0x7fffffff, 0x7fffffff);
    png_read_info(png, reader->info);
    struct cpng_image *image = reader->image;
    image->height = png_get_image_height(png, reader->info);
    image->width = png_get_image_width(png, reader->info);
    int colour = png_get_color_type(png, reader->info);
    image->channels = (colour & PNG_COLOR_MASK_COLOR) != 0 ? 3 : 1;
    image->depth = png_get_bit_depth(png, reader->info);
    image->has_palette = (colour & PNG_COLOR_MASK_PALETTE) != 0;
    if (image->height > maximum_side || image->width > maximum_side)
        return refuse(reader, CPNG_TOO_LARGE, "a side is longer than the limit");
    return CPNG_OK;
}

static enum cpng_status read_pixels(
    struct reader *reader, struct cpng_image expected, uint8_t *pixels, size_t capacity) {
    png_structp png = reader->png;
    struct cpng_image *image = reader->image;
    if (image->height != expected.height || image->width != expected.width)
        return refuse(reader, CPNG_OTHER_SIZE, "it has another size");
    if (image->channels > expected.channels)
        return refuse(reader, CPNG_COLOUR, "it has colours");
    size_t area = (size_t)image->height * image->width;
    if (capacity / expected.channels < area) return refuse(reader, CPNG_NO_MEMORY, "the buffer is too small");

    // 16 bits: the nearest 8-bit value.
    if (png_get_bit_depth(png, reader->info) == 16) png_set_scale_16(png);
    png_set_expand(png);
    if (expected.channels == 3) png_set_gray_to_rgb(png);
    png_set_interlace_handling(png);
    png_read_update_info(png, reader->info);
    size_t stride = png_get_rowbytes(png, reader->info);
    size_t found = png_get_channels(png, reader->info);
    if (png_get_bit_depth(png, reader->info) != 8 || stride != found * image->width
        || (found != expected.channels && found != expected.channels + 1))
        return refuse(reader, CPNG_UNSUPPORTED, "its pixels have an unknown layout");

    uint8_t *target = pixels;
    if (found != expected.channels) {
        reader->scratch = malloc(stride * image->height);
        if (reader->scratch == NULL) return refuse(reader, CPNG_NO_MEMORY, "no memory left");
        target = reader->scratch;
    }
    reader->rows = malloc(image->height * sizeof *reader->rows);
    if (reader->rows == NULL) return refuse(reader, CPNG_NO_MEMORY, "no memory left");
    for (uint32_t y = 0; y < image->height; y++) reader->rows[y] = target + y * stride;
    png_read_image(png, reader->rows);
    png_read_end(png, NULL);

    if (reader->scratch != NULL) {
        image->has_alpha = 1;
        for (size_t i = 0; i < area; i++) {
            const uint8_t *pixel = reader->scratch + i * found;
            if (pixel[found - 1] != 255) {
                image->is_transparent = 1;
                if (!expected.drops_alpha) return refuse(reader, CPNG_TRANSPARENT, "it has transparent pixels");
            }
            memcpy(pixels + i * expected.channels, pixel, expected.channels);
        }
    }
    return CPNG_OK;
}

static enum cpng_status run(
    const uint8_t *bytes, size_t count, uint32_t maximum_side, struct cpng_image *image,
    uint8_t *pixels, size_t capacity) {
    struct cpng_image expected = *image;
    struct reader reader = {.bytes = bytes, .count = count, .image = image};
    memset(image, 0, sizeof *image);
    if (pixels != NULL && expected.channels != 1 && expected.channels != 3)
        return refuse(&reader, CPNG_UNSUPPORTED, "images have one or three channels");
    reader.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &reader, on_error, on_warning);
    if (reader.png != NULL) reader.info = png_create_info_struct(reader.png);
    volatile enum cpng_status status = CPNG_NO_MEMORY;
    if (reader.info != NULL) {
        if (setjmp(png_jmpbuf(reader.png)) == 0) {
            status = read_header(&reader, maximum_side);
            if (status == CPNG_OK && pixels != NULL) status = read_pixels(&reader, expected, pixels, capacity);
        } else {
            status = CPNG_DAMAGED;
        }
    }
    png_destroy_read_struct(&reader.png, &reader.info, NULL);
    free(reader.rows);
    free(reader.scratch);
    return status;
}

enum cpng_status cpng_probe(
    const uint8_t *bytes, size_t count, uint32_t maximum_side, struct cpng_image *image) {
    return run(bytes, count, maximum_side, image, NULL, 0);
}

enum cpng_status cpng_decode(
    const uint8_t *bytes, size_t count, uint32_t maximum_side, struct cpng_image *image,
    uint8_t *pixels, size_t capacity) {
    if (pixels == NULL) return CPNG_NO_MEMORY;
    return run(bytes, count, maximum_side, image, pixels, capacity);
}
