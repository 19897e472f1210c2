"""Cores: the number that this process may use. Nobody has to read it.

Three things limit it: the machine, the process's affinity (`taskset`), and a container's
quota. A quota is processor time: 200 ms in each period of 100 ms are two cores. Linux
keeps it in files, one directory per control group:

    version 2   cpu.max              "200000 100000", or "max 100000" without a quota
    version 1   cpu.cfs_quota_us     "200000"; −1 without a quota
                cpu.cfs_period_us    "100000"

A group's quota also limits the groups below it, so every directory from the process's
own up to the root counts.

Source: Linux kernel documentation, "Control Group v2" and "CFS Bandwidth Control". Next:
threads.
"""

import math
import os
from pathlib import Path


def available_cores(
    root: str | Path = "/sys/fs/cgroup", membership: str | Path = "/proc/self/cgroup"
) -> int:
    """The number of cores that this process may use, at least 1.

    `root` holds the control groups; `membership` has a line `id:controllers:path` for
    each group of this process, no controllers in version 2. A quota of 1.5 cores counts
    as 1: two processes would be stopped a quarter of the time.
    """
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    quotas = [quota(group) for group in control_groups(Path(root), Path(membership))]
    return max(1, math.floor(min([cores, *quotas])))


def control_groups(root: Path, membership: Path) -> set[Path]:
    """The directories whose quotas hold for this process."""
    # a container may see its files here, whatever path is listed
    groups = {root, root / "cpu"}
    for line in read(membership).splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers and "cpu" not in controllers.split(","):
            continue
        names = [name for name in path.split("/") if name != ".."]
        group = Path(root, controllers, *names)
        groups |= {group, *group.parents}
    return groups


def quota(group: Path) -> float:
    """The cores that one control group may use: quota / period; infinite without one."""
    version2 = read(group / "cpu.max").split()
    version1 = [
        read(group / f"cpu.cfs_{name}_us").strip() for name in ("quota", "period")
    ]
    for words in (version2, version1):
        if len(words) != 2 or not all(word.isdecimal() for word in words):
            continue
        time, period = map(int, words)
        if period > 0:
            return time / period
    return math.inf


def read(path: Path) -> str:
    """A file's text, empty if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
