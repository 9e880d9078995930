#include <stdlib.h>
#include <string.h>
#include <webp/decode.h>
#include <webp/demux.h>

#include "../shared.h"

/// The bytes of one image: of a file that is none of an animation, all.
struct part {
    const uint8_t *bytes;
    size_t count;
};

static enum cimage_status refuse_status(struct cimage *image, VP8StatusCode status) {
    switch (status) {
    case VP8_STATUS_OUT_OF_MEMORY: return cimage_refuse(image, CIMAGE_NO_MEMORY, "no memory left");
    case VP8_STATUS_UNSUPPORTED_FEATURE:
        return cimage_refuse(image, CIMAGE_UNSUPPORTED, "it uses a feature that libwebp does not know");
    case VP8_STATUS_NOT_ENOUGH_DATA:
    case VP8_STATUS_SUSPENDED: return cimage_refuse(image, CIMAGE_DAMAGED, "the file ends too early");
    default: return cimage_refuse(image, CIMAGE_DAMAGED, "the bitstream is damaged");
    }
}

/// The first image of an animation, where it covers the whole canvas.
static enum cimage_status first_frame(
    struct cimage *image, const uint8_t *bytes, size_t count, WebPDemuxer **demuxer, struct part *part) {
    const WebPData data = {bytes, count};
    *demuxer = WebPDemux(&data);
    WebPIterator frame;
    memset(&frame, 0, sizeof frame);
    if (*demuxer == NULL || !WebPDemuxGetFrame(*demuxer, 1, &frame))
        return cimage_refuse(image, CIMAGE_DAMAGED, "its animation is damaged");
    const int is_whole = frame.x_offset == 0 && frame.y_offset == 0 && frame.complete
        && (uint32_t)frame.width == image->width && (uint32_t)frame.height == image->height;
    *part = (struct part){frame.fragment.bytes, frame.fragment.size};
    image->has_more = frame.num_frames > 1;
    WebPDemuxReleaseIterator(&frame);
    return is_whole ? CIMAGE_OK
                    : cimage_refuse(image, CIMAGE_UNSUPPORTED, "its first frame does not cover the image");
}

static enum cimage_status read_pixels(
    struct part part, struct cimage *image, const struct cimage *expected, uint8_t *pixels) {
    WebPDecoderConfig config;
    if (!WebPInitDecoderConfig(&config))
        return cimage_refuse(image, CIMAGE_NO_MEMORY, "libwebp has another version");
    const VP8StatusCode found = WebPGetFeatures(part.bytes, part.count, &config.input);
    if (found != VP8_STATUS_OK) return refuse_status(image, found);
    if (config.input.has_animation || (uint32_t)config.input.width != image->width
        || (uint32_t)config.input.height != image->height)
        return cimage_refuse(image, CIMAGE_DAMAGED, "its headers say different sizes");
    image->has_alpha = config.input.has_alpha;
    const size_t channels = image->has_alpha ? 4 : 3;
    const size_t stride = (size_t)image->width * channels;
    uint8_t *target = pixels;
    if (image->has_alpha) {
        target = malloc(stride * image->height);
        if (target == NULL) return cimage_refuse(image, CIMAGE_NO_MEMORY, "no memory left");
    }
    config.output.colorspace = image->has_alpha ? MODE_RGBA : MODE_RGB;
    config.output.is_external_memory = 1;
    config.output.u.RGBA.rgba = target;
    config.output.u.RGBA.stride = (int)stride;
    config.output.u.RGBA.size = stride * image->height;
    const VP8StatusCode decoded = WebPDecode(part.bytes, part.count, &config);
    WebPFreeDecBuffer(&config.output);
    enum cimage_status status = CIMAGE_OK;
    if (decoded != VP8_STATUS_OK) {
        status = refuse_status(image, decoded);
    } else if (image->has_alpha) {
        status = cimage_take_rgba(image, expected, target, pixels);
    }
    if (target != pixels) free(target);
    return status;
}

enum cimage_status cwebp_read(
    const uint8_t *bytes, size_t count, uint32_t maximum_side, struct cimage *image, uint8_t *pixels,
    size_t capacity) {
    const struct cimage expected = *image;
    memset(image, 0, sizeof *image);
    WebPBitstreamFeatures features;
    const VP8StatusCode found = WebPGetFeatures(bytes, count, &features);
    if (found != VP8_STATUS_OK) return refuse_status(image, found);
    // Sides have 14 bits, those of an animation 24.
    image->height = (uint32_t)features.height;
    image->width = (uint32_t)features.width;
    image->channels = 3;
    image->depth = 8;
    enum cimage_status status = cimage_check_sides(image, maximum_side);
    WebPDemuxer *demuxer = NULL;
    struct part part = {bytes, count};
    if (status == CIMAGE_OK && features.has_animation)
        status = first_frame(image, bytes, count, &demuxer, &part);
    if (status == CIMAGE_OK && pixels != NULL) {
        status = cimage_check_expected(image, &expected, pixels, capacity);
        if (status == CIMAGE_OK) status = read_pixels(part, image, &expected, pixels);
    }
    WebPDemuxDelete(demuxer);
    return status;
}
