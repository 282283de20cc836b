"""The functions, a package each: what AWS Lambda and an ASGI server run is in its `handler`."""

import gc
import sys

if "awslambdaric" in sys.modules:
    # What a start loads stays. To look through all of it for garbage, again and again while it grows, is a
    # tenth of a cold start; `shared.app` has it collected again when the function has started.
    gc.disable()
