#!/usr/bin/env python3
"""How fast haul is with a real S3 server on this machine: beside a plain client of the same library, and DVC.

    GARAGE=FILE python3 benches/stores.py [--quick] [--only PART,…] [--work DIR] [--json FILE] [--haul FILE]

Parts: new (2 GiB of random bytes: push, and pull into an empty clone), shrinks (the same of a table), files
(50,000 of 4 to 30 KB), dvc (5,000 of them beside DVC, which takes minutes for more), late (the same with 50 ms more for each request), memory (64 connections). The plain client is
`benches/client.rs`, with parts of 8 MiB and eight connections; it writes what it reads to a file. DVC takes
part if it is on PATH and speaks S3 (`pip install dvc[s3]`). Each round has a Garage of its own, with its data in
the work folder: what it has seen before it does not store again. haul has no switch for compression; it does not
compress random bytes, so `new` is without and `shrinks` is with it.

GARAGE names the server, which tests/servers/install.sh builds, and CLIENT the plain client, if it is not to be
built. A full run needs 10 GB of free disk.
Exit code 1 if a demand is not met.
"""

import contextlib
import dataclasses
import json
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import sys
import time

from bench import GIB, KIB, MIB, PROJECT, SEED, Bench, Failed, first_line, human, measure_parts, retire, spread
from figures import write_random, write_tree
from rivals import ENVIRONMENT, file_hash
from workloads import write_table

SERVERS = PROJECT / "tests" / "servers"
# The demands: of the plain client's speed, of DVC's, of the time without delay, seconds of a push of
# nothing new, and memory.
PLAIN, DVC, LATE, NOTHING, MEMORY = 0.9, 20, 2.0, 0.3, 300 * MIB
DELAY = 50


@dataclasses.dataclass
class Sizes:
    quick: bool
    rounds: int
    file: int
    table: int
    files: int
    with_dvc: int


FULL = Sizes(quick=False, rounds=3, file=2 * GIB, table=512 * MIB, files=50_000, with_dvc=5_000)
QUICK = Sizes(quick=True, rounds=1, file=256 * MIB, table=64 * MIB, files=2_000, with_dvc=1_000)


