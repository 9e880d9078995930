#include <gif_lib.h>
#include <stdlib.h>
#include <string.h>

#include "../shared.h"

// Blocks of one extension, and extensions before the first image: each has 255 bytes.
enum { MAXIMUM_BLOCKS = 1 << 16 };

struct reader {
    const uint8_t *bytes;
    size_t count, position;
    struct cimage *image;
    GifFileType *gif;
    /// The colour that stands for transparency, or -1.
    int transparent;
    size_t blocks;
};

static int on_read(GifFileType *gif, GifByteType *out, int wanted) {
    struct reader *reader = gif->UserData;
    if (wanted < 0) return 0;
    size_t taken = reader->count - reader->position;
    if (taken > (size_t)wanted) taken = (size_t)wanted;
    memcpy(out, reader->bytes + reader->position, taken);
    reader->position += taken;
    return (int)taken;
}

static enum cimage_status refuse_error(struct reader *reader, int error) {
    if (error == D_GIF_ERR_NOT_ENOUGH_MEM)
        return cimage_refuse(reader->image, CIMAGE_NO_MEMORY, "no memory left");
    const char *text = GifErrorString(error);
    return cimage_refuse(reader->image, CIMAGE_DAMAGED, text == NULL ? "it is damaged" : text);
}

static enum cimage_status read_extension(struct reader *reader) {
    int code = 0;
    GifByteType *block = NULL;
    if (DGifGetExtension(reader->gif, &code, &block) == GIF_ERROR)
        return refuse_error(reader, reader->gif->Error);
    while (block != NULL) {
        if (++reader->blocks > MAXIMUM_BLOCKS)
            return cimage_refuse(reader->image, CIMAGE_UNSUPPORTED, "it has too many extensions");
        GraphicsControlBlock control;
        if (code == GRAPHICS_EXT_FUNC_CODE
            && DGifExtensionToGCB(block[0], block + 1, &control) == GIF_OK)
            reader->transparent = control.TransparentColor;
        if (DGifGetExtensionNext(reader->gif, &block) == GIF_ERROR)
            return refuse_error(reader, reader->gif->Error);
    }
    return CIMAGE_OK;
}

/// Up to the next image: CIMAGE_OK where there is one, `missing` where the file ends before.
static enum cimage_status seek_image(struct reader *reader, enum cimage_status missing) {
    while (1) {
        GifRecordType type = UNDEFINED_RECORD_TYPE;
        if (DGifGetRecordType(reader->gif, &type) == GIF_ERROR)
            return refuse_error(reader, reader->gif->Error);
        if (type == IMAGE_DESC_RECORD_TYPE) return CIMAGE_OK;
        if (type != EXTENSION_RECORD_TYPE) return cimage_refuse(reader->image, missing, "it holds no image");
        const enum cimage_status status = read_extension(reader);
        if (status != CIMAGE_OK) return status;
    }
}

static const ColorMapObject *colours(const GifFileType *gif) {
    return gif->Image.ColorMap != NULL ? gif->Image.ColorMap : gif->SColorMap;
}

static int is_grey(const ColorMapObject *map) {
    for (int i = 0; i < map->ColorCount; i++) {
        const GifColorType colour = map->Colors[i];
        if (colour.Red != colour.Green || colour.Green != colour.Blue) return 0;
    }
    return 1;
}

static enum cimage_status read_header(struct reader *reader, uint32_t maximum_side) {
    struct cimage *image = reader->image;
    enum cimage_status status = seek_image(reader, CIMAGE_DAMAGED);
    if (status != CIMAGE_OK) return status;
    if (DGifGetImageDesc(reader->gif) == GIF_ERROR) return refuse_error(reader, reader->gif->Error);
    const GifFileType *gif = reader->gif;
    const GifImageDesc frame = gif->Image;
    if (gif->SWidth < 0 || gif->SHeight < 0 || frame.Left < 0 || frame.Top < 0 || frame.Width <= 0
        || frame.Height <= 0)
        return cimage_refuse(image, CIMAGE_DAMAGED, "it has no pixels");
    // As Pillow and browsers do: a canvas too small for its image grows.
    const long right = (long)frame.Left + frame.Width, bottom = (long)frame.Top + frame.Height;
    image->width = (uint32_t)(right > gif->SWidth ? right : gif->SWidth);
    image->height = (uint32_t)(bottom > gif->SHeight ? bottom : gif->SHeight);
    const ColorMapObject *map = colours(gif);
    if (map == NULL || map->ColorCount <= 0)
        return cimage_refuse(image, CIMAGE_UNSUPPORTED, "it has no colours of its own");
    image->has_palette = 1;
    image->depth = 8;
    image->channels = is_grey(map) ? 1 : 3;
    return cimage_check_sides(image, maximum_side);
}

