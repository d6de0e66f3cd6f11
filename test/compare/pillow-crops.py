"""Prints, for each file of a folder, the SHA-256 of the crop that Pillow makes: a line of JSON a file.

    python pillow-crops.py DIR
"""
import hashlib
import io
import json
import os
import sys
import warnings

from PIL import Image, ImageOps

warnings.simplefilter('ignore')
Image.MAX_IMAGE_PIXELS = None
# What the service takes; Pillow would take gigabytes.
MAX_PIXELS = 64 * 2**20
MAX_BYTES = 20 * 2**20
try:
    import pillow_heif
    pillow_heif.register_heif_opener()
except ImportError:
    pass


def crop(path):
    data = open(path, 'rb').read()
    if len(data) > MAX_BYTES:
        return {'error': 'larger than a body may be'}
    with Image.open(io.BytesIO(data)) as image:
        if image.size[0] * image.size[1] > MAX_PIXELS:
            return {'error': 'more pixels than are taken'}
        kind = image.format
        image.load()
        image = ImageOps.exif_transpose(image).convert('RGB')
    width, height = image.size
    size = (256, int(256 * height / width)) if width <= height else (int(256 * width / height), 256)
    image = image.resize(size, Image.BILINEAR)
    left, top = (int(round((side - 224) / 2.0)) for side in size)
    pixels = image.crop((left, top, left + 224, top + 224)).tobytes()
    return {'sha256': hashlib.sha256(pixels).hexdigest(), 'format': kind}


for folder, _, names in os.walk(sys.argv[1]):
    for name in sorted(names):
        path = os.path.join(folder, name)
        try:
            found = crop(path)
        except Exception as error:  # Whatever Pillow throws is its answer.
            found = {'error': f'{type(error).__name__}: {error}'[:150]}
        print(json.dumps({'path': path, **found}), flush=True)
