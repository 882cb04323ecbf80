#!/usr/bin/env python3
"""Runs whole commands side by side: haul, what a machine can do at best, and the rivals.

    python3 benches/whole.py [--quick] [--only PART,…] [--work DIR] [--json FILE] [--haul FILE]

Parts: file (2 GiB that nobody has seen: add, push, pull), touch (add again after `touch`), files (50,000 of
4 to 30 KB: also status, push of nothing new, and all of them placed again), status (200,000 unchanged), switch
(another version of 2 GiB of which a tenth changed, with reflinks on a mounted XFS and without), start. Limits are
`cp` and `sync`, `cat`, `b3sum`, `git add`, and for `touch` the loop `known` of codecs.rs; rivals are dvc, git-lfs
and restic if they are on PATH. Each round runs all of them in turns, in fresh repositories, so that other work on
the machine hits all alike. One line per step: medians with the lowest and highest, haul's ratio to its limit, and
to each rival's median; where there is nothing to do, Git LFS is Git's own work and not compared. The most memory
that haul took in any run stands at the end.

--quick takes small sizes and says so. A full run needs 25 GB of free disk; the XFS needs root.
Exit code 1 if a demand is not met.
"""

import contextlib
import dataclasses
import os
import pathlib
import shutil
import statistics
import subprocess
import time

from bench import GIB, KIB, MIB, Bench, Failed, codecs_binary, human, measure_parts, retire, spread, warm
from figures import write_random, write_tree
from rivals import Dvc, GitLfs, Restic, Tool, tools_here

MEMORY_LIMIT = 300 * MIB
START_LIMIT = 0.020


@dataclasses.dataclass
class Sizes:
    """How much a run measures."""

    quick: bool
    rounds: int
    file: int
    files: int
    many: int


# Of Git LFS these are Git's own.
NOTHING_TO_DO = ("status", "push again")
# At least that many times as fast as DVC, where files are many.
DVC_RATIO = 5

FULL = Sizes(quick=False, rounds=3, file=2 * GIB, files=50_000, many=200_000)
QUICK = Sizes(quick=True, rounds=2, file=64 * MIB, files=2_000, many=4_000)


class Times:
    """Seconds of each program for each step, one for each round."""

    def __init__(self):
        self.all: dict[str, dict[str, list[float]]] = {}

    def note(self, step: str, who: str, seconds: float) -> None:
        self.all.setdefault(step, {}).setdefault(who, []).append(seconds)

    def table(self, bench: Bench, part: str, demands: dict[str, tuple[str, float]]) -> None:
        """Adds a figure for each step; `demands` name a limit and the highest ratio to its time."""
        for step, times in self.all.items():
            middle = {who: statistics.median(seconds) for who, seconds in times.items()}
            parts = [f"{who} {spread(seconds)} s" for who, seconds in times.items()]
            ratios = [
                f"{middle['haul'] / seconds:.2f} of {who}"
                for who, seconds in middle.items()
                if who != "haul" and seconds
            ]
            limits = {who: 1.0 for who in ("dvc", "git-lfs", "restic") if who in middle}
            if step in NOTHING_TO_DO:
                limits.pop("git-lfs", None)
            if part == "files" and "dvc" in middle:
                limits["dvc"] = 1 / DVC_RATIO
            if step in demands:
                limits |= dict([demands[step]])
            limits = {who: most for who, most in limits.items() if who in middle}
            demand = ", ".join(f"at most {most:.3g} of {who}" for who, most in limits.items())
            holds = all(middle["haul"] <= most * middle[who] for who, most in limits.items()) if limits else None
            bench.add(part, step, "; ".join(parts + ratios), demand, holds)


def timed(work) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def program(bench: Bench, command: list, folder: pathlib.Path) -> float | None:
    """Times a program that may not be installed."""
    return bench.run(command, folder).seconds if shutil.which(command[0]) else None


class Pulls:
    """How each tool brings what it sent to another place."""

    @staticmethod
    def of(tool: Tool, name: str) -> float | None:
        bench, work = tool.bench, tool.bench.work
        if isinstance(tool, Restic):
            target = work / "clone"
            command = ["restic", "-q", "-r", tool.remote, "restore", "latest", "--target", target]
            return bench.run(command, work).seconds
        if isinstance(tool, Dvc):
            tool.git("add", "-A")
            tool.git("commit", "-q", "-m", "data")
            bench.git(work, "clone", "-q", "repo", "clone")
            return bench.run(["dvc", "pull", "-q"], work / "clone").seconds
        if isinstance(tool, GitLfs):
            url = f"file://{tool.remote}"
            bench.run(["git", "clone", "-q", "--no-checkout", url, "clone"], work)
            bench.git(work / "clone", "lfs", "install", "--local")
            placed = bench.run(["git", "checkout", "-q", "main"], work / "clone").seconds
            return placed + bench.run(["git", "lfs", "pull"], work / "clone").seconds
        if tool.name == "haul":
            clone = bench.clone()
            return bench.verb(clone, "pull", size=name).seconds
        return None


