#!/usr/bin/env python3
"""What haul costs beside Git: hooks, a merge of large folders, and a job that pulls a part.

    python3 benches/git.py [--quick] [--only PART,…] [--work DIR] [--json FILE] [--haul FILE]

Parts: commit (B1: the hooks of a commit that touches no data), push (B1: the pre-push hook with nothing
new, in a long history), filter (B2: `git status`, `git clone` and `git pull` of files that Git hands over,
beside plain Git and beside Git LFS where it is installed, through its agent for folders), merge (B3: two branches that each change files of one large folder), part (B4:
one sub-directory of a large folder). Times are taken in turns with their yardstick and given as median
of the rounds, lowest and highest in brackets. The history comes from `git fast-import`, the files of
the folder are of a few bytes each, of which the manifest holds the most; those of the part are larger.

--quick takes smaller sizes and fewer rounds, and says so. A full run makes a million files and needs
20 GB of free disk. Exit code 1 if a demand is not met. Needs the standard library, Cargo and Git.
"""

import dataclasses
import os
import pathlib
import random
import shutil
import statistics
import subprocess

from bench import MIB, SEED, Bench, Failed, Figure, human, kept_bytes, measure_parts, spread

# The demands.
COMMIT_SECONDS, COMMIT_RATIO = 0.015, 3.0
PUSH_SECONDS, PUSH_REQUESTS = 0.050, 3
STATUS_RATIO, LFS_RATIO = 1.2, 10.0
MERGE_SECONDS = 1.0
PART_SURPLUS = MIB


@dataclasses.dataclass
class Sizes:
    quick: bool
    rounds: int
    # Commits of the long history.
    commits: int
    # Files that Git hands over, and rounds of bringing them.
    handed: int
    turns: int
    # Files of the large folder, files that each branch changes, and files of the part.
    files: int
    changes: int
    part: int


FULL = Sizes(False, 11, 50_000, 10_000, 2, 1_000_000, 1_000, 1_000)
QUICK = Sizes(True, 5, 5_000, 1_000, 2, 20_000, 100, 200)

# Files that Git hands over are of many sizes around this one.
HANDED_FILE = 8_000

# A file of the part, which has to be fetched, unlike what the manifest holds itself.
PART_FILE = 10_000


def seconds_of(bench: Bench, folder: pathlib.Path, *command) -> float:
    return bench.run(list(command), folder).seconds


def with_hooks(bench: Bench) -> pathlib.Path:
    """A repository whose Git calls haul, with some data that was pushed."""
    repo = bench.repository()
    (repo / "data").mkdir()
    for number in range(10):
        (repo / "data" / f"{number}.bin").write_bytes(random.Random(number).randbytes(100_000))
    bench.verb(repo, "add", "data")
    bench.commit(repo)
    bench.verb(repo, "push")
    return repo


def commit(bench: Bench) -> None:
    """Commits of one line of code, with the hooks and without them."""
    repo = with_hooks(bench)
    times: dict[str, list[float]] = {"hooks": [], "none": []}
    version = [seconds_of(bench, repo, "git", "--version") for _ in range(20)]
    for number in range(2 * bench.sizes.rounds + 2):
        kind = ("hooks", "none")[number % 2]
        (repo / "code.txt").write_text(f"{number}\n")
        bench.git(repo, "add", "code.txt")
        hooks = [] if kind == "hooks" else ["-c", "core.hooksPath=/dev/null"]
        seconds = seconds_of(bench, repo, "git", *hooks, "commit", "-q", "-m", "code")
        # The first of each kind meets what nobody has read yet.
        if number > 1:
            times[kind].append(seconds)
    over = [a - b for a, b in zip(times["hooks"], times["none"])]
    limit = max(COMMIT_SECONDS, COMMIT_RATIO * statistics.median(version))
    text = f"{spread(over, '{:.4f}')} s over {spread(times['none'], '{:.4f}')} s"
    demand = f"≤ {limit:.4f} s"
    cost = statistics.median(over)
    numbers = {"seconds": cost, "git --version": statistics.median(version)}
    what = "hooks of a commit that touches no data"
    bench.note(Figure("B1", what, demand, text, cost <= limit, numbers))


