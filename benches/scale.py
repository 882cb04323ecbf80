#!/usr/bin/env python3
"""Shows how times grow with size: files from 1,000 to a million, and one file from 1 MB to 110 GB.

    python3 benches/scale.py [--quick] [--only PART,…] [--work DIR] [--json FILE] [--haul FILE]
                             [--most-files N] [--most-bytes N] [--room N] [--svg DIR]

Parts: files (a directory of small files, in folders of 1,000: add, status, push, a pull of one of its folders into a
new clone, add again with one file changed, diff of the two versions; at one size also with all files in one
folder, of which one file is pulled), file (one file: the same, with a pull of another file that was added beside it,
and in another new clone a `cat` of 1 MiB out of the middle of the large one). The large file is a pattern of
4 KiB that repeats, with a counter in every block of it, and random blocks for every eleventh part, written as a
stream. What `cat` prints must be the bytes of the file, and the diff must name one modified file. Sizes that the
disk cannot hold are left out, and that is said: a file needs 1.5 times its bytes (--room is another figure, for a
--work on a file system that compresses), a directory 16 KiB for each file. Every run of haul must stay within
300 MiB of memory.

Each part draws its own plot of seconds against size, both axes in powers of ten: scale-files.svg and
scale-file.svg in docs/performance, or in the folder that --svg names. --quick takes sizes that take a minute,
and draws only into a folder that is named. Needs the standard library, Cargo, Git and coreutils.
"""

import dataclasses
import math
import pathlib
import random
import shutil
import sys

from bench import ANY_RUN, GIB, KIB, MEMORY_LIMIT, MIB, PROJECT, SEED
from bench import Bench, Done, Failed, Figure, human, measure_parts, retire

BLOCK = 4 * KIB
PER_FOLDER = 1000
ROOM_FOR_BYTES = 1.5
ROOM_FOR_FILE = 16 * KIB
OPTIONS = ("--most-files", "--most-bytes", "--room", "--svg")
COLOURS = ("#1b6ca8", "#3a923a", "#c44e52", "#8172b2", "#937860", "#d98b2b", "#444444")


@dataclasses.dataclass
class Sizes:
    """How much a run measures."""

    quick: bool
    rounds: int
    files: tuple[int, ...]
    flat: int
    bytes: tuple[int, ...]


FULL = Sizes(
    False, 1, (1_000, 10_000, 100_000, 1_000_000), 100_000, (10**6, 10**7, 10**8, 10**9, 10**10, 110 * GIB)
)
QUICK = Sizes(True, 1, (100, 1_000, 3_000), 1_000, (10**6, 10**7, 5 * 10**7))
POINTS: dict[str, dict[str, list[tuple[float, float]]]] = {}


def option(name: str) -> str | None:
    """Takes an option of this script out of the command line."""
    for at, word in enumerate(sys.argv):
        if word == name:
            value = sys.argv[at + 1]
            del sys.argv[at : at + 2]
            return value
    return None


