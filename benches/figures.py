#!/usr/bin/env python3
"""Prints haul's figures on this machine, each against its demand, from one command.

    python3 benches/figures.py [--quick] [--only PART,…] [--work DIR] [--json FILE] [--haul FILE]

Parts: files (E1, E3: 50,000 small files), file (E1: one large file), versions (E2), memory (E3: one
huge file), requests (E4), start. Builds the release binary first; the data is made from a seed and
removed at the end. Every time is taken in turns with its yardstick, `cp` and `sync` to the same
disk, and given as a ratio to it: median of the rounds, lowest and highest in brackets.

--quick takes smaller sizes and fewer rounds, and says so; --haul FILE measures a binary that is there. Full runs need 10 GB of free disk and some
15 minutes. Exit code 1 if a demand is not met. Needs the standard library, Cargo, Git and coreutils.
"""

import dataclasses
import os
import pathlib
import random
import shutil
import statistics
import subprocess

from bench import (
    GIB,
    KIB,
    MIB,
    PROJECT,
    SEED,
    Bench,
    Failed,
    human,
    kept_bytes,
    measure_parts,
    retire,
    spread,
    warm,
)

MAKE_DATA = PROJECT / "fixtures" / "make_data.py"
MEMORY_LIMIT = 300 * MIB
PACK = 64 * MIB


@dataclasses.dataclass
class Sizes:
    """How much a run measures."""

    quick: bool
    rounds: int
    file: int
    versions: int
    huge: int
    small_files: int = 50_000
    folders: int = 500
    tiny_files: int = 100_000


FULL = Sizes(quick=False, rounds=5, file=2 * GIB, versions=GIB, huge=4 * GIB)
QUICK = Sizes(quick=True, rounds=3, file=512 * MIB, versions=128 * MIB, huge=GIB)


def write_random(path: pathlib.Path, size: int, seed: int) -> None:
    source = random.Random(seed)
    with open(path, "wb") as out:
        while size:
            size -= out.write(source.randbytes(min(size, MIB)))


