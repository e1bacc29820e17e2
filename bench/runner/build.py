# SPDX-License-Identifier: BSL-1.0
"""Builds the programs that the contenders are, and says which contenders cannot take part, and why."""
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from .model import LOOPS, Contender, Workload

BENCH = Path(__file__).resolve().parent.parent
ROOT = BENCH.parent
PEERS = ROOT / "build/peers/bin/python"

LIBRARIES = {
    "open_mpi": "Open MPI was not found when the build was configured (Debian: libopenmpi-dev)",
    "tbb": "TBB was not found when the build was configured (Debian: libtbb-dev)",
}


def python() -> str:
    """The Python of the peers: the one they were installed for, if there is one."""
    return str(PEERS) if PEERS.exists() else sys.executable


def quietly(*command) -> subprocess.CompletedProcess:
    """A command whose result matters, not what it says; one that is not there has failed."""
    try:
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    except OSError as problem:
        return subprocess.CompletedProcess(command, 127, "", str(problem))


def run(*command) -> None:
    """Runs a step of the build, shows what it says, and ends everything if it fails."""
    print("+", *command, file=sys.stderr, flush=True)
    if subprocess.run(command, stdin=subprocess.DEVNULL, stdout=sys.stderr).returncode != 0:
        sys.exit(f"{command[0]} failed")


class Programs:
    """The build trees, one for each event loop."""

    def __init__(self):
        for tool in ("meson", "ninja"):
            if not shutil.which(tool):
                sys.exit(f"{tool} is not installed: tools/install-dependencies build bench")
        self.missing_loops: dict[str, str] = {}
        self.targets: dict[str, dict[str, str]] = {}
        self.modules: dict[str, str] = {}
        if reason := self._no_io_uring():
            self.missing_loops["io_uring"] = reason
        for loop in LOOPS:
            if loop not in self.missing_loops:
                self.targets[loop] = self._configure(loop)

    def prepare(self, workloads: list[Workload]) -> None:
        """Builds what the workloads need and can have."""
        wanted: dict[str, set[str]] = {loop: set() for loop in self.targets}
        for workload in workloads:
            for contender in workload.contenders:
                if contender.module or self.reason_against(contender, workload):
                    continue
                wanted[contender.tree].add(self._target(contender, workload))
        for loop, names in wanted.items():
            if names:
                folder = str(self._folder(loop))
                run("ninja", "-C", folder, "-j", str(os.cpu_count()), *self._outputs(loop, names))

    def reason_against(self, contender: Contender, workload: Workload) -> str:
        """Why this contender cannot take part; empty if it can."""
        if contender.ranks and not shutil.which("mpirun"):
            return "mpirun is not installed (Debian: openmpi-bin)"
        if contender.module:
            return self._no_module(contender.module)
        if contender.tree in self.missing_loops:
            return self.missing_loops[contender.tree]
        if self._target(contender, workload) not in self.targets[contender.tree]:
            return LIBRARIES.get(Path(contender.program).name, "it is not in bench/meson.build")
        return ""

    def command(self, contender: Contender, workload: Workload, options: dict[str, int]) -> list[str]:
        """The command line of one run."""
        given = dict(options) if contender.takes_case else {}
        for key, most in contender.at_most.items():
            key = key.replace("_", "-")
            if key in given:
                given[key] = min(given[key], most)
        given.update(contender.options)
        command = []
        if contender.ranks:
            ranks = contender.ranks(options.get("processes", 2))
            command += ["mpirun", "--oversubscribe", *contender.mpirun, "-n", str(ranks)]
            if os.geteuid() == 0:
                command.insert(1, "--allow-run-as-root")
        if contender.module:
            command += [python()]
            command += ["-m", "mpi4py.futures"] if contender.module == "mpi4py" else []
            command += [str(BENCH / contender.path(workload.name))]
        else:
            command += [self.targets[contender.tree][self._target(contender, workload)]]
        for key, value in given.items():
            # "@NAME" is the program of that contender.
            if str(value).startswith("@"):
                value = self.targets[contender.tree][self._name(str(value)[1:])]
            command += ["--" + key, str(value)]
        return command

    @staticmethod
    def _name(path: str) -> str:
        return "bench_" + path.replace("/", "_")

    def _target(self, contender: Contender, workload: Workload) -> str:
        return self._name(contender.path(workload.name))

    @staticmethod
    def _folder(loop: str) -> Path:
        return ROOT / "build" / f"bench-{loop}"

    def _outputs(self, loop: str, names: set[str]) -> list[str]:
        folder = self._folder(loop)
        return sorted(str(Path(self.targets[loop][name]).relative_to(folder)) for name in names)

    def _configure(self, loop: str) -> dict[str, str]:
        folder = self._folder(loop)
        if not (folder / "build.ninja").exists():
            run(
                "meson", "setup", "--buildtype=release", f"-Devent_loop={loop}", "-Dbench=enabled",
                "-Dtests=disabled", "-Dexamples=disabled", str(folder), str(ROOT),
            )  # fmt: skip
        else:
            run("ninja", "-C", str(folder), "--quiet", "build.ninja")
        found = json.loads(quietly("meson", "introspect", "--targets", str(folder)).stdout)
        return {each["name"]: each["filename"][0] for each in found if each["type"] == "executable"}

    @staticmethod
    def _no_io_uring() -> str:
        probe = ROOT / "build/io_uring_probe"
        probe.parent.mkdir(exist_ok=True)
        source = str(ROOT / "tools/io_uring_probe.cpp")
        compiler = os.environ.get("CXX", "c++").split()
        if quietly(*compiler, "-o", str(probe), source, "-luring").returncode != 0:
            return "liburing is not installed (Debian: liburing-dev)"
        if quietly(str(probe)).returncode != 0:
            return "this kernel grants no io_uring ring"
        return ""

    def _no_module(self, module: str) -> str:
        if module not in self.modules:
            found = quietly(python(), "-c", f"import {module}").returncode == 0
            self.modules[module] = "" if found else f"no Python module {module} (bench/peers.txt)"
        return self.modules[module]
