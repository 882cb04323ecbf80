#!/usr/bin/env python3
"""Prints what haul stores and sends of common kinds of data, against demands and beside rivals.

    python3 benches/stored.py [--quick] [--only PART,…] [--work DIR] [--json FILE] [--haul FILE]

Parts: weights (B1, B2), table (B3, B4), log (B5: 31 versions), next (B6: next checkpoint), sqlite (B7),
parquet (B8: where pyarrow is installed), speed (B9). Builds the release binary first, or takes the
one that --haul names. The data is made from a seed (workloads.py says how) and removed at the end.

Rivals are `dvc`, `git-lfs`, `restic` and `rustic` as far as they are on PATH; the output says which
are left out. Each tool gets the same versions of a file, in turn, with its default settings, and a
folder as its remote. "Sent" is what files on the remote grew by, all of them; demands are about it.
"Kept" is what the tool's own folder in the repository grew by, which may be less than nothing as
databases shrink. Times are of one run and its `sync`; those of rivals are ratios to haul's. After
each push of haul a new clone pulls, and the whole file's hash is compared; a mismatch ends the part
with a failure.

B9 compares the first `haul add` with a bare loop over the same chunks on the same cores, which
`cargo bench --bench codecs` runs: one thread per core, each with contexts of its own, output thrown
away. Both are taken in turns, and the median of the ratios counts. The loop for CSV is zstd level 1;
that for weights splits each chunk into four planes, tries Huffman's code on each and keeps what is
shorter. The same bench gives the speed of deltas, per core. Decoding on all cores is compared
with `cp` and `sync` of the file to the same disk. Without that bench the line says so, and is not
judged.

--quick takes smaller sizes and fewer rounds, and says so: demands in bytes shrink with the size, and
each push is allowed 64 KiB more, as records and nodes have a fixed cost (128 KiB where a change is
small and its chunks also hold a neighbour's bytes). A full run needs 25 GB of free disk and an hour
with all rivals. Exit code 1 if a demand is not met. Needs the standard library, Cargo and Git.
"""

import dataclasses
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import time

import workloads
from bench import (
    GIB,
    KIB,
    MIB,
    PROJECT,
    Bench,
    Failed,
    Figure,
    codecs_binary,
    human,
    measure_parts,
    retire,
    spread,
    warm,
)
from rivals import Tool, tools_here

MB = 1_000_000
QUICK_FIXED = 64 * KIB


@dataclasses.dataclass
class Sizes:
    """How much a run measures."""

    quick: bool
    rounds: int
    weights: int
    table: int
    log: tuple[int, int]
    next_f32: int
    sqlite: int
    parquet_rows: int
    speed: int
    versions: int = 31


FULL = Sizes(
    quick=False, rounds=5, weights=2 * GIB, table=GIB, log=(64 * MIB, MIB), next_f32=512 * MIB,
    sqlite=256 * MIB, parquet_rows=4_000_000, speed=512 * MIB,
)
QUICK = Sizes(
    quick=True, rounds=3, weights=96 * MIB, table=48 * MIB, log=(8 * MIB, 128 * KIB),
    next_f32=32 * MIB, sqlite=32 * MIB, parquet_rows=300_000, speed=64 * MIB,
)


@dataclasses.dataclass
class Step:
    """One or more versions whose costs are one line of the table."""

    part: str
    what: str
    files: list[pathlib.Path]
    share: float | None = None  # of the last file's bytes
    limit: int | None = None  # bytes at full size
    full: int = 0  # the last file's bytes at full size
    fixed: int = QUICK_FIXED  # bytes that a quick run allows each version besides

    @property
    def length(self) -> int:
        return self.files[-1].stat().st_size

    def allowed(self, quick: bool) -> int | None:
        fixed = self.fixed * len(self.files) if quick else 0
        if self.share is not None:
            return int(self.share * self.length) + fixed
        if self.limit is None:
            return None
        return int(self.limit * self.length / self.full) + fixed if quick else self.limit

    def demand(self, quick: bool) -> str:
        allowed = self.allowed(quick)
        if allowed is None:
            return ""
        share = f" ({self.share:.3g} of the file)" if self.share is not None and not quick else ""
        return f"≤ {allowed / MB:,.2f} MB{share}" + (", scaled" if quick else "")


@dataclasses.dataclass
class Cost:
    """What a tool spent on one step."""

    sent: int = 0
    kept: int = 0
    add: float = 0.0
    push: float = 0.0


def timed(work) -> float:
    """Runs `work` until its writes are on disk, so that no tool gains by leaving them to later."""
    os.sync()
    start = time.perf_counter()
    work()
    os.sync()
    return time.perf_counter() - start


