#!/usr/bin/env python3
"""Runs whole commands side by side: haul, what a machine can do at best, and the rivals.

    python3 benches/whole.py [--quick] [--only PART,…] [--work DIR] [--json FILE] [--haul FILE]

Parts: file (2 GiB that nobody has seen: add, push, pull), touch (add again after `touch`), files (50,000 of
4 to 30 KB: also status, push of nothing new, and all of them placed again), status (200,000 unchanged), switch
(another version of 2 GiB of which a tenth changed: with reflinks on a mounted XFS, and without, for which --work
must be on a file system that has none), start (`--version`, and `status` of an empty repository). A switch is
"built" if the cache has no whole file of the wanted version: from the old one in the worktree, and packs. With
reflinks there is a second row, in which the cache has one; the rivals' times are the same in both.

Limits are `cp` and `sync`, `cat`, `b3sum`, `git add`, and for `touch` and `status` the loops `known` and `stat` of
codecs.rs, which is built for it; `find` is for information. Rivals are dvc, git-lfs and restic if they are on PATH.
An add of the file may take 1/0.8 of `cp` and `sync`. A push and a pull of it are to go at the speed of `cp`, which
says no figure: they are given the same, as each brings the same bytes to the same disk once more.

Each round runs all programs in turns, in fresh repositories, so that other work on the machine hits all alike; in
`touch` and `switch` the tools follow one another, as the disk would have to hold the stores of all. One line per
step: medians with the lowest and highest, haul's ratio to its limit and to each rival's median, and the most memory
of each tool; the JSON has the seconds of each round. Where there is nothing to do, Git LFS is Git's own work and not
compared. A rival that fails is left out from then on, and a part in which haul fails ends; both count as demands
that are not met. The most memory that haul took in any run stands at the end.

--quick takes small sizes and says so. A full run needs 30 GB of free disk; the XFS needs root.
Exit code 1 if a demand is not met.
"""

import contextlib
import dataclasses
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable

from bench import GIB, KIB, MIB, Bench, Done, Failed, Figure
from bench import codecs_binary, human, measure_parts, retire, spread, warm
from figures import write_random, write_tree
from rivals import Dvc, GitLfs, Restic, Rustic, Tool, file_hash, tools_here


@dataclasses.dataclass
class Sizes:
    """How much a run measures."""

    quick: bool
    rounds: int
    file: int
    files: int
    many: int


FULL = Sizes(quick=False, rounds=3, file=2 * GIB, files=50_000, many=200_000)
QUICK = Sizes(quick=True, rounds=2, file=64 * MIB, files=2_000, many=4_000)

# Than these haul is never slower, and what of them is Git's own in Git LFS.
RIVALS = ("dvc", "git-lfs", "restic")
NOTHING_TO_DO = ("status", "push again")

# For each step the highest ratio of haul's time to that of another program.
Limits = dict[str, dict[str, float]]
FILE: Limits = {step: {"cp+sync": 1 / 0.8} for step in ("add", "push", "pull")}
FILES: Limits = {step: {"cp+sync": 1.5, "dvc": 1 / 5} for step in ("add", "push", "pull")}
FILES["add"]["restic"] = 1 / 2
FILES |= {step: {"dvc": 1 / 5} for step in ("status", "push again", "checkout")}
TOUCH: Limits = {"add again": {"read, cut, hash": 1 / 0.85}}
STATUS: Limits = {"status": {"stat on all cores": 2.0}}
WITH_REFLINKS, WITHOUT_REFLINKS = 0.5, 1.2
START_SECONDS = 0.020


