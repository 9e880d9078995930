#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tiffio.h>

#include "../shared.h"

// Beside the image itself: tables, and strips and tiles that reach beyond it.
enum { FREE_ALLOCATION = 16 << 20 };

struct reader {
    const uint8_t *bytes;
    size_t count;
    uint64_t position;
    struct cimage *image;
    TIFF *tiff;
};

static tmsize_t on_read(thandle_t handle, void *out, tmsize_t wanted) {
    struct reader *reader = handle;
    if (wanted <= 0 || reader->position >= reader->count) return 0;
    size_t taken = reader->count - (size_t)reader->position;
    if (taken > (size_t)wanted) taken = (size_t)wanted;
    memcpy(out, reader->bytes + reader->position, taken);
    reader->position += taken;
    return (tmsize_t)taken;
}

static tmsize_t on_write(thandle_t handle, void *bytes, tmsize_t count) {
    (void)handle;
    (void)bytes;
    (void)count;
    return 0;
}

static toff_t on_seek(thandle_t handle, toff_t offset, int from) {
    struct reader *reader = handle;
    // An offset backwards is a large number: it wraps to what is meant, and reading checks where that is.
    if (from == SEEK_SET) reader->position = offset;
    if (from == SEEK_CUR) reader->position += offset;
    if (from == SEEK_END) reader->position = reader->count + offset;
    return reader->position;
}

static int on_close(thandle_t handle) {
    (void)handle;
    return 0;
}

static toff_t on_size(thandle_t handle) { return ((struct reader *)handle)->count; }

// The library takes the bytes where they are: it maps files for reading alone, and never writes to what is mapped. Where it
// copies them, it refuses uncompressed tiles whose size is no multiple of 1,024 bytes (libtiff 4.5.0).
static int on_map(thandle_t handle, void **base, toff_t *size) {
    const struct reader *reader = handle;
    *base = (void *)(uintptr_t)reader->bytes;
    *size = reader->count;
    return 1;
}

static void on_unmap(thandle_t handle, void *base, toff_t size) {
    (void)handle;
    (void)base;
    (void)size;
}

static int on_error(TIFF *tiff, void *data, const char *module, const char *format, va_list list) {
    (void)tiff;
    (void)module;
    struct reader *reader = data;
    // The first one says what is wrong.
    if (reader->image->message[0] == 0)
        vsnprintf(reader->image->message, sizeof reader->image->message, format, list);
    return 1;
}

static int on_warning(TIFF *tiff, void *data, const char *module, const char *format, va_list list) {
    (void)tiff;
    (void)data;
    (void)module;
    (void)format;
    (void)list;
    return 1;
}

static enum cimage_status refuse(struct reader *reader, enum cimage_status status, const char *text) {
    return cimage_refuse(reader->image, status, text);
}

static enum cimage_status damaged(struct reader *reader) {
    if (reader->image->message[0] == 0) return refuse(reader, CIMAGE_DAMAGED, "it cannot be read");
    return CIMAGE_DAMAGED;
}

static int open_tiff(struct reader *reader, tmsize_t largest) {
    TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
    if (options == NULL) return 0;
    TIFFOpenOptionsSetMaxSingleMemAlloc(options, largest);
    TIFFOpenOptionsSetErrorHandlerExtR(options, on_error, reader);
    TIFFOpenOptionsSetWarningHandlerExtR(options, on_warning, reader);
    // No headers of the kind that are read when they are asked for (O).
    reader->position = 0;
    reader->tiff = TIFFClientOpenExt(
        "image", "r", reader, on_read, on_write, on_seek, on_close, on_size, on_map, on_unmap, options);
    TIFFOpenOptionsFree(options);
    return reader->tiff != NULL;
}

static const char *refused_compression(uint16_t compression) {
    switch (compression) {
    case COMPRESSION_NONE:
    case COMPRESSION_CCITTRLE:
    case COMPRESSION_CCITTFAX3:
    case COMPRESSION_CCITTFAX4:
    case COMPRESSION_LZW:
    case COMPRESSION_JPEG:
    case COMPRESSION_ADOBE_DEFLATE:
    case COMPRESSION_DEFLATE:
    case COMPRESSION_PACKBITS: return NULL;
    default: return "its compression is none of LZW, Deflate, JPEG, PackBits and CCITT";
    }
}