def costs(tool: Tool, steps: list[Step]) -> list[Cost]:
    """Lets a tool keep and send all versions, from an empty repository on."""
    tool.begin()
    out = []
    for step in steps:
        cost = Cost()
        before = tool.sent(), tool.stored()
        for source in step.files:
            target = tool.repo / f"data{source.suffix}"
            # A new file each time: a tool may have linked the old one into its store.
            shutil.copyfile(source, tool.repo / "next")
            os.replace(tool.repo / "next", target)
            cost.add += timed(lambda: tool.add(target.name))
            tool.commit()
            if not tool.sends_at_once:
                cost.push += timed(tool.push)
            tool.proof(source, target.name)
        cost.sent, cost.kept = tool.sent() - before[0], tool.stored() - before[1]
        out.append(cost)
    tool.end()
    return out


def compare(bench: Bench, steps: list[Step]) -> None:
    """Prints each step's costs of haul, against the demand, and below it those of the rivals."""
    haul, *rivals = tools_here(bench)
    quick = bench.sizes.quick
    own = costs(haul, steps)
    for step, cost in zip(steps, own):
        allowed = step.allowed(quick)
        holds = None if allowed is None else cost.sent <= allowed
        text = f"{sizes_of(step, cost)}; add {cost.add:.2f} s, push {cost.push:.2f} s"
        what = f"{step.what}, {human(step.length)}"
        bench.note(Figure(step.part, what, step.demand(quick), text, holds, numbers(cost)))
    for rival in rivals:
        try:
            theirs = costs(rival, steps)
        except Failed as error:
            print(error, file=sys.stderr, flush=True)
            bench.add("", f"  {rival.name}", "a command of it failed")
            continue
        for step, cost, base in zip(steps, theirs, own):
            text = f"{sizes_of(step, cost)}; {ratios(rival, cost, base)}"
            what = f"  {rival.name}, {step.part}: {step.what}"
            bench.note(Figure("", what, "", text, None, numbers(cost)))


def numbers(cost: Cost) -> dict[str, float]:
    return {f"{name} {unit}": value for (name, value), unit in zip(
        dataclasses.asdict(cost).items(), ("bytes", "bytes", "seconds", "seconds"))}


def sizes_of(step: Step, cost: Cost) -> str:
    sent = f"sent {cost.sent / MB:,.2f} MB, {cost.sent / step.length:.4f} of the file"
    return f"{sent}; kept {cost.kept / MB:,.2f} MB"


def ratios(rival: Tool, cost: Cost, base: Cost) -> str:
    both = (cost.add + cost.push) / (base.add + base.push)
    add = "" if rival.sends_at_once else f"add {cost.add / base.add:.1f}, "
    return f"{add}add + push {both:.1f} times haul's"


def weights(bench: Bench) -> None:
    made = bench.work / "made"
    one, two, three = workloads.write_weights(made, bench.sizes.weights)
    compare(bench, [
        Step("B1", "f32 weights, first version", [one], share=0.84),
        Step("B2", "f32 weights, last 10 % new", [two], limit=180 * MB, full=FULL.weights),
        Step("B2", "f32 weights, longer header, one tensor new", [three], limit=5 * MB,
             full=FULL.weights, fixed=2 * QUICK_FIXED),
    ])
    retire(made)


def table(bench: Bench) -> None:
    made = bench.work / "made"
    one, two = workloads.write_table(made, bench.sizes.table)
    compare(bench, [
        Step("B3", "CSV, first version", [one], share=0.40),
        Step("B4", "CSV, 0.1 % edited, 1 % inserted, 2 % appended", [two], share=0.025),
    ])
    retire(made)


def log(bench: Bench) -> None:
    made = bench.work / "made"
    base, step = bench.sizes.log
    versions = bench.sizes.versions
    paths = workloads.write_log(made, base, step, versions)
    full = FULL.log[0] + (versions - 1) * FULL.log[1]
    what = f"{versions} versions of a CSV that grows, all together"
    compare(bench, [Step("B5", what, paths, limit=41 * MB, full=full)])
    retire(made)