def write_tree(folder: pathlib.Path, count: int, folders: int, lengths: range) -> int:
    """Writes files of random bytes, evenly into folders; returns the bytes of all."""
    source = random.Random(SEED)
    total = 0
    for number in range(folders):
        inner = folder / f"part-{number:04}"
        inner.mkdir(parents=True)
        for position in range(count // folders):
            length = source.choice(lengths)
            (inner / f"item-{position:05}.bin").write_bytes(source.randbytes(length))
            total += length
    return total


def unpushed_bytes(repo: pathlib.Path) -> int:
    return sum(kept_bytes(p) for p in (repo / ".git" / "haul").rglob("unpushed"))


def rounds_of(bench: Bench, data: pathlib.Path, size: str) -> dict[str, list[float]]:
    """Adds, pushes and pulls `data` in fresh repositories, each in turns with its yardstick."""
    times: dict[str, list[float]] = {}

    def note(what: str, seconds: float, yardstick: float) -> None:
        times.setdefault(what, []).append(seconds / yardstick)
        times.setdefault(f"{what} seconds", []).append(seconds)
        times.setdefault("cp seconds", []).append(yardstick)

    warm(data)
    name = data.name
    for _ in range(bench.sizes.rounds):
        repo = bench.repository()
        os.rename(data, repo / name)
        here = repo / name
        measure = bench.yardstick(here)
        note("add", bench.verb(repo, "add", name, size=size).seconds, measure)
        note("status", bench.verb(repo, "status", size=size).seconds, measure)
        bench.commit(repo)
        measure = bench.yardstick(here)
        note("push", bench.verb(repo, "push", size=size).seconds, measure)
        clone = bench.clone()
        measure = bench.yardstick(here)
        note("pull", bench.verb(clone, "pull", size=size).seconds, measure)
        os.rename(here, data)
        compare = subprocess.run(["diff", "-rq", data, clone / name], check=False)
        if compare.returncode != 0:
            raise Failed("what was pulled is not what was added")
    for left in ("repo", "clone", "remote"):
        retire(bench.work / left)
    return times


def compared(times: dict[str, list[float]], what: str) -> str:
    seconds = statistics.median(times[f"{what} seconds"])
    return f"{spread(times[what])} times, {seconds:.2f} s"


def files(bench: Bench) -> None:
    sizes = bench.sizes
    data = bench.work / "many"
    lengths = range(4 * KIB, 30 * KIB + 1)
    total = write_tree(data, sizes.small_files, sizes.folders, lengths)
    size = f"{sizes.small_files:,} files"
    times = rounds_of(bench, data, size)
    shown = f"{size} of 4–30 KiB, {human(total)}"
    yardstick = statistics.median(times["cp seconds"])
    bench.add("E1", f"yardstick: cp -r + sync of {shown}", f"{yardstick:.2f} s")
    holds = statistics.median(times["add"]) <= 3
    bench.add("E1", f"add {shown}", compared(times, "add"), "≤ 3 times cp -r + sync", holds)
    for what in ("push", "pull"):
        bench.add("", f"{what} of the same", compared(times, what))
    bench.add("", f"status of {size}, unchanged", spread(times["status seconds"]) + " s")
    retire(data)


def file(bench: Bench) -> None:
    data = bench.work / "large.bin"
    write_random(data, bench.sizes.file, SEED)
    size = f"{human(bench.sizes.file)} of random bytes"
    times = rounds_of(bench, data, size)
    yardstick = statistics.median(times["cp seconds"])
    speed = [1 / ratio for ratio in times["add"]]
    bench.add("E1", f"yardstick: cp + sync of a file of {size}", f"{yardstick:.2f} s")
    seconds = statistics.median(times["add seconds"])
    measure = f"{spread(speed)} of the speed, {seconds:.2f} s"
    holds = statistics.median(speed) >= 0.5
    bench.add("E1", f"add a file of {size}", measure, "≥ 0.5 of the speed of cp + sync", holds)
    for what in ("push", "pull"):
        bench.add("", f"{what} of the same", compared(times, what))
    retire(data)


def second(bench: Bench, what: str, paths: list[pathlib.Path], limit: float) -> None:
    """Adds and pushes versions of a file; the last one's cost is the figure."""
    repo = bench.repository()
    target = repo / f"data{paths[0].suffix}"
    length = paths[-1].stat().st_size
    stored = sent = 0
    for path in paths:
        shutil.copyfile(path, target)
        bench.verb(repo, "add", target.name)
        stored = unpushed_bytes(repo)
        bench.commit(repo)
        sent = bench.verb(repo, "push").json()["requests"]["sent"]
    for name, count in (("stored", stored), ("sent", sent)):
        share = 100 * count / length
        measure = f"{share:.3f} %, {human(count)}"
        bench.add("E2", f"{what}: {name}", measure, f"≤ {limit} % of the file", share <= limit)
    retire(repo)
    retire(bench.work / "remote")


def versions(bench: Bench) -> None:
    size = bench.sizes.versions
    made = bench.work / "made"

    def make(kind: str) -> None:
        bench.run(["python3", MAKE_DATA, kind, made, "--bytes", str(size)], bench.work)

    make("csv")
    one, two = made / "v1.csv", made / "v2.csv"
    retire(made / "v3.csv")
    second(bench, f"CSV of {human(size)}, 20 bursts of 0.005 % of its rows edited", [one, two], 0.6)
    retire(made)
    make("safetensors")
    one, two, three = (made / f"v{n}.safetensors" for n in (1, 2, 3))
    second(bench, f"checkpoint of {human(size)}, its last 10 % new", [one, two], 10.5)
    retire(one)
    second(bench, f"checkpoint of {human(size)}, header 300 bytes longer", [two, three], 0.2)
    retire(made)


def memory(bench: Bench) -> None:
    """One huge file: an eighth random, in stretches of 8 MiB; the rest a hole."""
    size = f"{human(bench.sizes.huge)}, an eighth random"
    repo = bench.repository()
    source = random.Random(SEED)
    with open(repo / "huge.bin", "wb") as out:
        for offset in range(0, bench.sizes.huge, 64 * MIB):
            out.seek(offset)
            out.write(source.randbytes(8 * MIB))
        out.truncate(bench.sizes.huge)
    bench.verb(repo, "add", "huge.bin", size=size)
    bench.verb(repo, "status", size=size)
    bench.commit(repo)
    bench.verb(repo, "push", size=size)
    clone = bench.clone()
    bench.verb(clone, "pull", size=size)
    if subprocess.run(["cmp", repo / "huge.bin", clone / "huge.bin"], check=False).returncode != 0:
        raise Failed("what was pulled is not what was added")
    for left in ("repo", "clone", "remote"):
        retire(bench.work / left)


def peaks(bench: Bench) -> None:
    for key, peak in bench.peaks.items():
        bench.add("E3", f"peak memory of {key}", human(peak), "< 300 MiB", peak < MEMORY_LIMIT)


def requests(bench: Bench) -> None:
    sizes = bench.sizes
    repo = bench.repository()
    write_tree(repo / "many", sizes.tiny_files, 100, range(200, 1501))
    size = f"{sizes.tiny_files:,} tiny files"
    bench.verb(repo, "add", "many", size=size)
    bench.commit(repo)
    first = bench.verb(repo, "push", size=size).json()
    objects = sum(1 for p in (bench.work / "remote").rglob("*") if p.is_file())
    packs = -(-first["sent_bytes"] // PACK)
    bench.add("E4", f"objects on the remote after a push of {human(first['sent_bytes'])}",
              f"{objects}", f"≤ {packs} packs of 64 MiB + 6", objects <= packs + 6)

    def asked(where: pathlib.Path) -> int:
        counts = bench.verb(where, "push").json()["requests"]
        return sum(counts[kind] for kind in ("list", "get", "put", "head"))

    count = asked(repo)
    bench.add("E4", "requests of a push with nothing new, warm", f"{count}", "≤ 3", count <= 3)
    count = asked(bench.clone())
    bench.add("E4", "requests of a push with nothing new, cold", f"{count}", "≤ 6", count <= 6)

    clone = bench.clone()
    wanted = pathlib.Path("many/part-0042/item-00500.bin")
    pulled = bench.verb(clone, "pull", str(wanted), size=f"one of {size}").json()
    if (clone / wanted).read_bytes() != (repo / wanted).read_bytes():
        raise Failed("what was pulled is not what was added")
    if sum(1 for p in (clone / "many").rglob("*") if p.is_file()) != 1:
        raise Failed("more than one file was pulled")
    counts = pulled["fetch"]["requests"]
    what = f"pull of one file of {sizes.tiny_files:,}"
    bench.add("E4", f"{what}: waves of requests", f"{counts['waves']}", "≤ 6", counts["waves"] <= 6)
    limit = (repo / wanted).stat().st_size + 512 * KIB
    received = counts["received"]
    bench.add("E4", f"{what}: bytes", human(received), f"≤ {human(limit)}", received <= limit)
    for left in ("repo", "clone", "remote"):
        retire(bench.work / left)


def start(bench: Bench) -> None:
    command = [bench.haul, "--version"]
    times = [1000 * bench.run(command, bench.work).seconds for _ in range(21)]
    bench.add("", "start-up: haul --version", spread(times, "{:.1f}") + " ms")


PARTS = {
    "start": start,
    "requests": requests,
    "files": files,
    "file": file,
    "memory": memory,
    "versions": versions,
}


if __name__ == "__main__":
    measure_parts(__doc__, PARTS, (FULL, QUICK), finish=peaks)
