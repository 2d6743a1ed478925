"""Makes hf.parquet: nine generated images of three classes, written by the `datasets` library.

    python crates/rut-data/tests/parquet/hf.py

Made with datasets 5.2.0, pyarrow 26.0.1 and Pillow 13.0.0. Image k is 4 pixels wide, 3 high, and 20 k everywhere; its label is k mod 3.
"""

from pathlib import Path

import numpy as np
from datasets import ClassLabel, Dataset, Features, Image
from PIL import Image as Picture

images = [Picture.fromarray(np.full((3, 4, 3), 20 * k, np.uint8)) for k in range(9)]
features = Features({"image": Image(), "label": ClassLabel(names=["cat", "dog", "bird"])})
data = Dataset.from_dict({"image": images, "label": [k % 3 for k in range(9)]}, features=features)
data.to_parquet(Path(__file__).with_suffix(".parquet"))
