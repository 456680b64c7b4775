#!/bin/sh
# Guess: Image.open gives the same pixels of a file whether it is given the name or an open stream.
# True (Pillow 13.0.0): not for an uncompressed grey TIFF whose orientation tag is 6 and whose sides
# differ. From a stream 8 by 16 pixels come turned, 16 by 8. By name they come as 8 by 16: rows were
# cut at the wrong length before they were turned.
. "$(dirname "$0")/_with.sh"
run_with pillow==13.0.0 numpy==2.4.6 <<'PROGRAM'
import os
import tempfile

import numpy as np
from PIL import Image

pixels = np.arange(8 * 16, dtype=np.uint8).reshape(8, 16)
path = os.path.join(tempfile.mkdtemp(), "turned.tif")
Image.fromarray(pixels).save(path, tiffinfo={274: 6})  # the first column is the last row
by_name = np.asarray(Image.open(path))
with open(path, "rb") as stream:
    from_stream = np.asarray(Image.open(stream))
print("by name", by_name.shape, "from a stream", from_stream.shape)
assert np.array_equal(from_stream, np.rot90(pixels, -1))
assert by_name.shape == (8, 16)
PROGRAM