def step(tool: Tool, name: str, verb: str) -> float:
    """Times add or push of a tool, with the memory of haul's."""
    if tool.name == "haul":
        words = (verb, name) if verb == "add" else (verb,)
        return tool.bench.verb(tool.repo, *words, size=name).seconds
    return timed(lambda: tool.add(name) if verb == "add" else tool.push())


# What says that nothing changed, and what places files again that were removed.
SAYING = {"haul": ["status"], "dvc": ["status", "-q"]}
PLACING = {"haul": ["checkout"], "dvc": ["checkout", "-q"]}


def with_nothing_new(tool: Tool, name: str, times: Times) -> None:
    """Times what a tool does once all is sent: looking, sending nothing, and placing files that are gone."""
    if tool.name not in ("haul", "dvc", "git-lfs"):
        return
    program = tool.bench.haul if tool.name == "haul" else tool.name

    def run(verbs: dict[str, list[str]], plain: list[str]) -> float:
        command = [program, *verbs[tool.name]] if tool.name in verbs else ["git", *plain]
        return tool.bench.run(command, tool.repo).seconds

    times.note("status", tool.name, run(SAYING, ["status", "--porcelain"]))
    times.note("push again", tool.name, step(tool, name, "push"))
    retire((tool.repo / name).rename(tool.bench.work / "gone"))
    os.sync()
    times.note("checkout", tool.name, run(PLACING, ["checkout", "-q", "--", name]))


def round_trip(bench: Bench, part: str, source: pathlib.Path, demands: dict) -> None:
    """Adds, pushes and pulls `source` with each tool, in turns with what the machine can do."""
    tools, times, name = tools_here(bench), Times(), source.name
    warm(source)
    for _ in range(bench.sizes.rounds):
        copying = bench.yardstick(source)
        for verb in ("add", "push", "pull"):
            times.note(verb, "cp+sync", copying)
        for who, command in (("cat", ["sh", "-c", f"cat {source}* >/dev/null"]), ("b3sum", ["b3sum", source])):
            seconds = program(bench, command, bench.work) if source.is_file() else None
            if seconds is not None:
                times.note("add", who, seconds)
        times.note("add", "git add", git_add(bench, source))
        for tool in tools:
            tool.begin()
            if isinstance(tool, GitLfs):
                tool.git("lfs", "track", f"{name}/**")
                tool.git("add", ".gitattributes")
            put(source, tool.repo / name)
            os.sync()
            times.note("add", tool.name, step(tool, name, "add"))
            tool.commit()
            if not tool.sends_at_once:
                os.sync()
                times.note("push", tool.name, step(tool, name, "push"))
            os.sync()
            with contextlib.suppress(NotImplementedError):
                seconds = Pulls.of(tool, name)
                if seconds is not None:
                    times.note("pull", tool.name, seconds)
                    same(source, bench.work / "clone", name)
            if source.is_dir():
                with_nothing_new(tool, name, times)
                same(source, tool.repo, name)
            tool.end()
    times.table(bench, part, demands)


def git_add(bench: Bench, source: pathlib.Path) -> float:
    repo = bench.work / "plain"
    retire(repo)
    repo.mkdir()
    bench.git(repo, "init", "-q")
    put(source, repo / source.name)
    seconds = bench.run(["git", "add", source.name], repo).seconds
    retire(repo)
    return seconds


def put(source: pathlib.Path, target: pathlib.Path) -> None:
    subprocess.run(["cp", "-r", source, target], check=True)


def same(source: pathlib.Path, clone: pathlib.Path, name: str) -> None:
    found = clone / name
    if not found.exists():
        found = next(clone.rglob(name), found)
    if subprocess.run(["diff", "-rq", source, found], check=False).returncode != 0:
        raise Failed(f"`{found}` is not what was added")


def measure_file(bench: Bench) -> None:
    source = bench.work / "data.bin"
    write_random(source, bench.sizes.file, 1)
    round_trip(bench, "file", source, {"add": ("cp+sync", 1 / 0.8)})
    retire(source)


def measure_touch(bench: Bench) -> None:
    """Content that haul knows, with another time: it is read, cut and hashed, and nothing is stored."""
    repo, times, codecs = bench.repository(), Times(), codecs_binary(bench)
    write_random(repo / "data.bin", bench.sizes.file, 1)
    bench.verb(repo, "add", "data.bin")
    for _ in range(bench.sizes.rounds):
        for who, command in (
            ("cat", ["sh", "-c", "cat data.bin >/dev/null"]),
            ("b3sum", ["b3sum", "--no-mmap", "data.bin"]),
        ):
            seconds = program(bench, command, repo)
            if seconds is not None:
                times.note("add again", who, seconds)
        if codecs:
            done = bench.run([codecs, "--alone", "known", "data.bin"], repo)
            times.note("add again", "read, cut, hash", float(done.output) * bench.sizes.file / 1e9)
        (repo / "data.bin").touch()
        size = human(bench.sizes.file)
        times.note("add again", "haul", bench.verb(repo, "add", "data.bin", size=size).seconds)
    times.table(bench, "touch", {"add again": ("read, cut, hash", 1 / 0.85)})


