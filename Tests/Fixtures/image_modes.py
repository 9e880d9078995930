#!/usr/bin/env python3
"""Images of every mode and orientation that Pillow writes, and what it makes of them.

    image_modes.py DIR
"""
import io
import pathlib
import struct
import sys
import tarfile

import numpy as np
from PIL import Image, ImageOps

HEIGHT, WIDTH = 17, 24


def tar(path, files):
    with tarfile.open(path, "w") as archive:
        for name, content in files:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


def encoded(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def opened(content):
    return Image.open(io.BytesIO(content))


def smooth(channels, seed):
    """Gradients, which JPEG keeps well."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    planes = [(x * (5 + seed + c) + y * (7 - c) + 40 * c) % 256 for c in range(channels)]
    return np.stack(planes, -1).astype(np.uint8).squeeze()


def modes(out):
    colour = [Image.fromarray(smooth(4, seed), "CMYK") for seed in range(4)]
    cmyk = [encoded(image, "JPEG", quality=95) for image in colour]
    cmyk.append(encoded(colour[0], "JPEG", quality=90, progressive=True))
    # Without Adobe's mark, and with its mark for YCCK.
    mark = cmyk[1].index(b"\xff\xee")
    cmyk.append(cmyk[1][:mark] + cmyk[1][mark + 2 + int.from_bytes(cmyk[1][mark + 2:mark + 4], "big"):])
    cmyk.append(cmyk[2][:mark + 15] + b"\x02" + cmyk[2][mark + 16:])
    rgb = Image.fromarray(smooth(3, 1), "RGB")
    alpha = Image.fromarray(smooth(4, 2), "RGBA")
    palette = rgb.quantize(16)
    transparent = rgb.quantize(8)
    transparent.info["transparency"] = 3
    grey = Image.fromarray(smooth(1, 3), "L")
    pngs = [rgb, alpha, palette, transparent, grey, grey.convert("1"),
            Image.merge("LA", [grey, Image.fromarray(smooth(1, 9), "L")])]
    files = {"cmyk": cmyk, "png": [encoded(image, "PNG") for image in pngs]}
    for name, contents in files.items():
        tar(out / f"{name}.tar", [(f"{'ab'[i % 2]}/{i}.x", content) for i, content in enumerate(contents)])
        (out / f"{name}.bin").write_bytes(b"".join(opened(content).convert("RGB").tobytes() for content in contents))


def formats(out):
    """WebP, BMP, TIFF and GIF. What is lossless is to be the same to the last bit."""
    rgb = Image.fromarray(smooth(3, 1), "RGB")
    rgba = Image.fromarray(smooth(4, 2), "RGBA")
    grey = Image.fromarray(smooth(1, 3), "L")
    bits = grey.convert("1")
    palette = rgb.quantize(16)
    other = Image.fromarray(smooth(3, 2), "RGB")
    clear = rgb.quantize(8)
    exact = {
        "webp": [encoded(rgb, "WEBP", lossless=True), encoded(rgba, "WEBP", lossless=True, exact=True),
                 encoded(rgb, "WEBP", lossless=True, save_all=True, append_images=[other])],
        "bmp": [encoded(image, "BMP") for image in (rgb, grey, palette, bits, rgba)],
        "tiff": [encoded(image, "TIFF") for image in (rgb, grey, palette, bits, rgba)]
        + [encoded(rgb, "TIFF", compression=kind) for kind in ("tiff_lzw", "tiff_adobe_deflate", "packbits")]
        + [encoded(bits, "TIFF", compression="group4"), encoded(rgb, "TIFF", save_all=True, append_images=[other])],
        "gif": [encoded(palette, "GIF"), encoded(grey, "GIF"), encoded(palette, "GIF", interlace=False),
                encoded(clear, "GIF", transparency=3), encoded(rgb, "GIF", save_all=True, append_images=[other])],
    }
    near = {
        "lossy": [encoded(rgb, "WEBP", quality=90), encoded(rgb, "TIFF", compression="jpeg"),
                  encoded(Image.fromarray(smooth(4, 1), "CMYK"), "TIFF")],
    }
    for name, contents in (exact | near).items():
        tar(out / f"{name}.tar", [(f"{'ab'[i % 2]}/{i}.x", content) for i, content in enumerate(contents)])
        (out / f"{name}.bin").write_bytes(b"".join(opened(content).convert("RGB").tobytes() for content in contents))


def tiled(samples, side=16):
    """A TIFF of grey of 16 bits in tiles, which Pillow doesn't write; big-endian."""
    height, width = samples.shape
    rows, columns = -(-height // side), -(-width // side)
    padded = np.zeros((rows * side, columns * side), np.uint16)
    padded[:height, :width] = samples
    tiles = [padded[r * side:(r + 1) * side, c * side:(c + 1) * side].astype(">u2").tobytes()
             for r in range(rows) for c in range(columns)]
    tags = [(256, 3, [width]), (257, 3, [height]), (258, 3, [16]), (259, 3, [1]), (262, 3, [1]), (277, 3, [1]),
            (322, 3, [side]), (323, 3, [side]), (324, 4, None), (325, 4, [len(tile) for tile in tiles])]
    start = 8 + 2 + 12 * len(tags) + 4
    body = start + 8 * len(tiles)
    offsets = [body + sum(map(len, tiles[:i])) for i in range(len(tiles))]
    entries, tail = b"", b""
    for tag, kind, values in tags:
        values = offsets if values is None else values
        packed = struct.pack(f">{len(values)}{'H' if kind == 3 else 'I'}", *values)
        if len(packed) > 4:
            place = struct.pack(">I", start + len(tail))
            tail += packed
        else:
            place = packed.ljust(4, b"\0")
        entries += struct.pack(">HHI", tag, kind, len(values)) + place
    return b"MM\0*" + struct.pack(">IH", 8, len(tags)) + entries + struct.pack(">I", 0) + tail + b"".join(tiles)


def wide(out):
    """Grey of 16 bits, which Pillow's convert("RGB") cuts at 255; scaled, as OpenCV and scikit-image do it."""
    rng = np.random.default_rng(2)
    samples = [rng.integers(0, 65536, (HEIGHT, WIDTH)).astype(np.uint16) for _ in range(5)]
    samples[0].flat[:6] = [0, 127, 128, 129, 65406, 65535]
    images = [Image.fromarray(one) for one in samples]
    white = bytearray(encoded(images[2], "TIFF"))
    place = white.index(struct.pack("<HHIH", 262, 3, 1, 1))
    white[place + 8] = 0
    contents = [encoded(images[0], "TIFF"), encoded(images[1], "TIFF", compression="tiff_lzw"), bytes(white),
                tiled(samples[3]), encoded(images[4], "PNG")]
    samples[2] = 65535 - samples[2]
    assert opened(contents[3]).size == (WIDTH, HEIGHT)
    assert (np.asarray(opened(contents[3])) == samples[3]).all()
    tar(out / "wide.tar", [(f"{'ab'[i % 2]}/{i}.x", content) for i, content in enumerate(contents)])
    pixels = [((one.astype(np.uint32) + 128) // 257).astype(np.uint8) for one in samples]
    (out / "wide.bin").write_bytes(b"".join(one.tobytes() for one in pixels))


def large(out):
    """Photos of many times the wanted size, one turned by its orientation."""
    rng = np.random.default_rng(1)
    files, pixels = [], b""
    for index, (width, height) in enumerate([(1209, 907), (907, 1209), (1600, 1200), (1201, 900)]):
        base = Image.fromarray(rng.integers(0, 256, (9, 12, 3), dtype=np.uint8)).resize((width, height), Image.BICUBIC)
        noise = rng.integers(-20, 21, (height, width, 3))
        picture = Image.fromarray(np.clip(np.asarray(base) + noise, 0, 255).astype(np.uint8))
        options = {}
        if index == 3:
            exif = Image.Exif()
            exif[0x0112] = 6
            options["exif"] = exif
        content = encoded(picture, "JPEG", quality=90, progressive=index == 2, **options)
        files.append((f"{'ab'[index % 2]}/{index}.jpg", content))
        upright = ImageOps.exif_transpose(opened(content)).convert("RGB")
        pixels += upright.resize((32, 32), Image.BILINEAR).tobytes()
    tar(out / "large.tar", files)
    (out / "large.bin").write_bytes(pixels)


def orientations(out):
    image = Image.fromarray(smooth(3, 1), "RGB")
    square = image.resize((20, 20))
    for name, picture in [("turned", square), ("upright", image)]:
        files = []
        for value in range(0, 10):
            exif = Image.Exif()
            exif[0x010F] = "a maker's name"
            exif[0x0112] = value
            data = exif.tobytes()
            if value % 2:
                # Another byte order.
                big = Image.Exif()
                big.endian = ">"
                big[0x0112] = value
                data = big.tobytes()
            files.append((f"a/{value}.jpg", encoded(picture, "JPEG", quality=95, exif=data)))
            files.append((f"b/{value}.png", encoded(picture, "PNG", exif=data)))
        tar(out / f"{name}.tar", files)
        if name == "turned":
            packaged(out, files)
        (out / f"{name}-stored.bin").write_bytes(
            b"".join(opened(content).convert("RGB").tobytes() for _, content in files))
        fitted = [ImageOps.exif_transpose(opened(content)).convert("RGB") for _, content in files]
        (out / f"{name}-upright.bin").write_bytes(b"".join(image.tobytes() for image in fitted))
        (out / f"{name}-cropped.bin").write_bytes(
            b"".join(centre(image, 8).tobytes() for image in fitted))


def packaged(out, files):
    """The same images in a WebDataset and in Parquet, where an image lies among other bytes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    parts = []
    for path, content in files:
        label, name = path.split("/")
        value, kind = name.split(".")
        parts += [(f"{value}-{kind}.{kind}", content), (f"{value}-{kind}.cls", label.encode())]
    tar(out / "turned-webdataset.tar", parts)
    cells = [{"bytes": content, "path": path} for path, content in files]
    labels = [path[0] for path, _ in files]
    pq.write_table(pa.table({"image": cells, "label": labels}), out / "turned.parquet")


def centre(image, side):
    """torchvision's CenterCrop."""
    top, left = round((image.height - side) / 2), round((image.width - side) / 2)
    return image.crop((left, top, left + side, top + side))


if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    modes(folder)
    formats(folder)
    wide(folder)
    large(folder)
    orientations(folder)