class Times:
    """Seconds of each program for each step, one for each round, and the most memory of each tool."""

    def __init__(self):
        self.all: dict[str, dict[str, list[float]]] = {}
        self.peaks: dict[tuple[str, str], int] = {}

    def note(self, step: str, who: str, took: Done | float | None) -> None:
        if isinstance(took, Done):
            self.peaks[step, who] = max(self.peaks.get((step, who), 0), took.peak)
            took = took.seconds
        if took is not None:
            self.all.setdefault(step, {}).setdefault(who, []).append(round(took, 6))

    def figures(self, part: str, limits: Limits, most: float | None) -> list[Figure]:
        """Gives a figure for each step; haul may take `most` seconds for each, if that is given."""
        return [self.figure(part, step, limits.get(step, {}), most) for step in self.all]

    def figure(self, part: str, step: str, limits: dict[str, float], most: float | None) -> Figure:
        middle = {who: statistics.median(seconds) for who, seconds in self.all[step].items()}
        limits = {who: ratio for who, ratio in self.limits(step, limits).items() if who in middle}
        demands = [] if most is None else [f"at most {most:g} s"]
        demands += [f"at most {ratio:.3g} of {who}" for who, ratio in limits.items()]
        holds = None
        if demands and "haul" in middle:
            allowed = [ratio * middle[who] for who, ratio in limits.items()]
            holds = middle["haul"] <= min(allowed + ([] if most is None else [most]))
        return Figure(part, step, ", ".join(demands), self.text(step, middle), holds, self.numbers(step))

    @staticmethod
    def limits(step: str, limits: dict[str, float]) -> dict[str, float]:
        """Adds the rivals to what is demanded of a step."""
        rivals = {who: 1.0 for who in RIVALS}
        if step in NOTHING_TO_DO:
            rivals.pop("git-lfs")
        return rivals | limits

    def text(self, step: str, middle: dict[str, float]) -> str:
        form = "{:.4f}" if min(middle.values()) < 0.1 else "{:.2f}"
        parts = [f"{who} {spread(seconds, form)} s" for who, seconds in self.all[step].items()]
        for who, seconds in middle.items():
            if who != "haul" and "haul" in middle and seconds:
                parts.append(f"{middle['haul'] / seconds:.2f} of {who}")
        peaks = [f"{who} {human(peak)}" for (of, who), peak in self.peaks.items() if of == step]
        return "; ".join(parts + ([f"memory: {', '.join(peaks)}"] if peaks else []))

    def numbers(self, step: str) -> dict[str, float | list[float]]:
        seconds = {f"{who}, seconds": rounds for who, rounds in self.all[step].items()}
        return seconds | {f"{who}, bytes": peak for (of, who), peak in self.peaks.items() if of == step}


@contextlib.contextmanager
def times_of(bench: Bench, part: str, limits: Limits, most: float | None = None):
    """Gives times to fill, and adds their figures at the end, also if something failed meanwhile."""
    times = Times()
    try:
        yield times
    finally:
        for figure in times.figures(part, limits, most):
            bench.note(figure)


def each(bench: Bench, part: str, tools: list[Tool], work: Callable[[Tool], None]) -> None:
    """Runs something with each tool; leaves out a rival that fails from then on."""
    for tool in list(tools):
        try:
            work(tool)
        except Failed as error:
            if tool.name == "haul":
                raise
            print(error, file=sys.stderr, flush=True)
            bench.add(part, f"the rest of {tool.name}", "a command failed, or content came out wrong", "", False)
            tools.remove(tool)
            tool.end()


def program(bench: Bench, command: list, folder: pathlib.Path) -> float | None:
    """Times a program that may not be installed."""
    return bench.run(command, folder).seconds if shutil.which(command[0]) else None


def shown(bench: Bench, name: str) -> str:
    """Says how large the data of that name is."""
    return f"{bench.sizes.files} files" if name == "data.d" else human(bench.sizes.file)


def pulled(tool: Tool, name: str) -> Done | None:
    """Brings what a tool sent to another place."""
    bench, work = tool.bench, tool.bench.work
    if isinstance(tool, Restic):
        return tool.run("-q", "-r", tool.remote, "restore", "latest", "--target", work / "clone")
    if isinstance(tool, Dvc):
        save(tool)
        bench.git(work, "clone", "-q", "repo", "clone")
        return bench.run(["dvc", "pull", "-q"], work / "clone")
    if isinstance(tool, GitLfs):
        return pulled_by_lfs(tool)
    return bench.verb(bench.clone(), "pull", size=shown(bench, name)) if tool.name == "haul" else None