def measure_files(bench: Bench) -> None:
    source = bench.work / "data.d"
    write_tree(source, bench.sizes.files, bench.sizes.files // 100, range(4 * KIB, 30 * KIB))
    demands = {verb: ("cp+sync", 1.5) for verb in ("add", "push", "pull")}
    round_trip(bench, "files", source, demands)
    retire(source)


# Looks at each name with as many threads as there are cores.
LOOK = """import concurrent.futures, os, sys
def look(folder):
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    for name in os.listdir(handle): os.stat(name, dir_fd=handle, follow_symlinks=False)
    os.close(handle)
with concurrent.futures.ThreadPoolExecutor() as pool: list(pool.map(look, (f.path for f in os.scandir(sys.argv[1]))))
"""


def measure_status(bench: Bench) -> None:
    repo, times = bench.repository(), Times()
    write_tree(repo / "data.d", bench.sizes.many, bench.sizes.many // 200, range(100, 2000))
    size = f"{bench.sizes.many} files"
    bench.verb(repo, "add", "data.d", size=size)
    bench.commit(repo)
    bench.verb(repo, "status")
    for _ in range(bench.sizes.rounds):
        times.note("status", "find", program(bench, ["find", "data.d", "-printf", "%s"], repo) or 0)
        times.note("status", "stat in Python", program(bench, ["python3", "-c", LOOK, "data.d"], repo) or 0)
        times.note("status", "git status", bench.run(["git", "status", "--porcelain"], repo).seconds)
        times.note("status", "haul", bench.verb(repo, "status", size=size).seconds)
    times.table(bench, "status", {"status": ("find", 2.0)})
    retire(repo)


@contextlib.contextmanager
def mounted(bench: Bench, size: int):
    """A mounted XFS, or nothing where that is not to be had."""
    image, place = bench.work / "image", bench.work / "xfs"
    place.mkdir(exist_ok=True)
    with open(image, "wb") as out:
        out.truncate(size)
    made = shutil.which("mkfs.xfs") and os.geteuid() == 0
    made = made and subprocess.run(["mkfs.xfs", "-q", "-f", "-m", "reflink=1", image]).returncode == 0
    made = made and subprocess.run(["mount", "-o", "loop", image, place]).returncode == 0
    try:
        yield place if made else None
    finally:
        if made:
            subprocess.run(["umount", place], check=False)
        image.unlink()


def measure_switch(bench: Bench) -> None:
    switch(bench, "switch, without reflinks", bench.work, 1.2)
    with mounted(bench, max(12 * bench.sizes.file, GIB)) as place:
        if place is None:
            bench.add("switch", "with reflinks", "no XFS can be made and mounted: not measured")
            return
        inner = Bench(bench.haul, place, bench.sizes)
        inner.figures, inner.peaks = bench.figures, bench.peaks
        switch(inner, "switch, with reflinks", place, 0.5)


def switch(bench: Bench, what: str, work: pathlib.Path, most: float) -> None:
    """Places the other of two versions, of which a tenth differs in runs of 1 MiB."""
    # Else Git's hook would have done it already.
    bench.environment["HAUL_SKIP"] = "1"
    repo, times, size = bench.repository(), Times(), bench.sizes.file
    write_random(repo / "data.bin", size, 1)
    bench.verb(repo, "add", "data.bin")
    bench.commit(repo)
    with open(repo / "data.bin", "r+b") as file:
        for offset in range(0, size, 10 * MIB):
            file.seek(offset)
            file.write(os.urandom(min(MIB, size - offset)))
    bench.verb(repo, "add", "data.bin")
    bench.commit(repo)
    warm(repo)
    for number in range(2 * bench.sizes.rounds):
        copying = work / "copied"
        os.sync()
        times.note(what, "cp", program(bench, ["cp", "--reflink=never", repo / "data.bin", copying], work) or 0)
        retire(copying)
        os.sync()
        rev = "HEAD~1" if number % 2 == 0 else "HEAD"
        bench.git(repo, "checkout", "-q", rev if number % 2 == 0 else "main")
        times.note(what, "haul", bench.verb(repo, "checkout", size=human(size)).seconds)
    times.table(bench, "switch", {what: ("cp", most)})
    retire(repo)


def measure_start(bench: Bench) -> None:
    runs = [bench.run([bench.haul, "--version"], bench.work).seconds for _ in range(40)]
    holds = statistics.median(runs) <= START_LIMIT
    bench.add("start", "--version", f"{spread(runs, '{:.4f}')} s", f"{START_LIMIT} s", holds)


def finish(bench: Bench) -> None:
    for what, peak in sorted(bench.peaks.items()):
        demand = f"at most {human(MEMORY_LIMIT)}"
        bench.add("memory", what, human(peak), demand, peak <= MEMORY_LIMIT)


PARTS = {
    "file": measure_file,
    "touch": measure_touch,
    "files": measure_files,
    "status": measure_status,
    "switch": measure_switch,
    "start": measure_start,
}

if __name__ == "__main__":
    measure_parts(__doc__, PARTS, (FULL, QUICK), finish)
