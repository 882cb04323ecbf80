#!/usr/bin/env python3
"""What safety costs: `add` and `push` as they are, against the same build that waits for the disk nowhere.

The build has the feature `planted-bugs`, and the bug `no-fsync` leaves out every sync but those of the
index, which the library for it makes. Both are taken in turns, the other one first in every second
round, each time with new bytes in a repository of its own, in which a small file was added and pushed
before: what a repository and a remote cost once is not counted. Everything is on disk before each
command. What counts is the ratio of the medians. `add` is `haul add` with all it does, Git's part among it; a remote
is a folder on the same disk. Random bytes, so that no time goes into compressing them: with anything
else the ratio is nearer to one. --haul must name a build with that feature.
"""

import dataclasses
import os
import random
import statistics

from bench import MIB, SEED, Bench, Failed, Figure, human, measure_parts, retire, spread

# The demand: at most this much slower, for files of a MiB and more.
LIMIT = 1.15


@dataclasses.dataclass
class Sizes:
    quick: bool
    rounds: int
    # How many files of which size.
    files: tuple[tuple[int, int], ...]


FULL = Sizes(False, 9, ((1, MIB), (64, MIB), (1, 16 * MIB), (1, 256 * MIB), (1, 1024 * MIB)))
QUICK = Sizes(True, 5, ((1, MIB), (16, MIB), (1, 64 * MIB)))


def once(bench: Bench, work: tuple[int, int], seed: int, bug: str) -> dict[str, float]:
    repo = bench.repository()
    count, size = work
    source = random.Random(seed)
    (repo / "data").mkdir()
    for number in range(count):
        with open(repo / "data" / f"{number}.bin", "wb") as file:
            for _ in range(size // MIB):
                file.write(source.randbytes(MIB))
    (repo / "first.bin").write_bytes(source.randbytes(4096))
    bench.verb(repo, "add", "first.bin")
    bench.commit(repo)
    bench.verb(repo, "push")
    bench.environment["HAUL_PLANTED"] = bug
    seconds = {}
    try:
        os.sync()
        seconds["add"] = bench.verb(repo, "add", "data").seconds
        bench.commit(repo)
        os.sync()
        seconds["push"] = bench.verb(repo, "push").seconds
    finally:
        del bench.environment["HAUL_PLANTED"]
    for left in ("repo", "remote"):
        retire(bench.work / left)
    return seconds


def has_bugs(bench: Bench) -> None:
    """Fails unless the build listens to the bug that leaves out syncs."""
    with open(bench.haul, "rb") as program:
        if b"no-fsync" not in program.read():
            raise Failed("this build has no planted bugs: both sides would be the same")


def sync(bench: Bench) -> None:
    has_bugs(bench)
    for work in bench.sizes.files:
        times: dict[tuple[str, str], list[float]] = {}
        for round in range(bench.sizes.rounds):
            bugs = ("none", "no-fsync") if round % 2 == 0 else ("no-fsync", "none")
            for bug in bugs:
                for verb, seconds in once(bench, work, SEED + round, bug).items():
                    times.setdefault((verb, bug), []).append(seconds)
        for verb in ("add", "push"):
            safe, fast = times[verb, "none"], times[verb, "no-fsync"]
            ratio = statistics.median(safe) / statistics.median(fast)
            text = f"{ratio:.2f} ({spread(safe, '{:.3f}')} s, {spread(fast, '{:.3f}')} s)"
            what = f"{verb} of {work[0]} × {human(work[1])}: with syncs to without"
            numbers = {"ratio": ratio, "with": statistics.median(safe),
                       "without": statistics.median(fast)}
            bench.note(Figure("B14", what, f"≤ {LIMIT}", text, ratio <= LIMIT, numbers))


PARTS = {"sync": sync}


if __name__ == "__main__":
    measure_parts(__doc__, PARTS, (FULL, QUICK), features="planted-bugs")
