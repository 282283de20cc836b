"""How near pictures are to a reference: `REFERENCE PICTURE…`, and JSON to standard output."""

import json
import sys

import numpy
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio, structural_similarity


def fidelity(reference: str, picture: str) -> dict[str, float]:
    expected, actual = (numpy.asarray(Image.open(path).convert("RGB")) for path in (reference, picture))
    return {
        "psnr": float(peak_signal_noise_ratio(expected, actual)),
        "ssim": float(structural_similarity(expected, actual, channel_axis=2)),
    }


if __name__ == "__main__":
    print(json.dumps({picture: fidelity(sys.argv[1], picture) for picture in sys.argv[2:]}))