def long_history(bench: Bench, repo: pathlib.Path) -> None:
    """Puts commits of code on the branch, each of which changes one file."""
    lines = []
    for number in range(bench.sizes.commits):
        lines.append("commit refs/heads/main\n")
        lines.append(f"committer a <a@localhost> {1_700_000_000 + number} +0000\ndata 1\nx\n")
        if number == 0:
            lines.append("from refs/heads/main^0\n")
        body = f"{number}\n"
        lines.append(f"M 100644 inline code/{number % 500}.txt\ndata {len(body)}\n{body}\n")
    feed = "".join(lines).encode()
    subprocess.run(
        ["git", "fast-import", "--quiet"], cwd=repo, env=bench.environment, input=feed, check=True
    )
    bench.git(repo, "reset", "-q", "--hard")


def push(bench: Bench) -> None:
    """Pushes of one commit without data, with the hook and without it."""
    repo = with_hooks(bench)
    upstream = bench.work / "upstream.git"
    bench.git(bench.work, "init", "-q", "--bare", upstream.name)
    bench.git(repo, "remote", "add", "origin", str(upstream))
    long_history(bench, repo)
    bench.git(repo, "push", "-q", "-u", "origin", "main")
    times: dict[str, list[float]] = {"hook": [], "none": []}
    for number in range(2 * bench.sizes.rounds + 2):
        kind = ("hook", "none")[number % 2]
        bench.git(repo, "commit", "-q", "--allow-empty", "-m", "nothing", "--no-verify")
        words = ["git", "push", "-q"] + ([] if kind == "hook" else ["--no-verify"])
        seconds = seconds_of(bench, repo, *words)
        if number > 1:
            times[kind].append(seconds)
    over = [a - b for a, b in zip(times["hook"], times["none"])]
    cost = statistics.median(over)
    text = f"{spread(over, '{:.4f}')} s over {spread(times['none'], '{:.4f}')} s"
    what = f"pre-push with nothing new, {bench.sizes.commits} commits, folder remote"
    numbers = {"seconds": cost}
    bench.note(Figure("B1", what, f"≤ {PUSH_SECONDS} s", text, cost <= PUSH_SECONDS, numbers))
    requests = bench.verb(repo, "push").json()["requests"]
    count = sum(requests[kind] for kind in ("list", "get", "put", "head"))
    holds = count <= PUSH_REQUESTS
    bench.add("B1", "requests of a push with nothing new", f"{count}", f"≤ {PUSH_REQUESTS}", holds)