def next_checkpoint(bench: Bench) -> None:
    made = bench.work / "made"
    for kind, total, share in (
        ("BF16", bench.sizes.next_f32 // 2, 0.36),
        ("F32", bench.sizes.next_f32, 0.70),
    ):
        one, two = workloads.write_next(made, total, kind)
        name = kind.lower()
        compare(bench, [
            Step("B6", f"{name} checkpoint, first version", [one]),
            Step("B6", f"{name} checkpoint, each weight moved by 1 %", [two], share=share),
        ])
        retire(made)


def sqlite(bench: Bench) -> None:
    made = bench.work / "made"
    one, two = workloads.write_sqlite(made, bench.sizes.sqlite)
    compare(bench, [
        Step("B7", "SQLite, first version", [one]),
        Step("B7", "SQLite, 0.1 % of rows updated", [two], share=0.02),
    ])
    retire(made)


def parquet(bench: Bench) -> None:
    try:
        import pyarrow
    except ImportError:
        bench.add("B8", "Parquet", "not measured: this Python cannot import pyarrow")
        return
    bench.about["pyarrow"] = pyarrow.__version__
    made = bench.work / "made"
    for by_content in (False, True):
        if by_content and int(pyarrow.__version__.partition(".")[0]) < 21:
            bench.add("B8", "Parquet, pages cut by content", "not measured: needs pyarrow 21")
            continue
        how = "pages cut by content" if by_content else "default writer"
        one, two = workloads.write_parquet(made, bench.sizes.parquet_rows, by_content)
        compare(bench, [
            Step("B8", f"Parquet, {how}, first version", [one]),
            Step("B8", f"Parquet, {how}, 1 % inserted, 2 % appended", [two]),
        ])
        retire(made)
    bench.about["B8 is limited by"] = (
        "the writer: pages are compressed, so a page with one other row is new bytes as a whole; "
        "by default all pages behind an insert have other rows, cut by content only some have"
    )


def speed(bench: Bench) -> None:
    codecs = codecs_binary(bench)
    made = bench.work / "made"
    total = bench.sizes.speed
    for what, loop, least, write in (
        ("CSV", "zstd", 0.7, lambda: workloads.write_table(made, total)),
        ("f32 weights", "planes", 0.8, lambda: workloads.write_weights(made, total)),
    ):
        source = write()[0]
        rounds(bench, (what, loop, least), source, codecs)
        if codecs:
            decoding(bench, what, source, codecs)
        retire(made)
    if codecs:
        deltas(bench, codecs)


def rounds(bench: Bench, line: tuple, source: pathlib.Path, codecs: pathlib.Path | None) -> None:
    what, loop, least = line
    length = source.stat().st_size
    warm(source)
    seconds, shares = [], []
    for _ in range(bench.sizes.rounds):
        repo = bench.repository()
        target = repo / f"data{source.suffix}"
        shutil.copyfile(source, target)
        os.sync()
        seconds.append(bench.verb(repo, "add", target.name).seconds)
        if codecs:
            done = bench.run([codecs, "--alone", loop, target], bench.work)
            shares.append(float(done.output) * length / 1e9 / seconds[-1])
    demand = f"≥ {least} of the speed of {loop} alone"
    text = f"{length / MB / statistics.median(seconds):,.0f} MB/s"
    name = f"first add of {what}, {human(length)}"
    if shares:
        text = f"{spread(shares)} of the speed, {text}"
        bench.add("B9", name, text, demand, statistics.median(shares) >= least)
    else:
        bench.add("B9", name, f"no loop to compare with; {text}", demand)


def decoding(bench: Bench, what: str, source: pathlib.Path, codecs: pathlib.Path) -> None:
    """Compares decoding on all cores with what the disk takes."""
    length = source.stat().st_size
    speeds = []
    for _ in range(bench.sizes.rounds):
        done = bench.run([codecs, "--alone", "decode", source], bench.work)
        speeds.append((1 / float(done.output), length / 1e9 / bench.yardstick(source)))
    decode, disk = (statistics.median(column) for column in zip(*speeds))
    text = f"{decode:.2f} GB/s on all cores, `cp` and `sync` {disk:.2f} GB/s"
    bench.add("B9", f"decoding {what}", text, "≥ what the disk takes", decode >= disk)


def deltas(bench: Bench, codecs: pathlib.Path) -> None:
    """Judges each kind of delta that the bench makes by its speed on one core."""
    done = bench.run([codecs, "--deltas"], bench.work)
    for row in done.output.decode().splitlines():
        name, cells = row[:24].strip(), row[24:].split()
        if len(cells) == 4 and cells[1].count("/") == 2 and cells[1][0].isdigit():
            encode, decode = (1 / float(cell) for cell in cells[2:])
            text = f"{encode:.2f} GB/s per core, decoding {decode:.2f}"
            bench.add("B9", f"deltas, {name}", text, "≥ 0.5 GB/s per core", encode >= 0.5)


PARTS = {
    "weights": weights,
    "table": table,
    "log": log,
    "next": next_checkpoint,
    "sqlite": sqlite,
    "parquet": parquet,
    "speed": speed,
}

if __name__ == "__main__":
    measure_parts(__doc__, PARTS, (FULL, QUICK))
