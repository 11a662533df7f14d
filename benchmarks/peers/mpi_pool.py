"""mpi4py.futures. It needs an MPI: the wheel of MPICH, or a system's Open MPI."""

from __future__ import annotations

from benchmarks.peers.futures import FuturesPeer


class Mpi(FuturesPeer):
    """Its executor under ``mpiexec -n 3 python -m mpi4py.futures``: one process gives out work."""

    def start(self) -> None:
        """Make the executor of the processes that `mpiexec` has started."""
        from mpi4py.futures import MPIPoolExecutor

        self.executor = MPIPoolExecutor()
