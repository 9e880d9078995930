#include "CJPEG.h"

#include <stdio.h>

#include <jpeglib.h>
#include <jerror.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

// A progressive file may hold thousands of scans over the whole image, a few bytes each. Encoders write
// about ten.
enum { MAXIMUM_SCANS = 100, FEWEST_SCANS = 16, SCANNED_PIXELS = MAXIMUM_SCANS * 2048 * 2048 };

// Everything that must survive a longjmp lives here, not in locals.
struct reader {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    jmp_buf escape;
    struct cjpeg_image *image;
    uint8_t *row;
};

static void on_error(j_common_ptr jpeg) {
    struct reader *reader = jpeg->client_data;
    char text[JMSG_LENGTH_MAX];
    jpeg->err->format_message(jpeg, text);
    snprintf(reader->image->message, sizeof reader->image->message, "%s", text);
    longjmp(reader->escape, 1);
}

/// Warnings that mean lost pixels are errors here; the others (junk between markers, odd headers) are met
/// in sound files and change no pixel.
static void on_message(j_common_ptr jpeg, int level) {
    if (level >= 0) return;
    switch (jpeg->err->msg_code) {
    case JWRN_HIT_MARKER:
    case JWRN_JPEG_EOF:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_ARITH_BAD_CODE:
    case JWRN_MUST_RESYNC:
        on_error(jpeg);
    default:
        break;
    }
}

static void on_output(j_common_ptr jpeg) { (void)jpeg; }

static void on_progress(j_common_ptr jpeg) {
    struct reader *reader = jpeg->client_data;
    // Each scan goes over the whole image: the larger it is, the fewer there may be.
    const uint64_t area = (uint64_t)reader->jpeg.image_width * reader->jpeg.image_height;
    uint64_t most = area == 0 ? MAXIMUM_SCANS : SCANNED_PIXELS / area;
    if (most > MAXIMUM_SCANS) most = MAXIMUM_SCANS;
    if (most < FEWEST_SCANS) most = FEWEST_SCANS;
    if (reader->jpeg.input_scan_number <= (int)most) return;
    snprintf(
        reader->image->message, sizeof reader->image->message, "it has more than %d scans", (int)most);
    longjmp(reader->escape, 1);
}

static enum cjpeg_status refuse(struct reader *reader, enum cjpeg_status status, const char *text) {
    snprintf(reader->image->message, sizeof reader->image->message, "%s", text);
    return status;
}

static enum cjpeg_status read_header(
    struct reader *reader, const uint8_t *bytes, size_t count, uint32_t maximum_side) {
    j_decompress_ptr jpeg = &reader->jpeg;
    struct cjpeg_image *image = reader->image;
    jpeg_mem_src(jpeg, bytes, count);
    jpeg_read_header(jpeg, TRUE);
    image->height = jpeg->image_height;
    image->width = jpeg->image_width;
    switch (jpeg->jpeg_color_space) {
    case JCS_GRAYSCALE:
        image->channels = 1;
        break;
    case JCS_RGB:
    case JCS_YCbCr:
        image->channels = 3;
        break;
    case JCS_CMYK:
    case JCS_YCCK:
        image->channels = 3;
        image->is_cmyk = 1;
        break;
    default:
        return refuse(reader, CJPEG_UNSUPPORTED, "its colour space is unknown");
    }
    if (image->height > maximum_side || image->width > maximum_side)
        return refuse(reader, CJPEG_TOO_LARGE, "a side is longer than the limit");
    return CJPEG_OK;
}

/// a * b / 255, rounded, as Pillow's MULDIV255.
static int scaled(int a, int b) {
    const int product = a * b + 128;
    return ((product >> 8) + product) >> 8;
}

static void to_rgb(const uint8_t *cmyk, uint8_t *rgb, uint32_t width) {
    for (uint32_t x = 0; x < width; x++, cmyk += 4, rgb += 3) {
        const int light = cmyk[3];
        for (int channel = 0; channel < 3; channel++) {
            const int value = light - scaled(255 - cmyk[channel], light);
            rgb[channel] = (uint8_t)(value < 0 ? 0 : value);
        }
    }
}

