#include "CPNG.h"

#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct writer {
    png_structp png;
    png_infop info;
    struct cpng_image *image;
    uint8_t *bytes;
    size_t length, capacity;
};

static void on_error(png_structp png, png_const_charp text) {
    struct writer *writer = png_get_error_ptr(png);
    snprintf(writer->image->message, sizeof writer->image->message, "%s", text);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp text) {
    (void)png;
    (void)text;
}

static void on_write(png_structp png, png_bytep data, size_t count) {
    struct writer *writer = png_get_io_ptr(png);
    if (count > writer->capacity - writer->length) {
        size_t capacity = writer->capacity * 2 + count;
        uint8_t *bytes = realloc(writer->bytes, capacity);
        if (bytes == NULL) png_error(png, "no memory left");
        writer->bytes = bytes;
        writer->capacity = capacity;
    }
    memcpy(writer->bytes + writer->length, data, count);
    writer->length += count;
}

static void on_flush(png_structp png) { (void)png; }

enum cpng_status cpng_encode(
    const uint8_t *pixels, size_t count, struct cpng_image *image, int level,
    uint8_t **bytes, size_t *length) {
    *bytes = NULL;
    *length = 0;
    image->message[0] = 0;
    size_t stride = (size_t)image->width * image->channels;
    if ((image->channels != 1 && image->channels != 3) || image->height == 0 || image->width == 0
        || count / stride != image->height || count % stride != 0) {
        snprintf(image->message, sizeof image->message, "the pixels do not fill the image");
        return CPNG_UNSUPPORTED;
    }
    struct writer writer = {.image = image};
    writer.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &writer, on_error, on_warning);
    if (writer.png != NULL) writer.info = png_create_info_struct(writer.png);
    volatile enum cpng_status status = CPNG_NO_MEMORY;
    if (writer.info != NULL) {
        if (setjmp(png_jmpbuf(writer.png)) == 0) {
            png_set_write_fn(writer.png, &writer, on_write, on_flush);
            png_set_compression_level(writer.png, level);
            int colour = image->channels == 3 ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_GRAY;
            png_set_IHDR(
                writer.png, writer.info, image->width, image->height, 8, colour, PNG_INTERLACE_NONE,
                PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
            png_write_info(writer.png, writer.info);
            for (uint32_t y = 0; y < image->height; y++) png_write_row(writer.png, pixels + y * stride);
            png_write_end(writer.png, writer.info);
            status = CPNG_OK;
        } else {
            status = CPNG_DAMAGED;
        }
    }
    png_destroy_write_struct(&writer.png, &writer.info);
    if (status == CPNG_OK) {
        *bytes = writer.bytes;
        *length = writer.length;
    } else {
        free(writer.bytes);
    }
    return status;
}