def pulled_by_lfs(tool: GitLfs) -> Done:
    bench, clone = tool.bench, tool.bench.work / "clone"
    bench.run(["git", "clone", "-q", "--no-checkout", f"file://{tool.remote}", "clone"], bench.work)
    bench.git(clone, "lfs", "install", "--local")
    placed = bench.git(clone, "checkout", "-q", "main")
    filled = bench.git(clone, "lfs", "pull")
    return Done(placed.seconds + filled.seconds, max(placed.peak, filled.peak), b"")


def save(tool: Tool) -> None:
    """Commits what a tool added, if it is one that works with Git."""
    if isinstance(tool, Dvc):
        tool.git("add", "-A")
        tool.git("commit", "-q", "-m", "data")
    else:
        tool.commit()


def step(tool: Tool, name: str, verb: str) -> Done:
    """Runs add or push of a tool, with the memory of haul's."""
    if tool.name == "haul":
        words = (verb, name) if verb == "add" else (verb,)
        return tool.bench.verb(tool.repo, *words, size=shown(tool.bench, name))
    return tool.add(name) if verb == "add" else tool.push()


# What says that nothing changed, and what places files again that were removed.
SAYING = {"haul": ["status"], "dvc": ["status", "-q"]}
PLACING = {"haul": ["checkout"], "dvc": ["checkout", "-q"]}


def verb_of(tool: Tool, size: str, verbs: dict[str, list[str]], plain: list[str]) -> Done:
    """Runs a tool's own verb, or what Git has for it."""
    if tool.name == "haul":
        return tool.bench.verb(tool.repo, *verbs["haul"], size=size)
    return tool.run(*verbs[tool.name]) if tool.name in verbs else tool.git(*plain)


def with_nothing_new(tool: Tool, name: str, times: Times) -> None:
    """Times what a tool does once all is sent: looking, sending nothing, and placing files that are gone."""
    if tool.name not in ("haul", "dvc", "git-lfs"):
        return
    size = shown(tool.bench, name)
    times.note("status", tool.name, verb_of(tool, size, SAYING, ["status", "--porcelain"]))
    times.note("push again", tool.name, step(tool, name, "push"))
    retire((tool.repo / name).rename(tool.bench.work / "gone"))
    os.sync()
    times.note("checkout", tool.name, verb_of(tool, size, PLACING, ["checkout", "-q", "--", name]))


def round_trip(bench: Bench, part: str, source: pathlib.Path, limits: Limits) -> None:
    """Adds, pushes and pulls `source` with each tool, in turns with what the machine can do."""
    tools = tools_here(bench)
    warm(source)
    with times_of(bench, part, limits) as times:
        for _ in range(bench.sizes.rounds):
            at_best(bench, source, times)
            each(bench, part, tools, lambda tool: trip(tool, source, times))


def at_best(bench: Bench, source: pathlib.Path, times: Times) -> None:
    copying = bench.yardstick(source)
    for verb in ("add", "push", "pull"):
        times.note(verb, "cp+sync", copying)
    if source.is_file():
        times.note("add", "cat", program(bench, ["sh", "-c", f"cat {source} >/dev/null"], bench.work))
        times.note("add", "b3sum", program(bench, ["b3sum", source], bench.work))
    times.note("add", "git add", git_add(bench, source))


def trip(tool: Tool, source: pathlib.Path, times: Times) -> None:
    """Brings `source` into a new repository of a tool, to its remote, and from there to another place."""
    name = source.name
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
    if (done := pulled(tool, name)) is not None:
        times.note("pull", tool.name, done)
        same(source, tool.bench.work / "clone", name)
    if source.is_dir():
        with_nothing_new(tool, name, times)
        same(source, tool.repo, name)
    tool.end()


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
    round_trip(bench, "file", source, FILE)
    retire(source)


def measure_touch(bench: Bench) -> None:
    """Content that haul knows, with another time: it is read, cut and hashed, and nothing is stored."""
    tools, codecs = tools_here(bench), codecs_binary(bench)
    source = bench.work / "data.bin"
    write_random(source, bench.sizes.file, 1)
    with times_of(bench, "touch", TOUCH) as times:
        each(bench, "touch", tools, lambda tool: touch(tool, source, codecs, times))
    retire(source)