static enum cjpeg_status read_pixels(
    struct reader *reader, struct cjpeg_image expected, uint8_t *pixels, size_t capacity) {
    j_decompress_ptr jpeg = &reader->jpeg;
    struct cjpeg_image *image = reader->image;
    if (image->height != expected.height || image->width != expected.width)
        return refuse(reader, CJPEG_OTHER_SIZE, "it has another size");
    if (image->channels > expected.channels) return refuse(reader, CJPEG_COLOUR, "it has colours");
    const uint32_t reduction = expected.reduction == 0 ? 1 : expected.reduction;
    if (reduction > 8 || (reduction & (reduction - 1)) != 0)
        return refuse(reader, CJPEG_UNSUPPORTED, "sides are divided by 1, 2, 4 or 8");
    const uint32_t height = (image->height + reduction - 1) / reduction;
    const uint32_t width = (image->width + reduction - 1) / reduction;
    size_t stride = (size_t)width * expected.channels;
    if (capacity / stride < height) return refuse(reader, CJPEG_NO_MEMORY, "the buffer is too small");

    jpeg->scale_num = 1;
    jpeg->scale_denom = reduction;
    jpeg->out_color_space = image->is_cmyk ? JCS_CMYK : expected.channels == 3 ? JCS_RGB : JCS_GRAYSCALE;
    jpeg->dct_method = JDCT_ISLOW;
    jpeg_start_decompress(jpeg);
    const uint32_t components = image->is_cmyk ? 4 : expected.channels;
    if (jpeg->output_height != height || jpeg->output_width != width
        || (uint32_t)jpeg->output_components != components)
        return refuse(reader, CJPEG_UNSUPPORTED, "its pixels have an unknown layout");
    if (image->is_cmyk) {
        reader->row = malloc((size_t)width * 4);
        if (reader->row == NULL) return refuse(reader, CJPEG_NO_MEMORY, "no memory left");
    }
    while (jpeg->output_scanline < jpeg->output_height) {
        uint8_t *target = pixels + jpeg->output_scanline * stride;
        JSAMPROW row = image->is_cmyk ? reader->row : target;
        jpeg_read_scanlines(jpeg, &row, 1);
        if (image->is_cmyk) to_rgb(reader->row, target, width);
    }
    jpeg_finish_decompress(jpeg);
    return CJPEG_OK;
}

static enum cjpeg_status run(
    const uint8_t *bytes, size_t count, uint32_t maximum_side, struct cjpeg_image *image,
    uint8_t *pixels, size_t capacity) {
    struct cjpeg_image expected = *image;
    struct reader reader = {.image = image};
    memset(image, 0, sizeof *image);
    if (pixels != NULL && expected.channels != 1 && expected.channels != 3)
        return refuse(&reader, CJPEG_UNSUPPORTED, "images have one or three channels");
    reader.jpeg.err = jpeg_std_error(&reader.errors);
    reader.errors.error_exit = on_error;
    reader.errors.emit_message = on_message;
    reader.errors.output_message = on_output;
    reader.progress.progress_monitor = on_progress;
    reader.jpeg.client_data = &reader;
    volatile enum cjpeg_status status = CJPEG_DAMAGED;
    if (setjmp(reader.escape) == 0) {
        jpeg_create_decompress(&reader.jpeg);
        reader.jpeg.progress = &reader.progress;
        status = read_header(&reader, bytes, count, maximum_side);
        if (status == CJPEG_OK && pixels != NULL) status = read_pixels(&reader, expected, pixels, capacity);
    } else {
        status = CJPEG_DAMAGED;
    }
    jpeg_destroy_decompress(&reader.jpeg);
    free(reader.row);
    return status;
}

enum cjpeg_status cjpeg_probe(
    const uint8_t *bytes, size_t count, uint32_t maximum_side, struct cjpeg_image *image) {
    return run(bytes, count, maximum_side, image, NULL, 0);
}

enum cjpeg_status cjpeg_decode(
    const uint8_t *bytes, size_t count, uint32_t maximum_side, struct cjpeg_image *image,
    uint8_t *pixels, size_t capacity) {
    if (pixels == NULL) return CJPEG_NO_MEMORY;
    return run(bytes, count, maximum_side, image, pixels, capacity);
}
