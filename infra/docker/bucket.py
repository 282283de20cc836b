"""Makes the bucket of the containers: `python -m infra.docker.bucket URL BUCKET`."""

import sys

from infra.local.object_storage import make_bucket

if __name__ == "__main__":
    make_bucket(*sys.argv[1:])
