"""Makes the permanent goldens of this folder: photos, and the crops Pillow makes of them.

    python make-goldens.py FOLDER_OF_SKIMAGE_DATA     (pip install pillow scikit-image)
    npm run goldens                                   (then: logits.json, by onnxruntime-node)

Photos, from scikit-image's data folder, all free to redistribute:
    cat     chelsea.png    Stefan van der Walt, CC0
    coffee  coffee.png     Rachel Michetti, CC0
    rocket  rocket.jpg     SpaceX, released to the public domain (CC0)
"""
import sys
from pathlib import Path
from PIL import Image

source = Path(sys.argv[1])
here = Path(__file__).parent


def crop(image):
    """torchvision's Resize(256) + CenterCrop(224) by Pillow's own resampler."""
    image = image.convert('RGB')
    w, h = image.size
    W, H = (256, int(256 * h / w)) if w < h else (int(256 * w / h), 256)
    t, l = int(round((H - 224) / 2.0)), int(round((W - 224) / 2.0))
    return image.resize((W, H), Image.BILINEAR).crop((l, t, l + 224, t + 224))


Image.open(source / 'chelsea.png').convert('RGB').save(here / 'cat.jpg', quality=88)
Image.open(source / 'coffee.png').convert('RGB').resize((480, 320), Image.LANCZOS).save(here / 'coffee.png')
(here / 'rocket.jpg').write_bytes((source / 'rocket.jpg').read_bytes())
Image.open(here / 'cat.jpg').save(here / 'cat.webp', quality=90)
Image.open(here / 'cat.jpg').save(here / 'cat.avif', quality=80)
for name in ('cat.jpg', 'coffee.png', 'rocket.jpg'):
    crop(Image.open(here / name)).save(here / f'{Path(name).stem}.crop.png', optimize=True)
