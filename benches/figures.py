#!/usr/bin/env python3
"""Prints haul's figures on this machine, each against its demand, from one command.

    python3 benches/figures.py [--quick] [--only PART,…] [--work DIR] [--json FILE]

Parts: files (E1, E3: 50,000 small files), file (E1: one large file), versions (E2), memory (E3: one
huge file), requests (E4), start. Builds the release binary first; the data is made from a seed and
removed at the end. Every time is taken in turns with its yardstick, `cp` and `sync` to the same
disk, and given as a ratio to it: median of the rounds, lowest and highest in brackets.

--quick takes smaller sizes and fewer rounds, and says so. Full runs need 10 GB of free disk and some
15 minutes. Exit code 1 if a demand is not met. Needs the standard library, Cargo, Git and coreutils.
"""

import argparse
import dataclasses
import json
import os
import pathlib
import platform
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

PROJECT = pathlib.Path(__file__).resolve().parent.parent
MAKE_DATA = PROJECT / "fixtures" / "make_data.py"
KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
MEMORY_LIMIT = 300 * MIB
PACK = 64 * MIB
SEED = 20


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


@dataclasses.dataclass
class Figure:
    """One line of the table."""

    part: str
    what: str
    demand: str
    measure: str
    holds: bool | None

    def verdict(self) -> str:
        return {None: "", True: "pass", False: "FAIL"}[self.holds]


class Failed(Exception):
    """A command that failed, or content that came out wrong: the rest of its part is not run."""


@dataclasses.dataclass
class Done:
    """A command that ran: its time, its peak memory, and what it printed."""

    seconds: float
    peak: int
    output: bytes

    def json(self) -> dict:
        return json.loads(self.output)


def human(count: float) -> str:
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.2f} GiB"


def spread(values: list[float], form: str = "{:.2f}") -> str:
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{form.format(middle)} [{form.format(low)}–{form.format(high)}]"


class Bench:
    """The binary, the work folder, and the figures so far."""

    def __init__(self, haul: pathlib.Path, work: pathlib.Path, sizes: Sizes):
        self.haul, self.work, self.sizes = haul, work, sizes
        self.figures: list[Figure] = []
        self.peaks: dict[str, int] = {}
        home = work / "home"
        home.mkdir()
        (home / "gitconfig").write_text(
            "[user]\n\tname = figures\n\temail = figures@localhost\n[init]\n\tdefaultBranch = main\n"
        )
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("HAUL_", "GIT_", "XDG_"))}
        self.environment = kept | {
            "HOME": str(home),
            "GIT_CONFIG_GLOBAL": str(home / "gitconfig"),
            "GIT_CONFIG_NOSYSTEM": "1",
            "HAUL_ACCEPT_REMOTE": str(work / "remote"),
            "LC_ALL": "C",
        }

    def add(self, part: str, what: str, measure: str, demand: str = "", holds: bool | None = None):
        figure = Figure(part, what, demand, measure, holds)
        self.figures.append(figure)
        print(f"  {what}: {measure} {figure.verdict()}", file=sys.stderr, flush=True)

    def run(self, command: list, folder: pathlib.Path) -> Done:
        """Runs a command to its end; a failure ends the part."""
        command = [str(part) for part in command]
        with tempfile.TemporaryFile(dir=self.work) as out, tempfile.TemporaryFile(
            dir=self.work
        ) as talk:
            start = time.perf_counter()
            child = subprocess.Popen(
                command, cwd=folder, env=self.environment, stdout=out, stderr=talk,
                stdin=subprocess.DEVNULL,
            )
            _, status, usage = os.wait4(child.pid, 0)
            seconds = time.perf_counter() - start
            child.returncode = os.waitstatus_to_exitcode(status)
            out.seek(0)
            output = out.read()
            if child.returncode != 0:
                talk.seek(0)
                text = talk.read().decode(errors="replace")
                raise Failed(f"`{' '.join(command)}` failed with {child.returncode}:\n{text}")
        return Done(seconds, usage.ru_maxrss * KIB, output)

    def git(self, folder: pathlib.Path, *arguments: str) -> None:
        self.run(["git", *arguments], folder)

    def verb(self, folder: pathlib.Path, *arguments: str, size: str = "") -> Done:
        """Runs haul; keeps the highest peak memory of each verb for each size."""
        done = self.run([self.haul, *arguments, "--json"], folder)
        if size:
            key = f"{arguments[0]}, {size}"
            self.peaks[key] = max(self.peaks.get(key, 0), done.peak)
        return done

    def repository(self) -> pathlib.Path:
        """Makes a new repository with an empty remote."""
        for name in ("repo", "clone", "remote"):
            retire(self.work / name)
        repo = self.work / "repo"
        repo.mkdir()
        self.git(repo, "init", "-q")
        self.verb(repo, "init")
        self.verb(repo, "remote", "add", "origin", "../remote")
        self.git(repo, "add", "-A")
        self.git(repo, "commit", "-q", "-m", "start")
        return repo

    def commit(self, repo: pathlib.Path) -> None:
        self.git(repo, "commit", "-q", "-m", "data")

    def clone(self) -> pathlib.Path:
        retire(self.work / "clone")
        self.git(self.work, "clone", "-q", "repo", "clone")
        return self.work / "clone"

    def yardstick(self, source: pathlib.Path) -> float:
        """Times `cp -r` and `sync` to the same disk; everything else is on disk before."""
        target = self.work / "copy"
        retire(target)
        os.sync()
        start = time.perf_counter()
        subprocess.run(["cp", "-r", source, target], check=True)
        subprocess.run(["sync"], check=True)
        seconds = time.perf_counter() - start
        retire(target)
        os.sync()
        return seconds


