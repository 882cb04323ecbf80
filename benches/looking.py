#!/usr/bin/env python3
"""Measures looking without data: start-up, listing and comparing large folders, a piece of a large file.

    python3 benches/looking.py [--quick] [--only PART,…] [--work DIR] [--json FILE] [--haul FILE]

Parts: start (every command has to start; `status` of a repository without data), folder (`ls` and `diff` of a
folder with a million files, of which 1,000 changed, scattered over all of it or side by side: seconds warm,
bytes that a clone without anything fetches for it), range (1 MiB out of a file of 10 GiB). Builds the release
binary first; the data is made from a seed and removed at the end. Every run must stay within 300 MiB of memory.

--quick takes smaller sizes and fewer rounds, and says so; --haul FILE measures a binary that is there. Full
runs need 20 GB of free disk and some 20 minutes. Exit code 1 if a demand is not met. Needs the standard
library, Cargo and Git.
"""

import dataclasses
import os
import pathlib
import random
import statistics

from bench import GIB, KIB, MIB, SEED, Bench, Failed, human, measure_parts, retire, spread


@dataclasses.dataclass
class Sizes:
    """How much a run measures."""

    quick: bool
    rounds: int
    files: int
    changed: int
    file: int


FULL = Sizes(quick=False, rounds=11, files=1_000_000, changed=1000, file=10 * GIB)
QUICK = Sizes(quick=True, rounds=3, files=20_000, changed=100, file=256 * MIB)
FOLDERS = 1000
# Content of this length lies in chunks: of shorter one the manifest holds all.
LENGTH = 80


def start(bench: Bench) -> None:
    repo = bench.repository()
    for name, words, folder in (("--version", ["--version"], bench.work), ("status", ["status"], repo)):
        command = [bench.haul, *words]
        runs = [bench.run(command, folder) for _ in range(bench.sizes.rounds * 2)]
        bench.note_peak(f"start, {name}", max(done.peak for done in runs))
        times = [1000 * done.seconds for done in runs]
        holds = statistics.median(times) <= 20
        bench.add("B1", f"start-up: haul {name}", spread(times, "{:.1f}") + " ms", "≤ 20 ms", holds)
    retire(repo)


def name_of(number: int, per: int) -> str:
    return f"part-{number // per:04}/item-{number % per:05}.bin"


def write_files(folder: pathlib.Path, numbers: list[int], per: int, seed: int) -> None:
    source = random.Random(seed)
    for number in numbers:
        (folder / name_of(number, per)).write_bytes(source.randbytes(LENGTH))


def look(bench: Bench, clone: pathlib.Path, *words: str) -> tuple[dict, float, float]:
    """Asks once cold, and then warm; returns the first answer, its bytes and the seconds of the others."""
    size = f"{bench.sizes.files:,} files"
    cold = bench.verb(clone, *words, size=size).json()
    times = [bench.verb(clone, *words, size=size).seconds for _ in range(bench.sizes.rounds)]
    return cold, cold["requests"]["received"], statistics.median(times)


def folder(bench: Bench) -> None:
    sizes = bench.sizes
    per = sizes.files // FOLDERS
    repo = bench.repository()
    data = repo / "many"
    for number in range(FOLDERS):
        (data / f"part-{number:04}").mkdir(parents=True)
    write_files(data, list(range(sizes.files)), per, SEED)
    step = sizes.files // sizes.changed
    versions = {
        "base": [],
        "scattered": list(range(step // 2, sizes.files, step))[: sizes.changed],
        "side by side": list(range(sizes.files // 2, sizes.files // 2 + sizes.changed)),
    }
    for seed, (name, numbers) in enumerate(versions.items()):
        write_files(data, numbers, per, SEED + 1 + seed)
        bench.verb(repo, "add", "many", size=f"{sizes.files:,} files")
        bench.commit(repo)
        bench.git(repo, "tag", name.replace(" ", "-"))
    bench.git(repo, "config", "uploadpack.allowFilter", "true")
    shown = f"{sizes.files:,} files"
    bench.verb(repo, "push", "--all", size=shown)
    for old, new in (("base", "scattered"), ("scattered", "side by side")):
        words = ("diff", old.replace(" ", "-"), new.replace(" ", "-"))
        report, received, seconds = look(bench, bench.clone(), *words)
        counted = report["modified"]
        if counted != sizes.changed:
            raise Failed(f"`haul {' '.join(words)}` found {counted} changes of {sizes.changed}")
        what = f"diff of {shown}, {sizes.changed:,} changed {new}"
        bench.add("B1", f"{what}: warm", f"{seconds:.2f} s", "≤ 1 s", seconds <= 1)
        bench.add("B1", f"{what}: fetched cold", human(received), "≤ 5 MiB", received <= 5 * MIB)
        each = report["requests"]["get"]
        bench.add("", f"{what}: requests cold", f"{each} in {report['requests']['waves']} waves")
    for words, what in ((["many"], "its folders"), (["many/part-0500"], "one folder of it")):
        _, received, seconds = look(bench, bench.clone(), "ls", *words)
        bench.add("B1", f"ls of {shown}, {what}: warm", f"{seconds:.2f} s", "≤ 1 s", seconds <= 1)
        bench.add("B1", f"ls of {shown}, {what}: fetched cold", human(received), "≤ 5 MiB",
                  received <= 5 * MIB)
    for left in ("repo", "clone", "remote"):
        retire(bench.work / left)


def write_large(path: pathlib.Path, size: int, wild: range) -> None:
    """Writes blocks that differ by a counter, and random bytes where a piece will be read."""
    source = random.Random(SEED)
    block = bytearray(source.randbytes(KIB) * 64)
    with open(path, "wb") as out:
        for number in range(size // len(block)):
            if number * len(block) in wild:
                out.write(source.randbytes(len(block)))
            else:
                block[:8] = number.to_bytes(8, "little")
                out.write(block)


def piece(bench: Bench) -> None:
    size = bench.sizes.file
    middle = size // 2 // MIB * MIB
    repo = bench.repository()
    large = repo / "large.bin"
    write_large(large, size, range(middle - 32 * MIB, middle + 32 * MIB))
    bench.verb(repo, "add", "large.bin", size=human(size))
    bench.commit(repo)
    bench.verb(repo, "push", size=human(size))
    clone = bench.clone()
    ends = f"{middle + 12_345}..{middle + 12_345 + MIB}"
    done = bench.run([bench.haul, "cat", "HEAD:large.bin", "--range", ends], clone)
    bench.note_peak(f"cat --range, {human(size)}", done.peak)
    with open(large, "rb") as source:
        source.seek(middle + 12_345)
        if done.output != source.read(MIB):
            raise Failed("`haul cat --range` printed other bytes")
    # `cat` prints content and no report: what it fetched lies in the cache, as parts of packs with holes.
    parts = [p for p in (clone / ".git" / "haul").rglob("parts") if p.is_dir()]
    files = [file for folder in parts for file in folder.rglob("*") if file.is_file()]
    received = sum(file.stat().st_blocks * 512 for file in files)
    if received < MIB // 2:
        raise Failed("what was fetched is not where it was looked for")
    bench.add("B1", f"cat --range of 1 MiB out of {human(size)}: what the cache took", human(received),
              "≤ 3 MiB", received <= 3 * MIB)
    for left in ("repo", "clone", "remote"):
        retire(bench.work / left)


PARTS = {"start": start, "folder": folder, "range": piece}


if __name__ == "__main__":
    measure_parts(__doc__, PARTS, (FULL, QUICK), Bench.demand_memory)
