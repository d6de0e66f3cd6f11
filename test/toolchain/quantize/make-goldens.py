"""Has onnxruntime's own quantize_static quantize golden/bottleneck.onnx, and keeps what it chose.

Run once, not by the tests (onnx 1.23.2, onnxruntime 1.32.0, numpy 2.4.6):
    node test/toolchain/quantize/write-golden-source.ts && python test/toolchain/quantize/make-goldens.py
"""
import base64
import json
import pathlib
import tempfile

import numpy as np
import onnx
from onnx import numpy_helper
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static

folder = pathlib.Path(__file__).parent / "golden"
images = np.fromfile(folder / "images.f32", dtype=np.float32).reshape(-1, 1, 3, 32, 32)


class Images(CalibrationDataReader):
    def __init__(self):
        self.rest = iter(images)

    def get_next(self):
        image = next(self.rest, None)
        return None if image is None else {"data": image}


def quantize(method, **options):
    with tempfile.TemporaryDirectory() as scratch:
        path = pathlib.Path(scratch) / "int8.onnx"
        quantize_static(
            str(folder / "bottleneck.onnx"),
            str(path),
            Images(),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=method,
            extra_options={"OpTypesToExcludeOutputQuantization": ["Gemm"], **options},
        )
        return onnx.load(path).graph


def to_golden(graph):
    constants = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
    activations, weights = {}, {}
    for node in graph.node:
        if node.op_type == "QuantizeLinear":
            name = node.input[1].removesuffix("_scale")
            activations[name] = [float(constants[node.input[1]]), int(constants[node.input[2]])]
        elif node.op_type == "DequantizeLinear" and node.input[0] in constants:
            name = node.output[0].removesuffix("_DequantizeLinear_Output")
            values = constants[node.input[0]]
            weights[name] = {
                "values": base64.b64encode(values.tobytes()).decode(),
                "scales": base64.b64encode(constants[node.input[1]].astype(np.float32).tobytes()).decode(),
            }
    return {"activations": activations, "constants": weights}


goldens = {
    "minmax": to_golden(quantize(CalibrationMethod.MinMax)),
    # So few values that the default 99.999 would cut none.
    "percentile99": {
        "activations": to_golden(quantize(CalibrationMethod.Percentile, CalibPercentile=99.0, CalibTensorRangeSymmetric=False))["activations"]
    },
}
(folder / "quantize-static.json").write_text(json.dumps(goldens, indent=1) + "\n")
