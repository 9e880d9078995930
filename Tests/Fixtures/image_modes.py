#!/usr/bin/env python3
"""Images of every mode and orientation that Pillow writes, and what it makes of them.

    image_modes.py DIR
"""
import io
import pathlib
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
    orientations(folder)