/// Rows of an interlaced image come in four passes.
static enum cimage_status read_rows(struct reader *reader, uint8_t *indices) {
    static const int starts[] = {0, 4, 2, 1}, steps[] = {8, 8, 4, 2};
    const GifImageDesc frame = reader->gif->Image;
    const int passes = frame.Interlace ? 4 : 1;
    for (int pass = 0; pass < passes; pass++) {
        const int step = frame.Interlace ? steps[pass] : 1;
        for (int y = frame.Interlace ? starts[pass] : 0; y < frame.Height; y += step) {
            uint8_t *row = indices + (size_t)(frame.Top + y) * reader->image->width + frame.Left;
            if (DGifGetLine(reader->gif, row, frame.Width) == GIF_ERROR)
                return refuse_error(reader, reader->gif->Error);
        }
    }
    return CIMAGE_OK;
}

static enum cimage_status paint(
    struct reader *reader, const struct cimage *expected, const uint8_t *indices, uint8_t *pixels) {
    struct cimage *image = reader->image;
    const ColorMapObject *map = colours(reader->gif);
    const size_t area = (size_t)image->width * image->height;
    image->has_alpha = reader->transparent >= 0;
    for (size_t i = 0; i < area; i++, pixels += expected->channels) {
        const int index = indices[i];
        if (index == reader->transparent) {
            image->is_transparent = 1;
            if (!expected->drops_alpha)
                return cimage_refuse(image, CIMAGE_TRANSPARENT, "it has transparent pixels");
        }
        // Pillow fills its palette up with black.
        const GifColorType none = {0, 0, 0};
        const GifColorType colour = index < map->ColorCount ? map->Colors[index] : none;
        pixels[0] = colour.Red;
        if (expected->channels == 3) {
            pixels[1] = colour.Green;
            pixels[2] = colour.Blue;
        }
    }
    return CIMAGE_OK;
}

static enum cimage_status read_pixels(
    struct reader *reader, const struct cimage *expected, uint8_t *pixels) {
    struct cimage *image = reader->image;
    const size_t area = (size_t)image->width * image->height;
    uint8_t *indices = malloc(area);
    if (indices == NULL) return cimage_refuse(image, CIMAGE_NO_MEMORY, "no memory left");
    // What the image does not cover: transparent where there is such a colour, else the first colour.
    memset(indices, reader->transparent >= 0 ? reader->transparent : 0, area);
    enum cimage_status status = read_rows(reader, indices);
    if (status == CIMAGE_OK) status = paint(reader, expected, indices, pixels);
    free(indices);
    if (status == CIMAGE_OK) {
        // What follows is not read: that it is damaged is no fault of the image.
        image->has_more = seek_image(reader, CIMAGE_DAMAGED) == CIMAGE_OK;
        image->message[0] = 0;
    }
    return status;
}

enum cimage_status cgif_read(
    const uint8_t *bytes, size_t count, uint32_t maximum_side, struct cimage *image, uint8_t *pixels,
    size_t capacity) {
    const struct cimage expected = *image;
    memset(image, 0, sizeof *image);
    struct reader reader = {.bytes = bytes, .count = count, .image = image, .transparent = -1};
    int error = 0;
    reader.gif = DGifOpen(&reader, on_read, &error);
    if (reader.gif == NULL) return refuse_error(&reader, error);
    enum cimage_status status = read_header(&reader, maximum_side);
    if (status == CIMAGE_OK && pixels != NULL) {
        status = cimage_check_expected(image, &expected, pixels, capacity);
        if (status == CIMAGE_OK) status = read_pixels(&reader, &expected, pixels);
    }
    DGifCloseFile(reader.gif, &error);
    return status;
}
