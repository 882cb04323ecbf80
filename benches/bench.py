"""What the benches share: running commands, the table of figures, and the command line."""

import argparse
import contextlib
import dataclasses
import json
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

PROJECT = pathlib.Path(__file__).resolve().parent.parent
KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
SEED = 20
MEMORY_LIMIT = 300 * MIB
# What the highest peak memory of all runs of haul is called among the peaks.
ANY_RUN = "any run of haul"


@dataclasses.dataclass
class Figure:
    """One line of the table."""

    part: str
    what: str
    demand: str
    measure: str
    holds: bool | None
    # Such as the seconds of each round.
    numbers: dict[str, float | list[float]] = dataclasses.field(default_factory=dict)

    def verdict(self) -> str:
        return {None: "", True: "pass", False: "FAIL"}[self.holds]


class Failed(Exception):
    """A command that failed, or content that came out wrong: the rest of its part is not run."""


@dataclasses.dataclass
class Done:
    """A command that ran: its time, its peak memory (the script's own at least), and what it printed."""

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

    def __init__(self, haul: pathlib.Path, work: pathlib.Path, sizes):
        self.haul, self.work, self.sizes = haul, work, sizes
        self.figures: list[Figure] = []
        self.peaks: dict[str, int] = {}
        self.about: dict[str, str] = {}
        if sizes.quick:
            self.about["quick"] = "smaller sizes and fewer rounds than the demands are about"
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
        self.note(Figure(part, what, demand, measure, holds))

    def note(self, figure: Figure) -> None:
        self.figures.append(figure)
        text = f"  {figure.what}: {figure.measure} {figure.verdict()}"
        print(text, file=sys.stderr, flush=True)

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
            if command[0] == str(self.haul):
                self.note_peak(ANY_RUN, usage.ru_maxrss * KIB)
            out.seek(0)
            output = out.read()
            if child.returncode != 0:
                talk.seek(0)
                text = talk.read().decode(errors="replace")
                raise Failed(f"`{' '.join(command)}` failed with {child.returncode}:\n{text}")
        return Done(seconds, usage.ru_maxrss * KIB, output)

    def note_peak(self, key: str, peak: int) -> None:
        self.peaks[key] = max(self.peaks.get(key, 0), peak)

    def git(self, folder: pathlib.Path, *arguments: str) -> Done:
        return self.run(["git", *arguments], folder)

    def verb(self, folder: pathlib.Path, *arguments: str, size: str = "") -> Done:
        """Runs haul; keeps the highest peak memory of each verb for each size."""
        done = self.run([self.haul, *arguments, "--json"], folder)
        if size:
            self.note_peak(f"{arguments[0]}, {size}", done.peak)
        return done

    def demand_memory(self) -> None:
        """Adds a figure for each peak so far: all must stay within the limit."""
        for what, peak in sorted(self.peaks.items()):
            demand = f"at most {human(MEMORY_LIMIT)}"
            figure = Figure("memory", what, demand, human(peak), peak <= MEMORY_LIMIT, {"bytes": peak})
            self.note(figure)

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


def clear(work: pathlib.Path) -> None:
    """Frees what a part left that did not get to its end, so that the next one finds room and no old data."""
    for path in sorted(work.iterdir()):
        if path.name not in ("home", "haul", "codecs", "client", "retired"):
            with contextlib.suppress(OSError):
                retire(path)


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


def write_figures(bench: Bench, file: pathlib.Path | None, about: dict[str, str]) -> None:
    """Writes all figures so far, if a file is named."""
    if file is None:
        return
    document = {"machine": about | bench.about, "quick": bench.sizes.quick}
    document["figures"] = [dataclasses.asdict(figure) for figure in bench.figures]
    whole = file.with_name(f"{file.name}.part")
    whole.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    whole.replace(file)


def run_part(bench: Bench, name: str, part: Callable[[Bench], None]) -> None:
    """Runs a part; if it fails, what it added until then stays, and the next one can follow."""
    print(f"{name} …", file=sys.stderr, flush=True)
    try:
        part(bench)
    except (Failed, OSError, subprocess.SubprocessError) as error:
        print(error, file=sys.stderr, flush=True)
        bench.add("", f"the rest of the part `{name}`", "a command failed", "", False)
        clear(bench.work)


def build(features: str) -> pathlib.Path:
    command = ["cargo", "build", "--release", "--quiet", "--features", features]
    subprocess.run(command, cwd=PROJECT, check=True)
    target = os.environ.get("CARGO_TARGET_DIR", PROJECT / "target")
    return (PROJECT / target / "release" / "haul").resolve()


def codecs_binary(bench: Bench) -> pathlib.Path | None:
    """Builds the bench with the bare loops, codecs.rs, if the project has it; CODECS names one that is built."""
    if given := os.environ.get("CODECS"):
        return pathlib.Path(given)
    if not (PROJECT / "benches" / "codecs.rs").exists():
        return None
    command = ["cargo", "bench", "--no-run", "--quiet", "--bench", "codecs"]
    command += ["--message-format", "json"]
    done = subprocess.run(command, cwd=PROJECT, check=True, capture_output=True)
    built = [json.loads(line).get("executable") for line in done.stdout.splitlines()]
    found = [name for name in built if name and pathlib.Path(name).name.startswith("codecs-")]
    return pathlib.Path(shutil.copy2(found[-1], bench.work / "codecs")) if found else None


def arguments_of(doc: str, parts: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="smaller sizes, fewer rounds")
    parser.add_argument("--only", default=",".join(parts), metavar="PART,…", help="these parts only")
    parser.add_argument("--work", type=pathlib.Path, metavar="DIR", help="where to put the data")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write the figures here")
    parser.add_argument("--haul", type=pathlib.Path, metavar="FILE", help="build nothing, take this")
    arguments = parser.parse_args()
    arguments.only = arguments.only.split(",")
    for part in arguments.only:
        if part not in parts:
            parser.error(f"there is no part `{part}`; there are {', '.join(parts)}")
    return arguments


def measure_parts(
    doc: str,
    parts: dict[str, Callable[[Bench], None]],
    sizes: tuple,
    finish: Callable[[Bench], None] = lambda bench: None,
    features: str = "",
) -> None:
    """The whole program: runs the wanted parts, prints the table, ends with 1 if a demand fails.

    The figures are written after each part and when it is interrupted: a long run keeps what it has.
    `sizes` are those of a full and of a quick run, each with at least `quick` and `rounds`.
    """
    arguments = arguments_of(doc, list(parts))
    full, quick = sizes
    haul = arguments.haul or build(features)
    before = load()
    if arguments.work:
        arguments.work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="haul-bench-", dir=arguments.work) as folder:
        work = pathlib.Path(folder).resolve()
        about = machine(work)
        # A copy, so that another build meanwhile does not change what is measured.
        haul = pathlib.Path(shutil.copy2(haul, work / "haul"))
        bench = Bench(haul, work, quick if arguments.quick else full)
        about["haul"] = first_line([str(haul), "--version"])
        about["load before"] = before
        for part in parts:
            if part in arguments.only:
                try:
                    run_part(bench, part, parts[part])
                finally:
                    write_figures(bench, arguments.json, about)
        finish(bench)
        about["load after"] = load()
        write_figures(bench, arguments.json, about)
    for name, text in (about | bench.about).items():
        print(f"{name}: {text}")
    print()
    print_table(bench.figures)
    failed = sum(1 for figure in bench.figures if figure.holds is False)
    if failed:
        sys.exit(f"demands not met: {failed}")