def free_port() -> int:
    """Returns the first of some ports that nobody uses."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@contextlib.contextmanager
def garage(bench: Bench):
    """Runs an empty server; gives its address."""
    folder = bench.work / "garage"
    subprocess.run([SERVERS / "start-garage.sh", folder, str(free_port())], check=True)
    facts = dict(line.split("=", 1) for line in (folder / "env").read_text().splitlines())
    bench.environment |= {
        "AWS_ACCESS_KEY_ID": facts["AWS_ACCESS_KEY_ID"],
        "AWS_SECRET_ACCESS_KEY": facts["AWS_SECRET_ACCESS_KEY"],
        "AWS_REGION": facts["REGION"],
        "AWS_DEFAULT_REGION": facts["REGION"],
        "AWS_ENDPOINT_URL": facts["ENDPOINT"],
        "AWS_BUCKET": "test",
    }
    try:
        yield facts["ENDPOINT"]
    finally:
        subprocess.run([SERVERS / "stop.sh", folder], check=True)
        retire(folder)


@contextlib.contextmanager
def late(bench: Bench, server: str, delay: int):
    """Runs a line on which every request takes longer; gives the address to ask instead."""
    port = free_port()
    command = [client(bench), "late", str(port), server.removeprefix("http://"), str(delay)]
    line = subprocess.Popen(command)
    try:
        time.sleep(0.3)
        yield f"http://127.0.0.1:{port}"
    finally:
        line.terminate()
        line.wait()


def client(bench: Bench) -> pathlib.Path:
    """Builds the plain client, once, unless CLIENT names one."""
    place = bench.work / "client"
    if "CLIENT" in os.environ:
        return pathlib.Path(os.environ["CLIENT"])
    if not place.exists():
        command = ["cargo", "build", "--release", "--bench", "client", "--message-format=json"]
        done = subprocess.run(command, cwd=PROJECT, check=True, stdout=subprocess.PIPE)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        shutil.copy2(next(l["executable"] for l in lines if l.get("executable")), place)
    return place


def repository(bench: Bench, server: str, source: pathlib.Path) -> pathlib.Path:
    """Makes a repository in which `source` was added, with an empty place of the server as its remote."""
    for name in ("repo", "clone"):
        retire(bench.work / name)
    repo = bench.work / "repo"
    repo.mkdir()
    bench.git(repo, "init", "-q")
    bench.verb(repo, "init")
    place = f"s3://test/{time.monotonic_ns()}"
    bench.verb(
        repo, "remote", "add", "origin", place,
        "--endpoint", server, "--region", "garage", "--allow-http",
    )
    os.rename(source, repo / source.name)
    bench.verb(repo, "add", source.name)
    bench.git(repo, "add", "-A")
    bench.commit(repo)
    os.rename(repo / source.name, source)
    os.sync()
    return repo


def go_by(bench: Bench, repo: pathlib.Path, line: str) -> None:
    """Has haul reach the server by another address from now on."""
    bench.environment["HAUL_REMOTES_ORIGIN_ENDPOINT"] = line
    bench.run([bench.haul, "remote", "accept", "origin"], repo)


def compared(source: pathlib.Path, other: pathlib.Path) -> None:
    if subprocess.run(["diff", "-rq", source, other], check=False).returncode != 0:
        raise Failed("what was pulled is not what was added")


class Times:
    """Seconds by step and by program, one for each round."""

    def __init__(self, bench: Bench, part: str):
        self.bench, self.part = bench, part
        self.all: dict[tuple[str, str], list[float]] = {}

    def note(self, step: str, who: str, seconds: float) -> None:
        self.all.setdefault((step, who), []).append(seconds)

    def middle(self, step: str, who: str) -> float:
        return statistics.median(self.all[step, who])

    def say(self, step: str, other: str, least: float) -> None:
        """Adds a figure: haul must be this many times as fast as another."""
        ratio = self.middle(step, other) / self.middle(step, "haul")
        times = "; ".join(f"{who} {spread(self.all[step, who])} s" for who in ("haul", other))
        demand = f"at least {least:g} × {other}"
        self.bench.add(self.part, step, f"{ratio:.2f} ×; {times}", demand, ratio >= least)


def one_file(bench: Bench, part: str, least: float, write) -> None:
    """Pushes and pulls a file, in turns with the plain client."""
    times = Times(bench, part)
    for number in range(bench.sizes.rounds):
        source = write(number)
        with garage(bench) as server:
            repo = repository(bench, server, source)
            def push() -> float:
                return bench.verb(repo, "push", size=part).seconds
            def up() -> float:
                return bench.run([client(bench), "up", source, "plain"], bench.work).seconds
            turns = [("haul", push), ("plain client", up)]
            client(bench)
            for who, work in turns if number % 2 == 0 else turns[::-1]:
                os.sync()
                times.note("push", who, work())
            clone = bench.clone()
            def pull() -> float:
                return bench.verb(clone, "pull", size=part).seconds
            def down() -> float:
                command = [client(bench), "down", "plain", bench.work / "plain"]
                return bench.run(command, bench.work).seconds
            turns = [("haul", pull), ("plain client", down)]
            for who, work in turns if number % 2 == 0 else turns[::-1]:
                os.sync()
                times.note("pull", who, work())
            # What a pull is made of.
            apart = bench.work / "apart"
            bench.git(bench.work, "clone", "-q", "repo", "apart")
            for step in ("fetch", "checkout"):
                os.sync()
                times.note(step, "haul", bench.verb(apart, step).seconds)
            retire(apart)
            if file_hash(clone / source.name) != file_hash(source):
                raise Failed("what was pulled is not what was added")
        retire(bench.work / "plain")
        retire(source)
    for step in ("push", "pull"):
        times.say(step, "plain client", least)
    for step in ("fetch", "checkout"):
        bench.add(part, f"{step} alone", f"{spread(times.all[step, 'haul'])} s")


def measure_new(bench: Bench) -> None:
    def write(number: int) -> pathlib.Path:
        path = bench.work / "data.bin"
        write_random(path, bench.sizes.file, SEED + number)
        return path

    one_file(bench, "new", PLAIN, write)


def measure_shrinks(bench: Bench) -> None:
    table = write_table(bench.work / "made", bench.sizes.table)[0]

    def write(_number: int) -> pathlib.Path:
        return pathlib.Path(shutil.copy2(table, bench.work / "data.csv"))

    one_file(bench, "shrinks", 1.0, write)


def tree(bench: Bench, count: int) -> pathlib.Path:
    """Makes as many small files, once."""
    folder = bench.work / f"files-{count}"
    if not folder.exists():
        write_tree(folder, count, 100, range(4 * KIB, 30 * KIB))
    return folder


def of_files(bench: Bench, times: Times, count: int) -> None:
    """Pushes and pulls as many small files with haul, each round to a server of its own."""
    source = tree(bench, count)
    for _ in range(bench.sizes.rounds):
        with garage(bench) as server:
            repo = repository(bench, server, source)
            times.note("push", "haul", bench.verb(repo, "push", size="files").seconds)
            clone = bench.clone()
            times.note("pull", "haul", bench.verb(clone, "pull", size="files").seconds)
            compared(source, clone / source.name)


def measure_files(bench: Bench) -> None:
    times, count = Times(bench, "files"), bench.sizes.files
    of_files(bench, times, count)
    for step in ("push", "pull"):
        bench.add("files", f"{step} of {count}", f"{spread(times.all[step, 'haul'])} s")


def measure_dvc(bench: Bench) -> None:
    program = shutil.which("dvc")
    if program is None:
        bench.about["dvc"] = "not on PATH, left out"
        return
    bench.about["dvc"] = first_line([program, "--version"])
    bench.environment |= ENVIRONMENT | {"DVC_SITE_CACHE_DIR": str(bench.work / "home" / "dvc")}
    times, count = Times(bench, f"dvc, {bench.sizes.with_dvc} files"), bench.sizes.with_dvc
    of_files(bench, times, count)
    with garage(bench) as server:
        for step, seconds in with_dvc(bench, server, tree(bench, count)).items():
            times.note(step, "dvc", seconds)
    for step in ("push", "pull"):
        times.say(step, "dvc", DVC)


def with_dvc(bench: Bench, server: str, source: pathlib.Path) -> dict[str, float]:
    """Pushes and pulls the same files with DVC, once: it takes minutes."""
    for name in ("repo", "clone"):
        retire(bench.work / name)
    repo, clone = bench.work / "repo", bench.work / "clone"
    repo.mkdir()
    bench.git(repo, "init", "-q")
    bench.run(["dvc", "init", "-q"], repo)
    bench.run(["dvc", "remote", "add", "-q", "-d", "store", "s3://test/dvc"], repo)
    bench.run(["dvc", "remote", "modify", "store", "endpointurl", server], repo)
    shutil.copytree(source, repo / source.name)
    bench.run(["dvc", "add", "-q", source.name], repo)
    bench.git(repo, "add", "-A")
    bench.commit(repo)
    seconds = {"push": bench.run(["dvc", "push", "-q"], repo).seconds}
    bench.git(bench.work, "clone", "-q", "repo", "clone")
    seconds["pull"] = bench.run(["dvc", "pull", "-q"], clone).seconds
    compared(source, clone / source.name)
    return seconds


def measure_late(bench: Bench) -> None:
    times, source = Times(bench, "late"), tree(bench, bench.sizes.files)
    delays = (0, DELAY)
    with garage(bench) as server, contextlib.ExitStack() as lines:
        repo = repository(bench, server, source)
        bench.verb(repo, "push")
        address = {delay: lines.enter_context(late(bench, server, delay)) for delay in delays}
        for _ in range(bench.sizes.rounds):
            for delay in delays:
                go_by(bench, repo, address[delay])
                clone = bench.clone()
                os.sync()
                times.note("pull", str(delay), bench.verb(clone, "pull").seconds)
                times.note("push", str(delay), bench.verb(repo, "push").seconds)
        compared(source, clone / source.name)
        del bench.environment["HAUL_REMOTES_ORIGIN_ENDPOINT"]
    for step in ("pull", "push"):
        slow, fast = times.middle(step, str(DELAY)), times.middle(step, "0")
        text = f"{slow / fast:.2f} ×; " + "; ".join(
            f"{delay} ms {spread(times.all[step, str(delay)])} s" for delay in delays
        )
        if step == "pull":
            demand, holds = f"{DELAY} ms: at most {LATE:g} × the time at 0", slow <= LATE * fast
        else:
            demand, holds = f"{DELAY} ms: under {NOTHING:g} s", slow < NOTHING
        bench.add("late", step if step == "pull" else "push of nothing new", text, demand, holds)


def measure_memory(bench: Bench) -> None:
    data = bench.work / "memory.bin"
    write_random(data, bench.sizes.file, SEED)
    peaks: dict[str, int] = {}
    for source in (data, tree(bench, bench.sizes.files)):
        with garage(bench) as server, late(bench, server, DELAY) as line:
            repo = repository(bench, server, source)
            go_by(bench, repo, line)
            done = bench.verb(repo, "push", "--jobs", "64")
            peaks[f"push of {source.name}"] = done.peak
            clone = bench.clone()
            peaks[f"pull of {source.name}"] = bench.verb(clone, "pull", "--jobs", "64").peak
            del bench.environment["HAUL_REMOTES_ORIGIN_ENDPOINT"]
    text = "; ".join(f"{what} {human(peak)}" for what, peak in peaks.items())
    demand = f"under {human(MEMORY)}"
    bench.add("memory", "64 connections", text, demand, max(peaks.values()) < MEMORY)


PARTS = {
    "new": measure_new,
    "shrinks": measure_shrinks,
    "files": measure_files,
    "dvc": measure_dvc,
    "late": measure_late,
    "memory": measure_memory,
}

if __name__ == "__main__":
    if "GARAGE" not in os.environ and "--help" not in sys.argv:
        sys.exit("GARAGE names no program: eval \"$(tests/servers/install.sh DIR)\"")
    measure_parts(__doc__, PARTS, (FULL, QUICK))
