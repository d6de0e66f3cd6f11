"""Writes damaged JPEGs into a folder: `npm run compare:pillow` then compares how they are shown. The same files each time.

    python make-damaged-jpegs.py DIR [COUNT]
"""
import io
import os
import random
import sys

from PIL import Image

HERE = os.path.dirname(os.path.abspath(__file__))
PHOTO = os.path.join(HERE, '..', 'golden', 'cat.jpg')
KINDS = [{'quality': 85}, {'quality': 60, 'subsampling': 0}, {'quality': 90, 'restart_marker_rows': 1},
         {'quality': 80, 'restart_marker_blocks': 3}, {'quality': 80, 'progressive': True},
         {'quality': 70, 'progressive': True, 'subsampling': 0},
         {'quality': 80, 'progressive': True, 'restart_marker_rows': 1}]


def encode(photo, size, options):
    out = io.BytesIO()
    photo.resize(size).save(out, 'JPEG', **options)
    return out.getvalue()


def damage(jpeg, rng):
    """One to four changes of one kind behind the header of the first scan."""
    data = bytearray(jpeg)
    scan = data.index(b'\xff\xda')
    start = scan + 2 + (data[scan + 2] << 8 | data[scan + 3])
    kind = rng.choice(['bit', 'bit', 'byte', 'end', 'restart', 'lost', 'doubled', 'marker', 'zeros'])
    for _ in range(rng.choice([1, 1, 1, 2, 4])):
        at = rng.randrange(start, len(data) - 12)
        if kind == 'bit':
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 'byte':
            data[at] = rng.randrange(256)
        elif kind == 'end':
            data[at:at + 2] = b'\xff\xd9'
        elif kind == 'restart':
            move_restart(data, start, at, rng)
        elif kind == 'lost':
            del data[at:at + rng.choice([1, 2, 10, 100])]
        elif kind == 'doubled':
            data[at:at] = data[at:at + rng.choice([1, 2, 10])]
        elif kind == 'marker':
            data[at] = 0xff
        else:
            data[at:at + 8] = bytes(8)
    return bytes(data)


def move_restart(data, start, at, rng):
    """Removes a restart marker or gives it another number; in a file without any, one is put at `at`."""
    markers = [i for i in range(start, len(data) - 2) if data[i] == 0xff and 0xd0 <= data[i + 1] <= 0xd7]
    if not markers:
        data[at:at + 2] = bytes([0xff, 0xd0 + rng.randrange(8)])
        return
    marker, by = rng.choice(markers), rng.choice([None, 1, 4, 7])
    if by is None:
        del data[marker:marker + 2]
    else:
        data[marker + 1] = 0xd0 + (data[marker + 1] - 0xd0 + by & 7)


if __name__ == '__main__':
    folder, count = sys.argv[1], int((sys.argv + ['4500'])[2])
    os.makedirs(folder, exist_ok=True)
    photo, rng = Image.open(PHOTO).convert('RGB'), random.Random(1)
    sound = [encode(photo, size, options) for options in KINDS for size in ((320, 213), (97, 130))]
    sound.append(encode(photo.convert('L'), (200, 200), {}))
    for i in range(count):
        with open(os.path.join(folder, f'{i:05}.jpg'), 'wb') as file:
            file.write(damage(rng.choice(sound), rng))
