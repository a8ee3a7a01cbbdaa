"""Where seeds are worked off: an ordered list of jobs, on this process, on several, or on many machines.

An engine has three calls: `submit` a job, take what is `completed`, `cancel`. A worker that a seed ends, or that hangs
in one, is replaced: the seed is reported as lost, by name, and nothing else is. (An executor of the standard library
loses all that is in flight; Pebble loses the chunk.)
"""

from __future__ import annotations

from ...histories.errors import UsageError
from .contract import Done, Engine, Job
from .inline import Inline
from .local import Local
from .work import MEMORY_MAX

__all__ = ["ENGINES", "MEMORY_MAX", "Done", "Engine", "Inline", "Job", "Local", "engine"]

ENGINES = ("inline", "local", "dask")


def engine(name: str, *, jobs: int, memory_max: int = MEMORY_MAX, scheduler: str | None = None) -> Engine:
    """The engine of that name.

    Args:
        name: `local` (processes of this machine), `dask` (a cluster of dask.distributed) or `inline` (this process).
        jobs: how many processes; a cluster that runs already has its own.
        memory_max: how many bytes of data each may hold; a seed that needs more is lost. This process is not limited.
        scheduler: the address of the cluster; None starts one of `jobs` processes here. Only for `dask`.

    Raises:
        UsageError: there is no such engine, or it is not installed, or has no use for these arguments.
    """
    if jobs < 1:
        raise UsageError(f"{jobs} jobs cannot work anything off; it takes at least 1")
    if scheduler is not None and name != "dask":
        raise UsageError(f"a scheduler is for the engine dask, and not for {name}")
    match name:
        case "inline":
            return Inline()
        case "local":
            return Local(jobs, memory_max=memory_max)
        case "dask":
            from .dask import Dask  # noqa: PLC0415  # heavy, and not installed everywhere

            return Dask(jobs, scheduler=scheduler, memory_max=memory_max)
    raise UsageError(f"there is no engine {name!r}; there are {', '.join(ENGINES)}")