/// Colours, depth and kind.
static enum cimage_status read_kind(struct reader *reader) {
    TIFF *tiff = reader->tiff;
    struct cimage *image = reader->image;
    uint16_t photometric = 0, samples = 1, depth = 1, format = SAMPLEFORMAT_UINT, compression = 1;
    uint32_t kind = 0;
    TIFFGetFieldDefaulted(tiff, TIFFTAG_SUBFILETYPE, &kind);
    if ((kind & (FILETYPE_REDUCEDIMAGE | FILETYPE_MASK)) != 0)
        return refuse(
            reader, CIMAGE_UNSUPPORTED, "its first page is a preview or a mask, as in a camera's raw file");
    TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLESPERPIXEL, &samples);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_BITSPERSAMPLE, &depth);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLEFORMAT, &format);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_COMPRESSION, &compression);
    const char *refused = refused_compression(compression);
    if (refused != NULL) return refuse(reader, CIMAGE_UNSUPPORTED, refused);
    if (format != SAMPLEFORMAT_UINT && format != SAMPLEFORMAT_VOID)
        return refuse(reader, CIMAGE_UNSUPPORTED, "its samples are no whole numbers without a sign");
    if (!TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &photometric))
        return refuse(reader, CIMAGE_UNSUPPORTED, "it does not say what its samples mean");
    if (depth != 1 && depth != 2 && depth != 4 && depth != 8 && depth != 16)
        return refuse(reader, CIMAGE_UNSUPPORTED, "its samples have none of 1, 2, 4, 8 and 16 bits");
    if (samples == 0) return refuse(reader, CIMAGE_DAMAGED, "it has no samples");
    image->depth = depth;
    image->channels = 3;
    switch (photometric) {
    case PHOTOMETRIC_MINISWHITE:
    case PHOTOMETRIC_MINISBLACK: image->channels = 1; break;
    case PHOTOMETRIC_RGB:
    case PHOTOMETRIC_YCBCR: break;
    case PHOTOMETRIC_PALETTE: image->has_palette = 1; break;
    case PHOTOMETRIC_SEPARATED: image->is_cmyk = 1; break;
    default:
        return refuse(reader, CIMAGE_UNSUPPORTED, "its colours are none of grey, RGB, YCbCr, CMYK and a palette");
    }
    // Its colours and an alpha channel: what a strip takes is bounded by them.
    const int colours = image->channels == 1 || image->has_palette ? 1 : image->is_cmyk ? 4 : 3;
    if (samples > colours + 1)
        return refuse(reader, CIMAGE_UNSUPPORTED, "it has further samples beside its colours and an alpha channel");
    return CIMAGE_OK;
}

/// TIFFRGBAImage multiplies colours by an alpha channel that is not associated. The values as they are stored are
/// wanted: to the library it is an associated one.
static void keep_colours(struct reader *reader) {
    uint16_t count = 0, *kinds = NULL;
    if (!TIFFGetField(reader->tiff, TIFFTAG_EXTRASAMPLES, &count, &kinds) || count == 0 || count > 8) return;
    uint16_t changed[8];
    for (uint16_t i = 0; i < count; i++) {
        changed[i] = kinds[i] == EXTRASAMPLE_UNASSALPHA ? EXTRASAMPLE_ASSOCALPHA : kinds[i];
        if (changed[i] != EXTRASAMPLE_UNSPECIFIED) reader->image->has_alpha = 1;
    }
    TIFFSetField(reader->tiff, TIFFTAG_EXTRASAMPLES, count, changed);
}

/// Tiles, all of which are unpacked, may lie outside an image for the most part, and all at one place of the file.
static int unpacks_too_much(TIFF *tiff, size_t area) {
    if (!TIFFIsTiled(tiff)) return 0;
    const uint64_t tiles = TIFFNumberOfTiles(tiff), size = TIFFTileSize64(tiff);
    const uint64_t most = (uint64_t)area * 64 + FREE_ALLOCATION;
    return size != 0 && tiles > most / size;
}

