"""Draws the README's chart: `RESULTS.json CHART.svg`."""

import json
import sys
from pathlib import Path

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams["svg.hashsalt"] = "passepartout"

from matplotlib import pyplot  # noqa: E402

CASES = ("JPEG 12 MP → JPEG", "JPEG 2 MP → JPEG", "PNG 4 MP → PNG", "PNG 4 MP → JPEG", "WebP 4 MP → WebP")
ENGINES = {
    "Passepartout": "#1f6f4a",
    "sharp, fastShrinkOnLoad: false": "#7aa6c2",
    "pyvips": "#a9c3d6",
    "thumbor": "#d9b48f",
    "plain Pillow": "#c9c9c9",
}
"""In the order that they are drawn in."""


def main(results: str, chart: str) -> None:
    kept = json.loads(Path(results).read_text())
    rows = kept["pictures"]["tables"][0]["rows"]
    cpu = {(row[0], row[1]): float(row[2]) for row in rows}
    engines = [engine for engine in ENGINES if (CASES[0], engine) in cpu]
    height = 0.8 / len(engines)
    figure, axes = pyplot.subplots(figsize=(8, 4.6), layout="constrained")
    for place, engine in enumerate(engines):
        values = [cpu[case, engine] for case in CASES]
        places = [index + place * height for index in range(len(CASES))]
        bars = axes.barh(places, values, height * 0.9, label=engine, color=ENGINES[engine])
        axes.bar_label(bars, fmt="%.0f", padding=3, fontsize=7)
    axes.set_yticks([index + 0.4 - height / 2 for index in range(len(CASES))], CASES)
    axes.invert_yaxis()
    axes.set_xlabel("CPU milliseconds a picture, to 800 px: less is better")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8, loc="lower right")
    figure.savefig(chart, metadata={"Date": None})


if __name__ == "__main__":
    main(*sys.argv[1:])
