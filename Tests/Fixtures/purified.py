"""What PyTorch makes of a purified model.

    python purified.py MODEL IMAGES OUT

MODEL is loaded with torch.export.load. IMAGES holds one folder per class. Writes the first 64 images
(OUT/images.f32) and their logits (OUT/logits.f32) as little-endian float32, and prints the accuracy on all images.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image

model, images, out = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
module = torch.export.load(model).module()
classes = sorted(folder.name for folder in images.iterdir())
files = sorted(images.glob("*/*.png"))
labels = torch.tensor([classes.index(file.parent.name) for file in files])
pixels = np.stack([np.asarray(Image.open(file).convert("RGB")) for file in files])
batch = torch.from_numpy(pixels).permute(0, 3, 1, 2).float().contiguous() / 255
with torch.no_grad():
    logits = torch.cat([module(part) for part in batch.split(256)])
    some = module(batch[:64])
batch[:64].numpy().astype("<f4").tofile(out / "images.f32")
some.numpy().astype("<f4").tofile(out / "logits.f32")
print((logits.argmax(1) == labels).double().mean().item())
