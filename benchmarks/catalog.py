"""All systems and all measures, by name."""

from __future__ import annotations

from importlib import import_module, metadata
from importlib.util import find_spec
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from benchmarks.measures.measure import Measure
    from benchmarks.peer import Peer


class Entry(NamedTuple):
    """A system: how the command line and the report call it, where it is, what it needs.

    Args:
        key: name on the command line.
        name: name in the report.
        place: ``module:class`` below `benchmarks.peers`.
        package: distribution that must be installed, empty for none.
        module: what must be importable.
        launcher: the command that starts the interpreter, and what follows that.

    """

    key: str
    name: str
    place: str
    package: str = ""
    module: str = ""
    launcher: tuple[str, ...] = ()
    options: tuple[str, ...] = ()

    def make(self, settings: list[str]) -> Peer:
        """Import it, and return an instance."""
        module, _, cls = self.place.partition(":")
        peer: Peer = getattr(import_module(f"benchmarks.peers.{module}"), cls)(settings)
        return peer

    @property
    def installed(self) -> bool:
        """Whether it can be measured here."""
        return not self.module or find_spec(self.module) is not None

    @property
    def version(self) -> str:
        """The version that is installed."""
        return metadata.version(self.package) if self.package else "standard library"


_MPI = ("mpiexec", "-n", "3")
OURS = "concurrent"
PEERS = (
    Entry(
        OURS,
        "Concurrent",
        "concurrent_app:Concurrent",
        "concurrent-framework",
        "concurrent_framework",
    ),
    Entry("pool", "multiprocessing.Pool", "multiprocessing_pool:MultiprocessingPool"),
    Entry("executor", "ProcessPoolExecutor", "process_pool:ProcessPoolExecutor"),
    Entry("loky", "loky", "loky_pool:Loky", "loky", "loky"),
    Entry("joblib", "joblib", "joblib_parallel:Joblib", "joblib", "joblib"),
    Entry(
        "mpi",
        "mpi4py.futures",
        "mpi_pool:Mpi",
        "mpi4py",
        "mpi4py",
        _MPI,
        ("-m", "mpi4py.futures"),
    ),
    Entry("dask", "dask.distributed", "dask_client:Dask", "distributed", "distributed"),
    Entry("ray", "Ray tasks", "ray_tasks:RayTasks", "ray", "ray"),
    Entry("actors", "Ray actors", "ray_actors:RayActors", "ray", "ray"),
    Entry(
        "ipyparallel", "ipyparallel", "ipyparallel_view:Ipyparallel", "ipyparallel", "ipyparallel"
    ),
    Entry("parsl", "Parsl", "parsl_app:Parsl", "parsl", "parsl"),
)
MEASURES = ("singles", "map", "latency", "metg", "results", "shared", "cold")
_MODULES = {"map": "mapping", "shared": "sharing"}


def peer(key: str) -> Entry:
    """Return the system of a name."""
    return next(entry for entry in PEERS if entry.key == key)


def measure(name: str) -> Measure:
    """Import a measure, and return it."""
    found: Measure = import_module(f"benchmarks.measures.{_MODULES.get(name, name)}").MEASURE
    return found
