"""Makes small tables as pyarrow writes them: one per way to encode pages, with images as structs or as plain bytes.

    python crates/rut-data/tests/parquet/codecs.py

Image k is a PGM of 4 x 3 pixels, 20 k everywhere; its label is k mod 2. zeros.parquet has six
pages of 60 MB of zeros. All row groups of shared.parquet name the bytes of the first one. Made with pyarrow 26.0.1.
"""

from io import BytesIO
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


def varint(number):
    """A number of a footer: zigzag of a variable-length one."""
    number, out = 2 * number, b""
    while number >= 0x80:
        number, out = number >> 7, out + bytes([number & 0x7F | 0x80])
    return out + bytes([number])


# The same image in every row group, such that all are of the same length; those behind the first are cut out.
image = b"P5 36 36 255\n" + bytes(range(36)) * 36
sink = BytesIO()
table = pa.table({"image": pa.array([image] * 12, pa.binary()), "label": pa.array([0] * 12, pa.int64())})
pq.write_table(table, sink, row_group_size=1, compression="none", use_dictionary=False, write_statistics=False, store_schema=False)
data = sink.getvalue()
groups = [pq.read_metadata(sink).row_group(group) for group in range(12)]
starts = [[group.column(column).data_page_offset for column in range(2)] for group in groups]
footer = data[-8 - int.from_bytes(data[-8:-4], "little") : -8]
first, end = starts[0], starts[1][0]
for group in starts[1:]:
    for column in range(2):
        footer = footer.replace(varint(group[column]), varint(first[column]))
(HERE / "shared.parquet").write_bytes(data[:end] + footer + len(footer).to_bytes(4, "little") + b"PAR1")
