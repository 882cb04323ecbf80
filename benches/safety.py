#!/usr/bin/env python3
"""What safety costs: `add` and `push` as they are, against a build that waits for the disk nowhere.

The build has the feature `planted-bugs`, and the bug `no-fsync` leaves out every sync but those of the
index, which the library for it makes. Rounds alternate, each in a new repository; ratios of medians.
"""

import dataclasses
import os
import random
import statistics

from bench import MIB, SEED, Bench, human, measure_parts, retire, spread

# The demand: at most this much slower, for files of a MiB and more.
LIMIT = 1.15


@dataclasses.dataclass
class Sizes:
    quick: bool
    rounds: int
    files: tuple[int, ...]


FULL = Sizes(False, 9, (1 * MIB, 16 * MIB, 256 * MIB, 1024 * MIB))
QUICK = Sizes(True, 3, (1 * MIB, 16 * MIB))


def once(bench: Bench, size: int, round: int, bug: str) -> dict[str, float]:
    repo = bench.repository()
    (repo / "x.bin").write_bytes(random.Random(SEED + round).randbytes(size))
    os.sync()
    bench.environment["HAUL_PLANTED"] = bug
    try:
        seconds = {"add": bench.verb(repo, "add", "x.bin").seconds}
        bench.commit(repo)
        seconds["push"] = bench.verb(repo, "push").seconds
    finally:
        del bench.environment["HAUL_PLANTED"]
    for left in ("repo", "remote"):
        retire(bench.work / left)
    return seconds


def sync(bench: Bench) -> None:
    for size in bench.sizes.files:
        times: dict[tuple[str, str], list[float]] = {}
        for round in range(bench.sizes.rounds):
            for bug in ("none", "no-fsync") if round % 2 == 0 else ("no-fsync", "none"):
                for verb, seconds in once(bench, size, round, bug).items():
                    times.setdefault((verb, bug), []).append(seconds)
        for verb in ("add", "push"):
            safe, fast = times[verb, "none"], times[verb, "no-fsync"]
            ratio = statistics.median(safe) / statistics.median(fast)
            measure = f"{ratio:.2f} ({spread(safe, '{:.3f}')} s, {spread(fast, '{:.3f}')} s)"
            bench.add("B14", f"{verb} of {human(size)}: with syncs to without", measure,
                      f"≤ {LIMIT}", ratio <= LIMIT)


PARTS = {"sync": sync}


if __name__ == "__main__":
    measure_parts(__doc__, PARTS, (FULL, QUICK), features="planted-bugs")