def retire(path: pathlib.Path) -> None:
    """Frees a path and its space; empty and tiny files stay until the end.

    After thousands of files were removed, ext4 makes new ones ten times slower for minutes, as it
    does not use their inodes again at once: that would measure the tidying up.
    """
    if not path.exists():
        return
    yard = path.parent / "retired"
    yard.mkdir(exist_ok=True)
    moved = yard / f"{len(os.listdir(yard))}"
    os.rename(path, moved)
    pending = [os.fspath(moved)] if moved.is_dir() else []
    if not pending:
        os.truncate(moved, 0)
    while pending:
        for entry in os.scandir(pending.pop()):
            if entry.is_dir(follow_symlinks=False):
                pending.append(entry.path)
            elif entry.is_file(follow_symlinks=False) and entry.stat().st_size > 2 * KIB:
                os.truncate(entry.path, 0)


def write_random(path: pathlib.Path, size: int, seed: int) -> None:
    source = random.Random(seed)
    with open(path, "wb") as out:
        while size:
            size -= out.write(source.randbytes(min(size, 8 * MIB)))


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


def warm(path: pathlib.Path) -> None:
    """Reads everything once, so that all rounds find it in the page cache."""
    paths = sorted(path.rglob("*")) if path.is_dir() else [path]
    for file in paths:
        if file.is_file():
            with open(file, "rb", buffering=0) as source:
                while source.read(MIB):
                    pass


def kept_bytes(folder: pathlib.Path) -> int:
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())


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


def first_line(command: list[str]) -> str:
    try:
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return text.strip().splitlines()[0] if text.strip() else "unknown"


def machine(work: pathlib.Path) -> dict[str, str]:
    cpu = platform.processor() or "unknown"
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            cpu = line.partition(":")[2].strip()
            break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    disk = first_line(["findmnt", "-no", "SOURCE,FSTYPE", "--target", str(work)])
    device = pathlib.Path("/sys/class/block") / pathlib.Path(disk.split()[0]).name
    spins = device / "queue" / "rotational"
    kind = ""
    if spins.exists():
        kind = ", spinning" if spins.read_text().strip() == "1" else ", solid state"
    return {
        "system": f"{platform.system()} {platform.release()}",
        "cores": str(len(os.sched_getaffinity(0))),
        "cpu": cpu,
        "memory": human(memory),
        "disk": f"{disk}{kind}, {human(shutil.disk_usage(work).free)} free",
    }


def load() -> str:
    one = os.getloadavg()[0]
    warning = ": other work is running, so times are unsure, ratios less so" if one > 1 else ""
    return f"{one:.2f}{warning}"


def print_table(figures: list[Figure]) -> None:
    rows = [("", "figure", "demand", "measure", "")]
    rows += [(f.part, f.what, f.demand, f.measure, f.verdict()) for f in figures]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    rows.insert(1, tuple("-" * width for width in widths))
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


def build() -> pathlib.Path:
    subprocess.run(["cargo", "build", "--release", "--quiet"], cwd=PROJECT, check=True)
    target = os.environ.get("CARGO_TARGET_DIR", PROJECT / "target")
    return (PROJECT / target / "release" / "haul").resolve()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="smaller sizes, fewer rounds")
    parser.add_argument("--only", default=",".join(PARTS), metavar="PART,…", help="these parts only")
    parser.add_argument("--work", type=pathlib.Path, metavar="DIR", help="where to put the data")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write the figures here")
    arguments = parser.parse_args()
    parts = arguments.only.split(",")
    for part in parts:
        if part not in PARTS:
            parser.error(f"there is no part `{part}`; there are {', '.join(PARTS)}")
    sizes = QUICK if arguments.quick else FULL
    haul = build()
    before = load()
    if arguments.work:
        arguments.work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="haul-figures-", dir=arguments.work) as folder:
        work = pathlib.Path(folder).resolve()
        about = machine(work)
        # A copy, so that another build meanwhile does not change what is measured.
        haul = pathlib.Path(shutil.copy2(haul, work / "haul"))
        bench = Bench(haul, work, sizes)
        about["haul"] = first_line([str(haul), "--version"])
        for part in PARTS:
            if part in parts:
                print(f"{part} …", file=sys.stderr, flush=True)
                try:
                    PARTS[part](bench)
                except Failed as error:
                    print(error, file=sys.stderr, flush=True)
                    bench.add("", f"the rest of the part `{part}`", "a command failed", "", False)
        peaks(bench)
    about |= {"load before": before, "load after": load()}
    for name, text in about.items():
        print(f"{name}: {text}")
    if sizes.quick:
        print("quick: smaller sizes and fewer rounds than the demands are about")
    print()
    print_table(bench.figures)
    if arguments.json:
        document = {"machine": about, "quick": sizes.quick}
        document["figures"] = [dataclasses.asdict(figure) for figure in bench.figures]
        arguments.json.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    failed = sum(1 for figure in bench.figures if figure.holds is False)
    if failed:
        sys.exit(f"demands not met: {failed}")


if __name__ == "__main__":
    main()
