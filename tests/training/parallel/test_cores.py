"""The number of cores: affinity and container quotas, read from written files."""

import os

import pytest

from numpyvae.training.parallel.cores import available_cores

V1, V2 = "4:cpu,cpuacct:/a/b\n1:cpuset:/elsewhere\n0::/\n", "0::/a/b\n"


@pytest.fixture(autouse=True)
def eight_cores(monkeypatch):
    monkeypatch.setattr(
        os, "sched_getaffinity", lambda process: set(range(8)), raising=False
    )


def v1(group, quota, period):
    return {f"{group}/cpu.cfs_quota_us": quota, f"{group}/cpu.cfs_period_us": period}


@pytest.mark.parametrize(
    "membership, files, cores",
    [
        (V2, {}, 8),
        (None, {}, 8),
        (V2, {"a/b/cpu.max": "max 100000\n"}, 8),
        (V2, {"a/b/cpu.max": "200000 100000\n"}, 2),
        (V2, {"a/b/cpu.max": "max 100000\n", "a/cpu.max": "300000 100000\n"}, 3),
        (
            V2,
            {
                "a/b/cpu.max": "600000 100000\n",
                "a/cpu.max": "400000 100000\n",
                "cpu.max": "500000 100000\n",
            },
            4,
        ),
        (V2, {"a/c/cpu.max": "100000 100000\n"}, 8),  # another process's group
        (V2, {"a/b/cpu.max": "199999 100000\n"}, 1),
        (V2, {"a/b/cpu.max": "100000 50000\n"}, 2),
        (V2, {"a/b/cpu.max": "10000 100000\n"}, 1),
        (V2, {"a/b/cpu.max": "1600000 100000\n"}, 8),
        (V2, {"a/b/cpu.max": ""}, 8),
        (V2, {"a/b/cpu.max": "200000"}, 8),
        (V2, {"a/b/cpu.max": "200000 0\n"}, 8),
        (V2, {"a/b/cpu.max": "² 100000\n"}, 8),
        ("0::/../outside\n", {"cpu.max": "200000 100000\n"}, 2),
        (
            "0::/host/path\n",
            {"cpu.max": "200000 100000\n"},
            2,
        ),  # a container that sees the host's paths, and its own files
        (None, {"cpu.max": "200000 100000\n"}, 2),
        ("", {"cpu.max": "200000 100000\n"}, 2),
        ("no colon\n", {"cpu.max": "200000 100000\n"}, 2),
        (V1, v1("cpu,cpuacct/a/b", "200000\n", "100000\n"), 2),
        (V1, v1("cpu,cpuacct/a", "200000\n", "100000\n"), 2),
        (V1, v1("cpu,cpuacct/a/b", "-1\n", "100000\n"), 8),
        (V1, v1("cpu,cpuacct/a/b", "", ""), 8),
        (V1, v1("cpuset/elsewhere", "200000\n", "100000\n"), 8),
        (V1, {"cpu,cpuacct/a/b/cpu.cfs_quota_us": "200000\n"}, 8),
        (None, v1("cpu", "300000\n", "100000\n"), 3),
    ],
)
def test_the_smallest_quota_up_to_the_root_limits_the_cores(
    tmp_path, membership, files, cores
):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    listed = tmp_path / "membership"
    if membership is not None:
        listed.write_text(membership, encoding="utf-8")
    assert available_cores(tmp_path, listed) == cores


def test_affinity_limits_the_cores_and_the_machine_where_there_is_none(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {5}, raising=False)
    (tmp_path / "cpu.max").write_text("400000 100000\n")
    assert available_cores(tmp_path, tmp_path / "none") == 1
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    assert available_cores(tmp_path, tmp_path / "none") == 3
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert available_cores(tmp_path, tmp_path / "none") == 1


def test_unreadable_quota_files_are_no_quota(tmp_path):
    (tmp_path / "cpu.max").mkdir()
    assert available_cores(tmp_path, tmp_path) == 8
