"""Makes digests of what the preprocessing of other libraries gives for images of many sizes.

    python -m venv venv && venv/bin/pip install torch torchvision timm transformers pillow numpy
    venv/bin/pip install --no-deps --target sg super-gradients==3.7.1
    venv/bin/python test/golden/make-preprocess.py sg

SuperGradients' own requirements are too old to be installed beside the others, so its two steps are run from its
source file alone. The images are a formula, which test/golden/preprocess.test.ts has too.
"""
import ast
import hashlib
import json
import os
import sys
from importlib.metadata import version

import numpy as np
import timm
import torch
import torchvision
from PIL import Image
from torchvision.models import ResNet50_Weights
from transformers.models.convnext.image_processing_pil_convnext import ConvNextImageProcessorPil

HERE = os.path.dirname(os.path.abspath(__file__))
SIZES = [
    (224, 224), (256, 256), (257, 256), (259, 256), (261, 256), (263, 256), (256, 263), (265, 256), (333, 251),
    (251, 333), (500, 375), (375, 500), (640, 427), (427, 640), (401, 299), (300, 201), (201, 300), (97, 61),
    (64, 49), (320, 240), (1001, 667), (768, 513),
]
MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


def pattern(width, height):
    """Noise: HWC, a sample is bits 24 to 31 of a product of its coordinates."""
    y, x, channel = np.meshgrid(np.arange(height), np.arange(width), np.arange(3), indexing='ij')
    mixed = (x * 73_856_093 + y * 19_349_663 + channel * 83_492_791 + 1) % 2**32 * 2_654_435_761 % 2**32
    return (mixed >> 24).astype(np.uint8)


def super_gradients(folder):
    """Resize and CenterCrop of its default_imagenet_processing_params, without the rest of the package."""
    def functions(path, names):
        tree = ast.parse(open(os.path.join(folder, 'super_gradients/training', path)).read())
        found = {node.name: node for node in ast.walk(tree) if getattr(node, 'name', None) in names}
        for node in found.values():
            node.returns, node.decorator_list = None, []
            for argument in node.args.args:
                argument.annotation = None
        return found

    scope = {'np': np, 'Image': Image, 'RescaleMetadata': lambda **_: None}
    [rescale] = functions('transforms/utils.py', {'_rescale_image_with_pil'}).values()
    exec(compile(ast.Module([rescale], []), 'utils.py', 'exec'), scope)
    steps = []
    tree = ast.parse(open(os.path.join(folder, 'super_gradients/training/processing/processing.py')).read())
    for name in ('Resize', 'CenterCrop'):
        [step] = [node for node in tree.body if getattr(node, 'name', None) == name]
        [method] = [node for node in step.body if getattr(node, 'name', None) == 'preprocess_image']
        method.returns, method.name = None, f'preprocess_{name}'
        for argument in method.args.args:
            argument.annotation = None
        exec(compile(ast.Module([method], []), name, 'exec'), scope)
        steps.append(scope[method.name])
    resize, crop = steps

    def run(image):
        at = lambda size: type('Step', (), {'size': size})()
        resized, _ = resize(at(256), np.asarray(image))
        cropped, _ = crop(at(224), resized)
        pixels = cropped.astype(np.float32) / 255
        return ((pixels - np.array(MEAN, np.float32)) / np.array(STD, np.float32)).transpose(2, 0, 1)

    return run


def torchvision_weights(weights):
    transform = weights.transforms()
    return lambda image: transform(image).numpy()


def stretch():
    transform = torchvision.transforms.Compose([
        torchvision.transforms.Resize((224, 224)), torchvision.transforms.ToTensor(),
        torchvision.transforms.Normalize(MEAN, STD)])
    return lambda image: transform(image).numpy()


def timm_crop(crop_pct):
    transform = timm.data.create_transform(
        input_size=224, crop_pct=crop_pct, interpolation='bicubic', mean=MEAN, std=STD, is_training=False)
    return lambda image: transform(image).numpy()


def hugging_face():
    """The processor of microsoft/resnet-50: its preprocessor_config.json, as numbers."""
    processor = ConvNextImageProcessorPil(
        crop_pct=0.875, do_normalize=True, do_resize=True, image_mean=MEAN, image_std=STD, resample=3,
        size={'shortest_edge': 224})
    return lambda image: np.asarray(processor(image, return_tensors='np')['pixel_values'][0])


def digest(tensor):
    """The crop as bytes, HWC: a tensor's own digest would depend on the last bit of a division."""
    samples = np.rint((tensor.transpose(1, 2, 0).astype(np.float64) * STD + MEAN) * 255).astype(np.uint8)
    return hashlib.sha256(samples.tobytes()).hexdigest()


if __name__ == '__main__':
    recipes = {
        'torchvision-v1': torchvision_weights(ResNet50_Weights.IMAGENET1K_V1),
        'torchvision-v2': torchvision_weights(ResNet50_Weights.IMAGENET1K_V2),
        'timm-0.875': timm_crop(0.875),
        'timm-0.95': timm_crop(0.95),
        'timm-1.0': timm_crop(1.0),
        'hugging-face': hugging_face(),
        'stretch': stretch(),
        'super-gradients': super_gradients(sys.argv[1]),
    }
    made = {}
    for name, recipe in recipes.items():
        rows = []
        for width, height in SIZES:
            tensor = recipe(Image.fromarray(pattern(width, height)))
            assert tensor.shape == (3, 224, 224), (name, width, height, tensor.shape)
            corners = [float(tensor[c, y, x]) for c, y, x in ((0, 0, 0), (1, 111, 7), (2, 223, 223))]
            rows.append([width, height, digest(tensor), corners])
        made[name] = rows
    packages = ('torch', 'torchvision', 'timm', 'transformers', 'pillow')
    versions = {name: version(name) for name in packages} | {'super-gradients': '3.7.1'}
    with open(os.path.join(HERE, 'preprocess.json'), 'w') as file:
        recipes = ',\n'.join(
            f'    "{name}": [\n' + ',\n'.join('      ' + json.dumps(row) for row in rows) + '\n    ]'
            for name, rows in made.items())
        file.write(f'{{\n  "madeWith": {json.dumps(versions)},\n  "recipes": {{\n{recipes}\n  }}\n}}\n')
