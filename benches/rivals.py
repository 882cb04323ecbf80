"""The tools that are measured side by side: haul, and those of its rivals that are on PATH.

Each keeps versions of one file in the work folder `repo`, and sends them to the folder `remote`.
"""

import hashlib
import pathlib
import shutil

from bench import MIB, Bench, Done, Failed, first_line, kept_bytes, retire


class Tool:
    """A tool with a store of its own beside the data, and a remote."""

    name = ""
    store = ""
    version = ["--version"]

    def __init__(self, bench: Bench):
        self.bench = bench
        self.repo, self.remote = bench.work / "repo", bench.work / "remote"

    def begin(self) -> None:
        """Makes an empty repository with an empty remote."""
        self.end()
        self.repo.mkdir()
        self.remote.mkdir()
        self.start()

    def end(self) -> None:
        for name in ("repo", "clone", "remote"):
            retire(self.bench.work / name)

    def run(self, *command) -> Done:
        return self.bench.run([self.name, *command], self.repo)

    def git(self, *arguments: str) -> Done:
        return self.bench.git(self.repo, *arguments)

    def start(self) -> None:
        raise NotImplementedError

    def add(self, name: str) -> Done:
        raise NotImplementedError

    def commit(self) -> None:
        """Runs between add and push, and is not timed."""

    def push(self) -> Done:
        """Is not there for a tool whose add sends."""
        raise NotImplementedError

    def proof(self, source: pathlib.Path, name: str) -> None:
        """Fails if what the remote gives back is not what was added."""

    def stored(self) -> int:
        return kept_bytes(self.repo / self.store) if self.store else 0

    def sent(self) -> int:
        return kept_bytes(self.remote)

    @property
    def sends_at_once(self) -> bool:
        return type(self).push is Tool.push


class Haul(Tool):
    name = "haul"
    store = ".git/haul"

    def begin(self) -> None:
        self.bench.repository()

    def add(self, name: str) -> Done:
        return self.bench.verb(self.repo, "add", name)

    def commit(self) -> None:
        self.bench.commit(self.repo)

    def push(self) -> Done:
        return self.bench.verb(self.repo, "push")

    def proof(self, source: pathlib.Path, name: str) -> None:
        clone = self.bench.clone()
        self.bench.verb(clone, "pull")
        if file_hash(clone / name) != file_hash(source):
            raise Failed(f"what was pulled is not what was added: {source.name}")
        retire(clone)


class Dvc(Tool):
    name = "dvc"
    store = ".dvc/cache"

    def start(self) -> None:
        self.git("init", "-q")
        self.run("init", "-q")
        self.run("remote", "add", "-q", "-d", "store", self.remote)

    def add(self, name: str) -> Done:
        return self.run("add", "-q", name)

    def push(self) -> Done:
        return self.run("push", "-q")


class GitLfs(Tool):
    name = "git-lfs"
    store = ".git/lfs"

    def start(self) -> None:
        self.bench.git(self.remote, "init", "-q", "--bare")
        self.git("init", "-q")
        self.git("lfs", "install", "--local")
        self.git("lfs", "track", "data.*")
        self.git("remote", "add", "origin", f"file://{self.remote}")

    def add(self, name: str) -> Done:
        return self.git("add", name)

    def commit(self) -> None:
        self.bench.commit(self.repo)

    def push(self) -> Done:
        return self.git("push", "-q", "origin", "main")


class Restic(Tool):
    name = "restic"
    version = ["version"]

    def start(self) -> None:
        self.run("-q", "-r", self.remote, "init")

    def add(self, name: str) -> Done:
        return self.run("-q", "-r", self.remote, "backup", name)


class Rustic(Tool):
    name = "rustic"
    quiet = ["--log-level", "warn", "--no-progress"]

    def start(self) -> None:
        self.run(*self.quiet, "-r", self.remote, "init")

    def add(self, name: str) -> Done:
        return self.run(*self.quiet, "-r", self.remote, "backup", name)


# With these no tool sends figures of use anywhere, nor asks for a password.
ENVIRONMENT = {
    "DVC_NO_ANALYTICS": "1",
    "DO_NOT_TRACK": "1",
    "RESTIC_PASSWORD": "figures",
    "RUSTIC_PASSWORD": "figures",
}


def tools_here(bench: Bench) -> list[Tool]:
    """Returns haul, then the rivals that are installed; says which ones are, and which are not."""
    bench.environment |= ENVIRONMENT
    bench.environment["DVC_SITE_CACHE_DIR"] = str(bench.work / "home" / "dvc")
    tools: list[Tool] = [Haul(bench)]
    for kind in (Dvc, GitLfs, Restic, Rustic):
        found = shutil.which(kind.name)
        if found:
            bench.about[kind.name] = first_line([found, *kind.version])
            tools.append(kind(bench))
        else:
            bench.about[kind.name] = "not on PATH, left out"
    return tools


def file_hash(path: pathlib.Path) -> bytes:
    digest = hashlib.sha256()
    with open(path, "rb", buffering=0) as source:
        while part := source.read(MIB):
            digest.update(part)
    return digest.digest()
