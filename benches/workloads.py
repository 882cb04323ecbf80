"""Makes the files that stored.py measures, from a seed, with the standard library alone.

Weights: the upper half of each float comes from a table of 65,536 quantiles of the normal
distribution, which fixes its sign, exponent and the first seven bits of its fraction; the lower 16
bits of the fraction are random. So a compressor sees what it sees in trained weights: close
exponents, and fractions that are noise. Each tensor is drawn on its own; no two share bytes.
"""

import array
import contextlib
import itertools
import json
import operator
import pathlib
import random
import sqlite3
import statistics
import struct
import sys
from collections.abc import Iterator

from bench import MIB, SEED

SPREAD = 0.02  # standard deviation of weights
SHARE_NEW = 0.1
HEADER_GROWTH = 300
EDITED, INSERTED, APPENDED = 1000, 100, 50  # one row in this many
PLACES = 20
ROWS_PER_DRAW = 20_000
CATEGORIES = "auto books garden health kitchen music office pets sports toys".split()
CITIES = "Accra Austin Berlin Leeds Lyon Osaka Perth Porto Quito Turin".split()
COLUMNS = b"id,ts,user,category,city,price,qty,score,token\n"


def draws(*label) -> random.Random:
    """Returns a generator that depends on the label and the seed only."""
    return random.Random(" ".join(map(str, (SEED, *label))))


def quantiles(spread: float) -> list[float]:
    normal = statistics.NormalDist(0, spread)
    return [normal.inv_cdf((n + 0.5) / 65536) for n in range(65536)]


class Normals:
    """Draws 32-bit floats around zero."""

    def __init__(self, spread: float):
        if sys.byteorder != "little":
            sys.exit("this bench needs a little-endian machine")
        bits = struct.unpack("<65536I", struct.pack("<65536f", *quantiles(spread)))
        self.upper = [word >> 16 for word in bits]

    def draw(self, count: int, *label) -> bytes:
        source = draws(*label)
        which, halves = array.array("H"), array.array("H", bytes(4 * count))
        which.frombytes(source.randbytes(2 * count))
        halves[1::2] = array.array("H", map(self.upper.__getitem__, which))
        which = array.array("H")
        which.frombytes(source.randbytes(2 * count))
        halves[0::2] = which
        return halves.tobytes()


def tensors(total: int) -> list[tuple[str, list[int]]]:
    """Returns names and shapes of a transformer's 32-bit tensors, `total` bytes in all."""
    width = 1024 if total >= 1024 * MIB else 256
    square, wide = [width, width], [width, 4 * width]
    layer = {f"attn.{name}": square for name in "qkvo"}
    layer |= {"mlp.up": wide, "mlp.down": wide[::-1], "norm1": [width], "norm2": [width]}
    out, left = [], total // 4
    for number in itertools.count():
        for name, shape in layer.items():
            values = values_of(shape)
            if values > left:
                return out + ([("model.tail.weight", [left])] if left else [])
            out.append((f"model.layers.{number}.{name}.weight", shape))
            left -= values


def values_of(shape: list[int]) -> int:
    return shape[0] * (shape[1] if len(shape) > 1 else 1)


def safetensors_header(layout: list, kind: str, width: int, about: dict[str, str]) -> bytes:
    entries: dict = {"__metadata__": {"format": "pt"} | about}
    start = 0
    for name, shape in layout:
        end = start + width * values_of(shape)
        entries[name] = {"dtype": kind, "shape": shape, "data_offsets": [start, end]}
        start = end
    text = json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text


