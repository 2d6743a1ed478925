"""Makes small tables as pyarrow writes them: one per way to encode pages, with images as structs or as plain bytes.

    python crates/rut-data/tests/parquet/codecs.py

Image k is a PGM of 4 x 3 pixels, 20 k everywhere; its label is k mod 2. zeros.parquet has six
pages of 60 MB of zeros. Made with pyarrow 26.0.1.
"""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

HERE = Path(__file__).parent
images = [b"P5 4 3 255\n" + bytes([20 * k] * 12) for k in range(8)]
labels = pa.array([k % 2 for k in range(8)], pa.int64())
struct = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
structs = pa.array([{"bytes": image, "path": None} for image in images], struct)
plain = pa.array(images, pa.binary())


def write(name, column, **how):
    table = pa.table({"image": column, "label": labels})
    pq.write_table(table, HERE / f"{name}.parquet", row_group_size=5, write_statistics=False, store_schema=False, **how)


for codec in ("none", "snappy", "gzip", "lz4", "zstd", "brotli"):
    write(codec, structs, compression=codec)
write("zstd_v2", structs, compression="zstd", data_page_version="2.0")
write("plain", plain, compression="snappy", use_dictionary=False)
write("large", pa.array(images, pa.large_binary()), compression="zstd", use_dictionary=False)
write("delta", plain, use_dictionary=False, column_encoding={"image": "DELTA_LENGTH_BYTE_ARRAY", "label": "PLAIN"})
zeros = pa.table({"image": pa.array([bytes(60_000_000)] * 6, pa.binary()), "label": pa.array([0, 1] * 3, pa.int64())})
pq.write_table(zeros, HERE / "zeros.parquet", compression="zstd", compression_level=19, use_dictionary=False, write_statistics=False,
               store_schema=False, data_page_size=1000, write_batch_size=1)