// Grey of 16 bits: the nearest 8-bit value, as for colour and for PNG. The library's own routine takes the upper byte. It is
// called with strips and tiles, whose rows hold `skip` pixels more than are wanted, in the machine's byte order.
static void put_wide_grey(
    TIFFRGBAImage *rgba, uint32_t *out, uint32_t x, uint32_t y, uint32_t width, uint32_t height, int32_t skip,
    int32_t out_skip, unsigned char *bytes) {
    (void)x;
    (void)y;
    const size_t step = sizeof(uint16_t) * rgba->samplesperpixel;
    for (uint32_t row = 0; row < height; row++) {
        for (uint32_t column = 0; column < width; column++) {
            uint16_t sample;
            memcpy(&sample, bytes, sizeof sample);
            bytes += step;
            uint32_t grey = (sample + 128u) / 257u;
            if (rgba->photometric == PHOTOMETRIC_MINISWHITE) grey = 255 - grey;
            *out++ = 0xFF000000u | grey << 16 | grey << 8 | grey;
        }
        bytes += (ptrdiff_t)skip * (ptrdiff_t)step;
        out += out_skip;
    }
}

static enum cimage_status read_pixels(
    struct reader *reader, const struct cimage *expected, uint8_t *pixels) {
    struct cimage *image = reader->image;
    keep_colours(reader);
    char text[1024] = "";
    TIFFRGBAImage rgba;
    memset(&rgba, 0, sizeof rgba);
    // The library passes over it there, as if nothing were transparent.
    if (image->has_alpha && (image->has_palette || (image->channels == 1 && image->depth == 16)))
        return refuse(
            reader, CIMAGE_UNSUPPORTED, "it has an alpha channel beside a palette or beside grey of 16 bits");
    if (!TIFFRGBAImageOK(reader->tiff, text) || !TIFFRGBAImageBegin(&rgba, reader->tiff, 1, text)) {
        image->message[0] = 0;
        return refuse(reader, CIMAGE_UNSUPPORTED, text[0] != 0 ? text : "its pixels have an unknown layout");
    }
    if (image->channels == 1 && image->depth == 16 && rgba.isContig) rgba.put.contig = put_wide_grey;
    // As they are stored; who reads it turns it.
    rgba.orientation = ORIENTATION_TOPLEFT;
    rgba.req_orientation = ORIENTATION_TOPLEFT;
    const size_t area = (size_t)image->width * image->height;
    uint32_t *raster = malloc(area * sizeof *raster);
    enum cimage_status status = CIMAGE_OK;
    if (unpacks_too_much(reader->tiff, area)) {
        status = refuse(reader, CIMAGE_DAMAGED, "its tiles reach far beyond the image");
    } else if (raster == NULL) {
        status = refuse(reader, CIMAGE_NO_MEMORY, "no memory left");
    } else if (!TIFFRGBAImageGet(&rgba, raster, image->width, image->height)) {
        status = damaged(reader);
    } else {
        // A value has alpha, blue, green, red from the highest byte: on a little-endian machine, R G B A in memory.
        status = cimage_take_rgba(image, expected, (const uint8_t *)raster, pixels);
    }
    TIFFRGBAImageEnd(&rgba);
    free(raster);
    return status;
}

enum cimage_status ctiff_read(
    const uint8_t *bytes, size_t count, uint32_t maximum_side, struct cimage *image, uint8_t *pixels,
    size_t capacity) {
    const struct cimage expected = *image;
    memset(image, 0, sizeof *image);
    struct reader reader = {.bytes = bytes, .count = count, .image = image};
    size_t largest = FREE_ALLOCATION;
    if (pixels != NULL) largest += (size_t)expected.width * expected.height * 16;
    if (!open_tiff(&reader, (tmsize_t)largest)) return damaged(&reader);
    enum cimage_status status = CIMAGE_OK;
    if (!TIFFGetField(reader.tiff, TIFFTAG_IMAGEWIDTH, &image->width)
        || !TIFFGetField(reader.tiff, TIFFTAG_IMAGELENGTH, &image->height))
        status = refuse(&reader, CIMAGE_DAMAGED, "it does not say its size");
    if (status == CIMAGE_OK) status = read_kind(&reader);
    if (status == CIMAGE_OK) status = cimage_check_sides(image, maximum_side);
    image->has_more = status == CIMAGE_OK && !TIFFLastDirectory(reader.tiff);
    if (status == CIMAGE_OK && pixels != NULL) {
        status = cimage_check_expected(image, &expected, pixels, capacity);
        if (status == CIMAGE_OK) status = read_pixels(&reader, &expected, pixels);
    }
    TIFFClose(reader.tiff);
    if (status == CIMAGE_OK) image->message[0] = 0;
    return status;
}
