"""Has onnxruntime's own quantize_static make int8 models of test/toolchain/quantize/golden/bottleneck.onnx.

Run once, not by the tests (onnx 1.23.2, onnxruntime 1.32.0, numpy):
    python test/engine/make-goldens.py
"""
import pathlib

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

folder = pathlib.Path(__file__).parent / "golden"
quantize = pathlib.Path(__file__).parent.parent / "toolchain" / "quantize" / "golden"
images = np.fromfile(quantize / "images.f32", dtype=np.float32).reshape(-1, 1, 3, 32, 32)


class Images(CalibrationDataReader):
    def __init__(self):
        self.rest = iter(images)

    def get_next(self):
        image = next(self.rest, None)
        return None if image is None else {"data": image}


U8, S8 = QuantType.QUInt8, QuantType.QInt8
QDQ, QOPERATOR = QuantFormat.QDQ, QuantFormat.QOperator
KINDS = {
    "per-channel": (QDQ, True, U8, S8),
    "per-tensor": (QDQ, False, U8, S8),
    # onnxruntime's defaults
    "s8s8": (QDQ, False, S8, S8),
    "s8s8-per-channel": (QDQ, True, S8, S8),
    "u8u8": (QDQ, False, U8, U8),
    "qoperator": (QOPERATOR, True, U8, S8),
}

for name, (quant_format, per_channel, activations, weights) in KINDS.items():
    source = onnx.load(quantize / "bottleneck.onnx")
    for size, label in ((source.graph.input[0].type.tensor_type.shape.dim[i], f"size{i}") for i in (0, 2, 3)):
        size.dim_param = label
    onnx.save(source, folder / "source.onnx")
    quantize_static(
        str(folder / "source.onnx"),
        str(folder / f"quantize-static-{name}.onnx"),
        Images(),
        quant_format=quant_format,
        per_channel=per_channel,
        activation_type=activations,
        weight_type=weights,
        extra_options={"OpTypesToExcludeOutputQuantization": ["Gemm"]} if quant_format == QDQ else {},
    )
    (folder / "source.onnx").unlink()
