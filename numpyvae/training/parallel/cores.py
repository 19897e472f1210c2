"""Cores: the number that this process may use.

Three things limit it: the machine, the process's affinity (`taskset`), and a container's quota. A quota is processor
time: 200 ms in each period of 100 ms are two cores. Linux keeps it in files, one directory per control group:

    version 2   cpu.max                               "200000 100000", or "max 100000" without a quota
    version 1   cpu.cfs_quota_us, cpu.cfs_period_us   "200000", "100000"; the quota is −1 if there is none

A group's quota also limits the groups below it, so every directory from the process's own up to the root counts.

Source: Linux kernel documentation, "Control Group v2" and "CFS Bandwidth Control". Next: threads.
"""

import math
import os
from pathlib import Path


def available_cores(
    root: str | Path = "/sys/fs/cgroup", membership: str | Path = "/proc/self/cgroup"
) -> int:
    """The number of cores that this process may use, at least 1.

    `root` holds the control groups; `membership` has a line `id:controllers:path` for each group of this process, no
    controllers in version 2. A quota of 1.5 cores counts as 1: two processes would be stopped a quarter of the time.
    """
    cores = (
        len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count() or 1
    )
    groups = {
        Path(root),
        Path(root, "cpu"),
    }  # a container may see its files here, whatever path is listed
    for line in read(Path(membership)).splitlines():
        controllers, _, path = line.partition(":")[2].partition(":")
        if not controllers or "cpu" in controllers.split(","):
            group = Path(
                root, controllers, *[name for name in path.split("/") if name != ".."]
            )
            groups |= {group, *group.parents}
    return max(
        1, min(cores, *[math.floor(min(quota(group), cores)) for group in groups])
    )


def quota(group: Path) -> float:
    """The cores that one control group may use: quota / period; infinite if there is none, or no readable file."""
    version2 = read(group / "cpu.max").split()
    version1 = [
        read(group / f"cpu.cfs_{name}_us").strip() for name in ("quota", "period")
    ]
    for words in (version2, version1):
        if (
            len(words) == 2
            and all(word.isdecimal() for word in words)
            and int(words[1])
        ):
            return int(words[0]) / int(words[1])
    return math.inf


def read(path: Path) -> str:
    """A file's text, empty if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