def touch(tool: Tool, source: pathlib.Path, codecs: pathlib.Path | None, times: Times) -> None:
    tool.begin()
    put(source, tool.repo / source.name)
    step(tool, source.name, "add")
    tool.commit()
    for _ in range(tool.bench.sizes.rounds):
        if tool.name == "haul":
            read_again(tool.bench, source.name, codecs, times)
        (tool.repo / source.name).touch()
        times.note("add again", tool.name, step(tool, source.name, "add"))
    tool.end()


def read_again(bench: Bench, name: str, codecs: pathlib.Path | None, times: Times) -> None:
    """Times what a machine can do at best with a file of which everything is known."""
    repo = bench.work / "repo"
    times.note("add again", "cat", program(bench, ["sh", "-c", f"cat {name} >/dev/null"], repo))
    times.note("add again", "b3sum", program(bench, ["b3sum", "--no-mmap", name], repo))
    if codecs:
        done = bench.run([codecs, "--alone", "known", name], repo)
        times.note("add again", "read, cut, hash", float(done.output) * bench.sizes.file / 1e9)


def measure_files(bench: Bench) -> None:
    source = bench.work / "data.d"
    write_tree(source, bench.sizes.files, bench.sizes.files // 100, range(4 * KIB, 30 * KIB))
    round_trip(bench, "files", source, FILES)
    retire(source)


def stat_loop(bench: Bench) -> pathlib.Path | None:
    """Gives the program that looks at all names of a folder; without one the demand is not met."""
    codecs = codecs_binary(bench)
    with contextlib.suppress(Failed):
        if codecs:
            bench.run([codecs, "--alone", "stat", bench.work / "home"], bench.work)
            return codecs
    text = "not measured: this build of benches/codecs.rs has no `--alone stat`, build it anew"
    bench.add("status", "stat on all cores", text, "", False)
    return None


def measure_status(bench: Bench) -> None:
    codecs, repo, size = stat_loop(bench), bench.repository(), f"{bench.sizes.many} files"
    write_tree(repo / "data.d", bench.sizes.many, bench.sizes.many // 200, range(100, 2000))
    bench.verb(repo, "add", "data.d", size=size)
    bench.commit(repo)
    bench.verb(repo, "status", size=size)
    with times_of(bench, "status", STATUS) as times:
        for _ in range(bench.sizes.rounds):
            if codecs:
                done = bench.run([codecs, "--alone", "stat", "data.d"], repo)
                times.note("status", "stat on all cores", float(done.output))
            times.note("status", "find", program(bench, ["find", "data.d", "-printf", "%s"], repo))
            times.note("status", "git status", bench.git(repo, "status", "--porcelain").seconds)
            times.note("status", "haul", bench.verb(repo, "status", size=size))
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


@dataclasses.dataclass
class Version:
    """A version of the file that is switched, and the hash that it must have."""

    path: pathlib.Path
    digest: bytes


REVISIONS = ("main~1", "main")


def measure_switch(bench: Bench) -> None:
    switch(bench, "without reflinks", WITHOUT_REFLINKS)
    with mounted(bench, max(12 * bench.sizes.file, GIB)) as place:
        if place is None:
            demand, holds = f"at most {WITH_REFLINKS:g} of cp", None if bench.sizes.quick else False
            bench.add("switch", "with reflinks", "not measured: no XFS can be made and mounted", demand, holds)
            return
        inner = Bench(bench.haul, place, bench.sizes)
        inner.figures, inner.peaks, inner.about = bench.figures, bench.peaks, bench.about
        switch(inner, "with reflinks", WITH_REFLINKS)


def switch(bench: Bench, how: str, most: float) -> None:
    """Places the other of two versions with each tool, of which a tenth differs in runs of 1 MiB."""
    steps = [f"{how}: built"]
    if how == "with reflinks":
        steps.append(f"{how}: from the whole file")
    tools = [tool for tool in tools_here(bench) if not isinstance(tool, Rustic)]
    versions = two_versions(bench)
    # Else Git's hook would have done it already.
    bench.environment["HAUL_SKIP"] = "1"
    try:
        with times_of(bench, "switch", {step: {"cp": most} for step in steps}) as times:
            each(bench, "switch", tools, lambda tool: switch_with(tool, versions, steps, times))
    finally:
        del bench.environment["HAUL_SKIP"]
    for version in versions:
        retire(version.path)


def two_versions(bench: Bench) -> list[Version]:
    one, two, size = bench.work / "one.bin", bench.work / "two.bin", bench.sizes.file
    write_random(one, size, 1)
    put(one, two)
    with open(two, "r+b") as file:
        for offset in range(0, size, 10 * MIB):
            file.seek(offset)
            file.write(os.urandom(min(MIB, size - offset)))
    return [Version(path, file_hash(path)) for path in (one, two)]


def switch_with(tool: Tool, versions: list[Version], steps: list[str], times: Times) -> None:
    tool.begin()
    for version in versions:
        put(version.path, tool.repo / "data.bin")
        step(tool, "data.bin", "add")
        save(tool)
    warm(tool.repo)
    if tool.name != "haul":
        turns(tool, versions, steps, times)
    else:
        switch_with_haul(tool, versions, steps, times)
    tool.end()


def switch_with_haul(tool: Tool, versions: list[Version], steps: list[str], times: Times) -> None:
    """Switches without a whole file in the cache, and then with those that the cache keeps."""
    whole = tool.repo / ".git" / "haul" / "files"

    def forget() -> None:
        if whole.exists():
            retire(whole.rename(tool.bench.work / "whole"))

    turns(tool, versions, steps[:1], times, forget)
    if len(steps) > 1:
        for number in range(len(versions)):
            place(tool, number)
        if sum(1 for path in whole.rglob("*") if path.is_file()) < len(versions):
            raise Failed("the cache keeps no whole file of each version")
        turns(tool, versions, steps[1:], times)


def turns(
    tool: Tool,
    versions: list[Version],
    steps: list[str],
    times: Times,
    before: Callable[[], None] = lambda: None,
) -> None:
    """Places the versions in turns; haul's in turns with `cp` as well."""
    for number in range(2 * tool.bench.sizes.rounds):
        version = versions[number % 2]
        before()
        if tool.name == "haul":
            times.note(steps[0], "cp", copied(tool))
        os.sync()
        done = place(tool, number % 2)
        for name in steps:
            times.note(name, tool.name, done)
        if file_hash(tool.repo / "data.bin") != version.digest:
            raise Failed(f"{tool.name} placed other bytes than those of the version")


def copied(tool: Tool) -> float:
    bench, target = tool.bench, tool.bench.work / "copied"
    os.sync()
    command = ["cp", "--reflink=never", tool.repo / "data.bin", target]
    seconds = bench.run(command, bench.work).seconds
    retire(target)
    return seconds


def place(tool: Tool, number: int) -> Done:
    """Places a version in place of the other; Git's own part counts only where it does it all."""
    if isinstance(tool, Restic):
        command = ("-q", "-r", tool.remote, "restore", snapshots(tool)[number], "--target", tool.repo)
        return tool.run(*command)
    moved = tool.git("checkout", "-q", REVISIONS[number])
    if isinstance(tool, GitLfs):
        return moved
    return verb_of(tool, shown(tool.bench, "data.bin"), PLACING, [])


def snapshots(tool: Restic) -> list[str]:
    found = tool.run("-r", tool.remote, "snapshots", "--json").json()
    return [one["id"] for one in sorted(found, key=lambda one: one["time"])]


def measure_start(bench: Bench) -> None:
    with times_of(bench, "start", {}, START_SECONDS) as times:
        each(bench, "start", tools_here(bench), lambda tool: start(tool, times))


def start(tool: Tool, times: Times) -> None:
    program = tool.bench.haul if tool.name == "haul" else tool.name
    often = range(40 if tool.name == "haul" else 5)
    for _ in often:
        times.note("--version", tool.name, tool.bench.run([program, *tool.version], tool.bench.work))
    if tool.name in SAYING:
        tool.begin()
        for _ in often:
            done = verb_of(tool, "an empty repository", SAYING, [])
            times.note("status of an empty repository", tool.name, done)
        tool.end()


PARTS = {
    "file": measure_file,
    "touch": measure_touch,
    "files": measure_files,
    "status": measure_status,
    "switch": measure_switch,
    "start": measure_start,
}

if __name__ == "__main__":
    measure_parts(__doc__, PARTS, (FULL, QUICK), Bench.demand_memory)
