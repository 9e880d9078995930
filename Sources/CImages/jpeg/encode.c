#include "CJPEG.h"

#include <stdio.h>

#include <jpeglib.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

// Everything that must survive a longjmp lives here, not in locals.
struct writer {
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    jmp_buf escape;
    struct cjpeg_image *image;
    unsigned char *bytes;
    unsigned long length;
};

static void on_error(j_common_ptr jpeg) {
    struct writer *writer = jpeg->client_data;
    char text[JMSG_LENGTH_MAX];
    jpeg->err->format_message(jpeg, text);
    snprintf(writer->image->message, sizeof writer->image->message, "%s", text);
    longjmp(writer->escape, 1);
}

static void on_message(j_common_ptr jpeg, int level) {
    (void)jpeg;
    (void)level;
}

static void on_output(j_common_ptr jpeg) { (void)jpeg; }

static void write_pixels(struct writer *writer, const uint8_t *pixels, int quality) {
    j_compress_ptr jpeg = &writer->jpeg;
    const struct cjpeg_image *image = writer->image;
    jpeg_mem_dest(jpeg, &writer->bytes, &writer->length);
    jpeg->image_width = image->width;
    jpeg->image_height = image->height;
    jpeg->input_components = (int)image->channels;
    jpeg->in_color_space = image->channels == 3 ? JCS_RGB : JCS_GRAYSCALE;
    jpeg_set_defaults(jpeg);
    jpeg_set_quality(jpeg, quality, TRUE);
    // Tables of its own: for an image of a few hundred bytes the usual ones are most of the file.
    jpeg->optimize_coding = TRUE;
    for (int component = 0; component < jpeg->num_components; component++) {
        jpeg->comp_info[component].h_samp_factor = 1;
        jpeg->comp_info[component].v_samp_factor = 1;
    }
    jpeg_start_compress(jpeg, TRUE);
    size_t stride = (size_t)image->width * image->channels;
    while (jpeg->next_scanline < jpeg->image_height) {
        // libjpeg's type has no const; rows are only read.
        JSAMPROW row = (JSAMPROW)(pixels + jpeg->next_scanline * stride);
        jpeg_write_scanlines(jpeg, &row, 1);
    }
    jpeg_finish_compress(jpeg);
}

enum cjpeg_status cjpeg_encode(
    const uint8_t *pixels, size_t count, struct cjpeg_image *image, int quality, uint8_t **bytes,
    size_t *length) {
    *bytes = NULL;
    *length = 0;
    image->message[0] = 0;
    size_t stride = (size_t)image->width * image->channels;
    if (pixels == NULL || (image->channels != 1 && image->channels != 3) || image->height == 0
        || image->width == 0 || image->height > JPEG_MAX_DIMENSION || image->width > JPEG_MAX_DIMENSION
        || count / stride != image->height || count % stride != 0) {
        snprintf(image->message, sizeof image->message, "the pixels do not fill the image");
        return CJPEG_UNSUPPORTED;
    }
    struct writer writer = {.image = image};
    writer.jpeg.err = jpeg_std_error(&writer.errors);
    writer.errors.error_exit = on_error;
    writer.errors.emit_message = on_message;
    writer.errors.output_message = on_output;
    writer.jpeg.client_data = &writer;
    volatile enum cjpeg_status status = CJPEG_NO_MEMORY;
    if (setjmp(writer.escape) == 0) {
        jpeg_create_compress(&writer.jpeg);
        write_pixels(&writer, pixels, quality);
        status = CJPEG_OK;
    }
    jpeg_destroy_compress(&writer.jpeg);
    if (status == CJPEG_OK) {
        *bytes = writer.bytes;
        *length = writer.length;
    } else {
        free(writer.bytes);
    }
    return status;
}