def write_handed(bench: Bench, repo: pathlib.Path, version: int) -> None:
    source = random.Random(SEED + version)
    for number in range(bench.sizes.handed):
        folder = repo / "files" / f"{number // 100:03}"
        folder.mkdir(parents=True, exist_ok=True)
        size = source.randrange(HANDED_FILE // 2, HANDED_FILE * 3 // 2)
        (folder / f"{number:05}.bin").write_bytes(source.randbytes(size))


def handed(bench: Bench, name: str) -> pathlib.Path:
    """A repository of files that Git hands to haul, to Git LFS or to nobody, pushed to a hub of its own."""
    bench.git(bench.work, "init", "-q", "--bare", f"{name}.git")
    if name == "haul":
        repo = bench.repository()
        bench.verb(repo, "track", "files/**")
    else:
        repo = bench.work / f"{name}-repo"
        repo.mkdir()
        bench.git(repo, "init", "-q")
    if name == "git-lfs":
        bench.git(repo, "lfs", "install", "--local")
        bench.git(repo, "lfs", "track", "files/**")
    bench.git(repo, "remote", "add", "hub", f"file://{bench.work}/{name}.git")
    write_handed(bench, repo, 1)
    save(bench, repo)
    return repo


def save(bench: Bench, repo: pathlib.Path) -> None:
    bench.git(repo, "add", "-A")
    bench.commit(repo)
    bench.git(repo, "push", "-q", "hub", "main")


def brought(bench: Bench, clone: pathlib.Path, repo: pathlib.Path) -> None:
    """Fails unless the clone has the files of the repository."""
    bench.run(["diff", "-r", repo / "files", clone / "files"], bench.work)


def bring(bench: Bench, tools: dict[str, pathlib.Path], times: dict, turn: int) -> None:
    """Times a clone with each tool in turn, and a pull of another version of every file.

    Clones stay: the files of Git LFS are links to those of its hub.
    """
    clones = {name: bench.work / f"{name}-clone-{turn}" for name in tools}
    for name, repo in tools.items():
        hub = f"file://{bench.work}/{name}.git"
        command = ["git", "clone", "-q", hub, clones[name]]
        os.sync()
        times["clone"][name].append(seconds_of(bench, bench.work, *command))
        brought(bench, clones[name], repo)
    for name, repo in tools.items():
        write_handed(bench, repo, 2 + turn)
        save(bench, repo)
        os.sync()
        times["pull"][name].append(seconds_of(bench, clones[name], "git", "pull", "-q"))
        brought(bench, clones[name], repo)


def filtered(bench: Bench) -> None:
    """What files that Git hands over cost it."""
    # The only settings that a clone has before Git checks it out.
    bench.verb(bench.work, "init", "--global")
    # Git would tidy up beside what is measured, and Git LFS miss what is being moved.
    bench.git(bench.work, "config", "--global", "maintenance.auto", "false")
    bench.git(bench.work, "config", "--global", "gc.auto", "0")
    names = ["plain", "haul"]
    if shutil.which("git-lfs"):
        bench.git(bench.work, "lfs", "install", "--skip-repo")
        bench.about["git-lfs"] = bench.run(["git-lfs", "version"], bench.work).output.decode().strip()
        names.append("git-lfs")
    else:
        bench.about["git-lfs"] = "not on PATH, left out"
    tools = {name: handed(bench, name) for name in names}
    status: dict[str, list[float]] = {name: [] for name in tools}
    for number in range(3 * bench.sizes.rounds + 1):
        for name, repo in tools.items():
            seconds = seconds_of(bench, repo, "git", "status", "--porcelain")
            # The first one writes Git's index anew, as the files are as young as that.
            if number > 0:
                status[name].append(seconds)
    middle = {name: statistics.median(times) for name, times in status.items()}
    ratio = middle["haul"] / middle["plain"]
    text = "; ".join(f"{name} {spread(times, '{:.4f}')} s" for name, times in status.items())
    what = f"git status, {bench.sizes.handed} unchanged files that Git hands over"
    demand = f"≤ {STATUS_RATIO} of plain Git"
    bench.note(Figure("B2", what, demand, f"{ratio:.2f}: {text}", ratio <= STATUS_RATIO, middle))
    times = {work: {name: [] for name in tools} for work in ("clone", "pull")}
    for turn in range(bench.sizes.turns):
        bring(bench, tools, times, turn)
    for work, taken in times.items():
        middle = {name: statistics.median(seconds) for name, seconds in taken.items()}
        text = "; ".join(f"{name} {spread(seconds)} s" for name, seconds in taken.items())
        holds, demand = None, ""
        if "git-lfs" in middle:
            ratio = middle["git-lfs"] / middle["haul"]
            holds, demand = ratio >= LFS_RATIO, f"≥ {LFS_RATIO:g} times as fast as Git LFS"
            text = f"{ratio:.1f} times: {text}"
        what = f"git {work} of {bench.sizes.handed} files that Git hands over, folder remote"
        bench.note(Figure("B2", what, demand, text, holds, middle))


def large_folder(bench: Bench, repo: pathlib.Path) -> None:
    """A tracked folder of many tiny files, and one sub-directory of it with larger ones."""
    folder, count = repo / "data", bench.sizes.files
    for number in range(count - bench.sizes.part):
        place = folder / f"{number // 1000:04}"
        if number % 1000 == 0:
            place.mkdir(parents=True)
        (place / f"{number:07}.txt").write_bytes(f"{number * 7919}\n".encode())
    part, source = folder / "part", random.Random(SEED)
    part.mkdir()
    for number in range(bench.sizes.part):
        (part / f"{number:04}.bin").write_bytes(source.randbytes(PART_FILE))


def change(bench: Bench, repo: pathlib.Path, seed: int) -> None:
    """Changes files all over the folder; different ones for different seeds."""
    step = (bench.sizes.files - bench.sizes.part) // bench.sizes.changes
    for number in range(bench.sizes.changes):
        file = number * step + seed
        path = repo / "data" / f"{file // 1000:04}" / f"{file:07}.txt"
        path.write_bytes(f"changed {seed}\n".encode())
    bench.verb(repo, "add", "data")
    bench.git(repo, "commit", "-q", "-m", f"side {seed}")


def merge(bench: Bench) -> None:
    """`git merge`, by the driver, of two branches; in a clone that has trees and no content."""
    repo = bench.repository()
    large_folder(bench, repo)
    bench.verb(repo, "add", "data")
    bench.commit(repo)
    bench.git(repo, "branch", "other")
    change(bench, repo, 1)
    ours = bench.run(["git", "rev-parse", "HEAD"], repo).output.decode().strip()
    bench.git(repo, "checkout", "-q", "other")
    bench.verb(repo, "checkout")
    change(bench, repo, 2)
    bench.verb(repo, "push", "--all")
    clone = bench.clone()
    bench.verb(clone, "init", "--no-hooks")
    bench.git(clone, "config", "user.name", "figures")
    times, head = [], bench.run(["git", "rev-parse", "HEAD"], clone).output.decode().strip()
    for number in range(bench.sizes.rounds + 1):
        seconds = seconds_of(bench, clone, "git", "merge", "-q", "--no-edit", ours)
        # The first one fetches trees.
        if number > 0:
            times.append(seconds)
        if number < bench.sizes.rounds:
            bench.git(clone, "reset", "-q", "--hard", head)
    cached = clone / ".git" / "haul"
    content = sum(kept_bytes(folder) for folder in (cached / "packs", cached / "parts" / "p")
                  if folder.exists())
    files = bench.verb(clone, "ls").json()["entries"]
    kept = [row["files"] for row in files if row["path"] == "data"]
    if kept != [bench.sizes.files]:
        raise Failed(f"the merge has {kept} files, and {bench.sizes.files} are wanted")
    cost = statistics.median(times)
    what = f"merge of {bench.sizes.files} files, {bench.sizes.changes} changed on each side, warm"
    numbers = {"seconds": cost}
    bench.note(Figure("B3", what, f"≤ {MERGE_SECONDS} s", f"{spread(times)} s",
                      cost <= MERGE_SECONDS, numbers))
    bench.add("B3", "content fetched for it", human(content), "0 B", content == 0)


def part(bench: Bench) -> None:
    """A fresh clone pulls one sub-directory, by a path and by a view with a pattern."""
    repo = bench.repository()
    large_folder(bench, repo)
    bench.verb(repo, "add", "data")
    with open(repo / "haul.toml", "a") as settings:
        settings.write('\n[view.ci]\ninclude = ["data/part/**"]\n')
    bench.git(repo, "add", "haul.toml")
    bench.commit(repo)
    bench.verb(repo, "push")
    size = bench.sizes.part * PART_FILE
    for words in (["data/part"], ["--view", "ci"]):
        clone = bench.clone()
        done = bench.verb(clone, "pull", *words).json()
        if done["checkout"]["written"] != bench.sizes.part:
            raise Failed(f"pulled {done['checkout']['written']} files")
        received = done["fetch"]["requests"]["received"]
        surplus = received - size
        numbers = {"received": received, "data": size, "waves": done["fetch"]["requests"]["waves"]}
        text = f"{human(received)}: {human(surplus)} besides the data"
        what = f"pull {' '.join(words)}: {bench.sizes.part} files of {bench.sizes.files}"
        demand = f"≤ data + {human(PART_SURPLUS)}"
        bench.note(Figure("B4", what, demand, text, surplus <= PART_SURPLUS, numbers))


PARTS = {"commit": commit, "push": push, "filter": filtered, "merge": merge, "part": part}


if __name__ == "__main__":
    measure_parts(__doc__, PARTS, (FULL, QUICK))