def write_weights(folder: pathlib.Path, total: int) -> list[pathlib.Path]:
    """v1; v2: tensors that start in the last tenth new; v3: longer header, one more tensor new."""
    folder.mkdir()
    layout = tensors(total)
    starts = [0, *itertools.accumulate(4 * values_of(shape) for _, shape in layout)]
    late = {n for n, start in enumerate(starts[:-1]) if start >= total * (1 - SHARE_NEW)}
    one = next(n for n in range(len(layout) // 3, len(layout)) if "attn" in layout[n][0])
    normals = Normals(SPREAD)
    paths = [folder / f"v{n}.safetensors" for n in (1, 2, 3)]
    note = {"step": "2000", "note": "n" * (HEADER_GROWTH - len(',"note":""'))}
    with contextlib.ExitStack() as stack:
        outs = [stack.enter_context(open(path, "wb")) for path in paths]
        for out, about in zip(outs, ({"step": "1000"}, {"step": "2000"}, note)):
            out.write(safetensors_header(layout, "F32", 4, about))
        for number, (name, shape) in enumerate(layout):
            count, is_late = values_of(shape), number in late
            old = normals.draw(count, name)
            new = normals.draw(count, name, "trained") if is_late or number == one else old
            for out, data in zip(outs, (old, new if is_late else old, new)):
                out.write(data)
    return paths


def write_next(folder: pathlib.Path, total: int, kind: str) -> list[pathlib.Path]:
    """Two checkpoints, F32 or BF16: from one to the next each weight moves by noise of 1 %."""
    folder.mkdir()
    width = 4 if kind == "F32" else 2
    layout = tensors(total * 4 // width)
    normals, noise = Normals(SPREAD), Normals(SPREAD / 100)
    paths = [folder / f"v{n}.safetensors" for n in (1, 2)]
    with open(paths[0], "wb") as one, open(paths[1], "wb") as two:
        for out, step in ((one, "1000"), (two, "2000")):
            out.write(safetensors_header(layout, kind, width, {"step": step}))
        for name, shape in layout:
            count = values_of(shape)
            old = normals.draw(count, name, kind)
            moved = map(operator.add, floats(old), floats(noise.draw(count, name, kind, "noise")))
            one.write(narrowed(old, width))
            two.write(narrowed(array.array("f", moved).tobytes(), width))
    return paths


def floats(data: bytes) -> array.array:
    out = array.array("f")
    out.frombytes(data)
    return out


def narrowed(data: bytes, width: int) -> bytes:
    """Cuts 32-bit floats down to `width` bytes: the upper half of each is its bf16."""
    if width == 4:
        return data
    halves = array.array("H")
    halves.frombytes(data)
    return halves[1::2].tobytes()


class Rows:
    """Rows of a table; each depends on its label and number only."""

    def __init__(self):
        self.scores = quantiles(1.0)
        self.prices = [b"%.2f" % (20 * 2.718281828 ** self.scores[16 * n]) for n in range(4096)]
        self.categories = [name.encode() for name in CATEGORIES]
        self.cities = [name.encode() for name in CITIES]

    def some(self, first: int, label: str) -> Iterator[bytes]:
        """Yields ROWS_PER_DRAW rows, numbered from `first`."""
        noise = draws("rows", label, first).randbytes(16 * ROWS_PER_DRAW)
        stamp = 1_700_000_000 + 2 * first
        for number, (bits, token) in enumerate(struct.iter_unpack("<QQ", noise), first):
            stamp += bits % 5
            high = bits >> 32
            yield b"%d,%d,u%07d,%s,%s,%s,%d,%.6f,%016x\n" % (
                number, stamp, high % 2_000_000,
                self.categories[bits // 5 % 10], self.cities[bits // 50 % 10],
                self.prices[high >> 20], 1 + (bits >> 20 & 7),
                self.scores[bits & 0xFFFF] + (token & 31) * 1e-6, token >> 2,
            )

    def stretch(self, first: int, count: int, label: str) -> Iterator[bytes]:
        parts = (self.some(n, label) for n in itertools.count(first, ROWS_PER_DRAW))
        return itertools.islice(itertools.chain.from_iterable(parts), count)

    def block(self, first: int, label: str) -> bytes:
        return b"".join(self.some(first, label))


def write_table(folder: pathlib.Path, total: int) -> list[pathlib.Path]:
    """v1; v2: 0.1 % of the rows edited all over, 1 % inserted in 20 places, 2 % appended."""
    folder.mkdir()
    rows = Rows()
    one, two = folder / "v1.csv", folder / "v2.csv"
    count = 0
    with open(one, "wb") as out:
        left = total - out.write(COLUMNS)
        while left > 0:
            left -= out.write(rows.block(count, "table"))
            count += ROWS_PER_DRAW
    source = draws("edits")
    edited = set(source.sample(range(count), count // EDITED))
    places = set(source.sample(range(count), PLACES))
    new = itertools.count(10_000_000_000, count)
    with open(one, "rb") as old, open(two, "wb") as out:
        out.write(old.readline())
        for number, row in enumerate(old):
            if number in places:
                out.writelines(rows.stretch(next(new), count // INSERTED // PLACES, "inserted"))
            if number in edited:
                cells = row.split(b",")
                cells[5] = b"%.2f" % (float(cells[5]) + 1.5)
                row = b",".join(cells)
            out.write(row)
        out.writelines(rows.stretch(count, count // APPENDED, "table"))
    return [one, two]


def write_log(folder: pathlib.Path, base: int, step: int, versions: int) -> list[pathlib.Path]:
    """Versions of a table of `base` bytes that grows by `step` bytes each time."""
    folder.mkdir()
    rows, text, count = Rows(), COLUMNS, 0
    end = base + (versions - 1) * step
    paths = [folder / f"v{n:02}.csv" for n in range(1, versions + 1)]
    parts = [text]
    length = len(text)
    while length < end:
        parts.append(rows.block(count, "log"))
        length += len(parts[-1])
        count += ROWS_PER_DRAW
    text = b"".join(parts)
    for number, path in enumerate(paths):
        path.write_bytes(text[: base + number * step])
    return paths


def write_sqlite(folder: pathlib.Path, total: int) -> list[pathlib.Path]:
    """v1: one table with an index; v2: the price changed in 0.1 % of its rows, all over."""
    folder.mkdir()
    one, two = folder / "v1.sqlite", folder / "v2.sqlite"
    rows = Rows()
    base = sqlite3.connect(one)
    base.execute("PRAGMA journal_mode = OFF")
    base.execute("PRAGMA page_size = 4096")
    base.execute(
        "CREATE TABLE event (id INTEGER PRIMARY KEY, ts INTEGER, user TEXT, category TEXT,"
        " city TEXT, price REAL, qty INTEGER, score REAL, token TEXT)"
    )
    count = 0
    while one.stat().st_size < total:
        lines = (line.decode().rstrip().split(",") for line in rows.some(count, "sqlite"))
        base.executemany("INSERT INTO event VALUES (?,?,?,?,?,?,?,?,?)", lines)
        base.commit()
        count += ROWS_PER_DRAW
    base.execute("CREATE INDEX by_user ON event (user)")
    base.commit()
    base.close()
    two.write_bytes(one.read_bytes())
    base = sqlite3.connect(two)
    base.execute("PRAGMA journal_mode = OFF")
    edited = draws("sqlite edits").sample(range(count), count // EDITED)
    change = "UPDATE event SET price = price + 1.5 WHERE id = ?"
    base.executemany(change, ((number,) for number in edited))
    base.commit()
    base.close()
    return [one, two]


def write_parquet(folder: pathlib.Path, rows: int, by_content: bool) -> list[pathlib.Path]:
    """v1; v2: the same with 1 % of rows inserted in the middle and 2 % appended."""
    import pyarrow
    import pyarrow.parquet

    folder.mkdir()
    names = ["id", "ts", "user", "city", "price", "score"]
    scores = quantiles(1.0)

    def table(first: int, count: int, label: str):
        source = draws("parquet", label)
        words = array.array("Q", source.randbytes(8 * count))
        columns = [
            array.array("q", range(first, first + count)),
            array.array("q", (1_700_000_000_000 + 2000 * (first + n) + words[n] % 1999
                              for n in range(count))),
            array.array("q", (word % 2_000_000 for word in words)),
            None,
            array.array("d", ((199 + (word >> 40) % 250_000) / 100 for word in words)),
            array.array("d", (scores[word >> 16 & 0xFFFF] + (word >> 48) * 1e-9 for word in words)),
        ]
        kinds = {"q": pyarrow.int64(), "d": pyarrow.float64()}
        made = [
            pyarrow.array([CITIES[word % 10] for word in words]) if column is None
            else pyarrow.Array.from_buffers(
                kinds[column.typecode], count, [None, pyarrow.py_buffer(column)]
            )
            for column in columns
        ]
        return pyarrow.Table.from_arrays(made, names)

    def write(name: str, content) -> pathlib.Path:
        options = {"use_content_defined_chunking": True} if by_content else {}
        path = folder / name
        pyarrow.parquet.write_table(content, path, compression="snappy", **options)
        return path

    base = table(0, rows, "base")
    inserted = table(10_000_000_000, rows // INSERTED, "inserted")
    appended = table(rows, rows // APPENDED, "appended")
    halves = [base.slice(0, rows // 2), inserted, base.slice(rows // 2), appended]
    return [
        write("v1.parquet", base),
        write("v2.parquet", pyarrow.concat_tables(halves).combine_chunks()),
    ]