def write_counted(path: pathlib.Path, size: int) -> None:
    """Writes ten parts of the pattern and one of random blocks, in turns."""
    source = random.Random(SEED)
    pattern = bytearray(source.randbytes(BLOCK) * (MIB // BLOCK))
    block = done = 0
    with open(path, "wb") as out:
        while done < size:
            if done // MIB % 11 == 10:
                piece = source.randbytes(MIB)
            else:
                for offset in range(0, MIB, BLOCK):
                    pattern[offset : offset + 8] = block.to_bytes(8, "little")
                    block += 1
                piece = pattern
            done += out.write(piece[: size - done])


def write_directory(folder: pathlib.Path, count: int, per_folder: int = PER_FOLDER) -> None:
    for number in range(count):
        if number % per_folder == 0:
            inner = folder / f"{number // per_folder:04}"
            inner.mkdir(parents=True)
        (inner / f"{number % per_folder:03}").write_bytes(random.Random(number).randbytes(200 + number % 800))


def fits(bench: Bench, what: str, needed: float) -> bool:
    free = shutil.disk_usage(bench.work).free
    if needed <= free * 0.9:
        return True
    bench.add(what, "left out", f"needs {human(needed)} of disk, {human(free)} are free")
    return False


class Steps:
    """The runs of haul for one size, each of which must stay within the limit of memory."""

    def __init__(self, bench: Bench, part: str, size: int, shown: str, plotted: bool = True):
        self.bench, self.part, self.size, self.shown = bench, part, size, shown
        self.plotted = plotted

    def run(self, name: str, folder: pathlib.Path, *words: str) -> Done:
        return self.took(name, self.bench.verb(folder, *words))

    def printed(self, name: str, folder: pathlib.Path, *words: str) -> bytes:
        """Runs a verb that prints content in place of a report."""
        return self.took(name, self.bench.run([self.bench.haul, *words], folder)).output

    def took(self, name: str, done: Done) -> Done:
        if self.plotted:
            POINTS.setdefault(self.part, {}).setdefault(name, []).append((self.size, done.seconds))
        measured = f"{done.seconds:.2f} s, {human(done.peak)} of memory"
        demand, holds = f"at most {human(MEMORY_LIMIT)}", done.peak <= MEMORY_LIMIT
        numbers = {"size": self.size, "seconds": done.seconds, "bytes of memory": done.peak}
        self.bench.note(Figure(self.part, f"{name}, {self.shown}", demand, measured, holds, numbers))
        return done


def measure(steps: Steps, make, change, some: str) -> None:
    """Runs all steps once for one size; what is pulled is checked by the pull's own hashes."""
    bench, repo = steps.bench, steps.bench.repository()
    make(repo / "data")
    (repo / "small.bin").write_bytes(random.Random(1).randbytes(MIB))
    bench.verb(repo, "add", "small.bin")
    steps.run("add", repo, "add", "data")
    steps.run("status", repo, "status")
    bench.commit(repo)
    steps.run("push", repo, "push")
    steps.run("pull a part", bench.clone(), "pull", some)
    if (repo / "data").is_file():
        cat_middle(steps, repo / "data", bench.clone())
    retire(bench.work / "clone")
    change(repo / "data")
    steps.run("add again", repo, "add", "data")
    bench.commit(repo)
    modified = steps.run("diff", repo, "diff", "HEAD~1", "HEAD").json()["modified"]
    if modified != 1:
        raise Failed(f"`haul diff` found {modified} modified files in place of one")
    for name in ("repo", "clone", "remote"):
        retire(bench.work / name)


def cat_middle(steps: Steps, path: pathlib.Path, clone: pathlib.Path) -> None:
    """Prints 1 MiB out of the middle of a file of which the clone has nothing."""
    start = max(0, path.stat().st_size - MIB) // 2
    ends = f"{start}..{min(start + MIB, path.stat().st_size)}"
    got = steps.printed("cat 1 MiB", clone, "cat", f"HEAD:{path.name}", "--range", ends)
    with open(path, "rb") as source:
        source.seek(start)
        if got != source.read(MIB):
            raise Failed(f"`haul cat --range {ends}` printed other bytes")


def change_directory(folder: pathlib.Path) -> None:
    (folder / "0000" / "001").write_bytes(b"another content, and a bit more of it than fits into a tree itself")


def change_file(path: pathlib.Path) -> None:
    with open(path, "r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(b"another content")


def measure_files(bench: Bench) -> None:
    most = int(option_values["--most-files"] or max(bench.sizes.files))
    for count in (count for count in bench.sizes.files if count <= most):
        if fits(bench, "files", count * ROOM_FOR_FILE):
            steps = Steps(bench, "files", count, f"{count:,} files")
            make = lambda folder, count=count: write_directory(folder, count)
            measure(steps, make, change_directory, "data/0000")
    flat = bench.sizes.flat
    if flat <= most and fits(bench, "files", flat * ROOM_FOR_FILE):
        steps = Steps(bench, "files", flat, f"{flat:,} files in one folder", plotted=False)
        measure(steps, lambda folder: write_directory(folder, flat, flat), change_directory, "data/0000/001")


def measure_file(bench: Bench) -> None:
    most = int(option_values["--most-bytes"] or max(bench.sizes.bytes))
    for size in (size for size in bench.sizes.bytes if size <= most):
        if fits(bench, "file", size * float(option_values["--room"] or ROOM_FOR_BYTES)):
            make = lambda path, size=size: write_counted(path, size)
            measure(Steps(bench, "file", size, human(size)), make, change_file, "small.bin")


def plot(title: str, series: dict[str, list[tuple[float, float]]]) -> list[str]:
    """Draws one plot of 420 by 300 whose axes are powers of ten."""
    points = [point for line in series.values() for point in line]
    spans = []
    for axis in (0, 1):
        logs = [math.log10(max(point[axis], 0.001)) for point in points]
        low, high = math.floor(min(logs)), math.ceil(max(logs))
        spans.append((low, max(high, low + 1)))

    def place(point: tuple[float, float]) -> tuple[float, float]:
        across, up = (
            (math.log10(max(value, 0.001)) - low) / (high - low)
            for value, (low, high) in zip(point, spans)
        )
        return 60 + 340 * across, 290 - 240 * up

    out = [f'<text x="60" y="30" font-size="14">{title}</text>']
    for power in range(spans[0][0], spans[0][1] + 1):
        x, _ = place((10.0**power, 10.0 ** spans[1][0]))
        out.append(f'<line x1="{x:.1f}" y1="50" x2="{x:.1f}" y2="290" stroke="#ddd"/>')
        out.append(f'<text x="{x:.1f}" y="306" text-anchor="middle">1e{power}</text>')
    for power in range(spans[1][0], spans[1][1] + 1):
        _, y = place((10.0 ** spans[0][0], 10.0**power))
        out.append(f'<line x1="60" y1="{y:.1f}" x2="400" y2="{y:.1f}" stroke="#ddd"/>')
        out.append(f'<text x="54" y="{y + 4:.1f}" text-anchor="end">{10.0**power:g} s</text>')
    for number, (name, line) in enumerate(series.items()):
        colour = COLOURS[number % len(COLOURS)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in map(place, line))
        out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        out += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in map(place, line)]
        row = 66 + 14 * number
        out.append(f'<text x="70" y="{row}" fill="{colour}">{name}</text>')
    return out


TITLES = {"files": "files in a directory", "file": "bytes of one file"}
HEAD = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="440" height="320" font-family="sans-serif" font-size="11">\n'
    '<rect width="100%" height="100%" fill="white"/>'
)


def draw(bench: Bench, part: str) -> None:
    """Draws the plot of a part, of what was measured of it."""
    folder = option_values["--svg"]
    if part not in POINTS or (bench.sizes.quick and not folder):
        return
    target = pathlib.Path(folder or PROJECT / "docs" / "performance") / f"scale-{part}.svg"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("\n".join([HEAD, *plot(TITLES[part], POINTS[part]), "</svg>", ""]))
    bench.about[f"plot of {part}"] = target.name


def finish(bench: Bench) -> None:
    for part in PARTS:
        draw(bench, part)
    bench.peaks = {ANY_RUN: bench.peaks.get(ANY_RUN, 0)}
    bench.demand_memory()


PARTS = {"files": measure_files, "file": measure_file}
option_values: dict[str, str | None] = {}

if __name__ == "__main__":
    option_values.update({name: option(name) for name in OPTIONS})
    measure_parts(__doc__, PARTS, (FULL, QUICK), finish)
