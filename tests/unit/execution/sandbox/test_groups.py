"""Control groups, on trees of plain files shaped like the kernel's."""

from pathlib import Path

import pytest

from penstock.execution.sandbox.groups import OVERHEAD_MB, Groups, Tree, find_tree, quota_us

V1_MOUNTS = """\
30 25 0:26 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
31 25 0:27 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory
32 25 0:28 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids
33 25 0:29 / /sys/fs/cgroup/freezer rw,relatime - cgroup cgroup rw,freezer
34 25 0:30 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
"""
V2_MOUNTS = "34 25 0:30 / /sys/fs/cgroup rw,relatime - cgroup2 cgroup2 rw\n"
IN_DOCKER = "34 25 0:30 /docker/abc /sys/fs/cgroup rw,relatime - cgroup2 cgroup2 rw\n"


@pytest.mark.parametrize(
    ("mounts", "memberships", "version", "memory"),
    [
        (
            V1_MOUNTS,
            "4:memory:/box/1\n3:cpu,cpuacct:/\n2:pids:/\n1:freezer:/\n0::/",
            "v1",
            "/sys/fs/cgroup/memory/box/1",
        ),
        (V2_MOUNTS, "0::/user.slice/x.scope", "v2", "/sys/fs/cgroup/user.slice/x.scope"),
        (V2_MOUNTS, "0::/", "v2", "/sys/fs/cgroup"),
        (IN_DOCKER, "0::/docker/abc/inner", "v2", "/sys/fs/cgroup/inner"),
    ],
)
def test_where_groups_go(mounts, memberships, version, memory):
    tree = find_tree(mounts, memberships)
    assert isinstance(tree, Tree)
    assert (tree.version, tree.bases["memory"]) == (version, Path(memory))


def test_without_any_hierarchy():
    assert find_tree("22 1 0:1 / / rw - ext4 /dev/vda rw\n", "") == "no cgroup hierarchy is mounted"


@pytest.mark.parametrize(
    ("memory_mb", "share"), [(1769, 20_000), (3538, 40_000), (885, 10_005), (128, 1447), (10, 1000)]
)
def test_the_share_of_the_processor(memory_mb, share):
    assert quota_us(memory_mb) == share


FILES = {
    "v1": {
        "cpu": ["cgroup.procs", "cpu.cfs_period_us", "cpu.cfs_quota_us"],
        "memory": ["cgroup.procs", "memory.limit_in_bytes", "memory.memsw.limit_in_bytes"],
        "pids": ["cgroup.procs", "pids.max"],
        "freezer": ["cgroup.procs", "freezer.state"],
    },
    "v2": {
        "all": ["cgroup.procs", "cpu.max", "memory.max", "memory.swap.max", "pids.max", "cgroup.freeze"],
    },
}  # fmt: skip


def tree_of(root: Path, version: str) -> Tree:
    if version == "v2":
        return Tree("v2", dict.fromkeys(("cpu", "memory", "pids"), root / "all"))
    return Tree("v1", {name: root / name for name in FILES["v1"]})


@pytest.fixture(params=["v1", "v2"])
def made(request, tmp_path):
    """A group on a fake tree, and a function that reads its files."""
    tree = tree_of(tmp_path, request.param)
    for base in set(tree.bases.values()):
        base.mkdir()
    for name in set(tree.bases.values()):
        (name / "penstock-x").mkdir()
        (name / "penstock-x" / "cgroup.subtree_control").touch()
    group = Groups(tree, "penstock-x").make("cell")
    for name, files in FILES[request.param].items():
        for file in files:
            (tmp_path / name / "penstock-x" / "cell" / file).touch()

    def read(file: str) -> str:
        (found,) = (path for path in tmp_path.rglob(file) if "cell" in path.parts)
        return found.read_text()

    return request.param, group, read, tmp_path


def test_limits(made):
    version, group, read, _ = made
    group.limit(256, 512)
    size = str((256 + 512 + OVERHEAD_MB) << 20)
    group.share(1769)
    if version == "v2":
        assert (read("memory.max"), read("memory.swap.max"), read("pids.max")) == (size, "0", "1024")
        assert read("cpu.max") == "20000 20000"
    else:
        assert (read("memory.limit_in_bytes"), read("memory.memsw.limit_in_bytes")) == (size, size)
        assert (read("cpu.cfs_quota_us"), read("cpu.cfs_period_us"), read("pids.max")) == ("20000", "20000", "1024")


def test_freezing(made):
    version, group, read, root = made
    file, frozen = ("cgroup.freeze", "1") if version == "v2" else ("freezer.state", "FROZEN")
    group.freeze()
    assert read(file) == frozen
    next(root.rglob(file)).write_text("")
    group.thaw()
    assert read(file) == ("0" if version == "v2" else "THAWED")


def test_what_is_used_and_whether_it_starved(made):
    version, group, _, root = made
    memory = next(path.parent for path in root.rglob("memory.*max*" if version == "v2" else "memory.limit*"))
    (memory / "memory.stat").write_text("cache 999\nanon 2097152\nrss 2097152\n")
    events = memory / ("memory.events" if version == "v2" else "memory.oom_control")
    events.write_text("under_oom 0\noom_kill 0\n")
    assert (group.used_kb(), group.starved()) == (2048, False)
    events.write_text("under_oom 0\noom_kill 2\n")
    assert group.starved()


def test_a_process_enters_every_hierarchy(made):
    _, group, _, root = made
    group.enter(42)
    procs = [path.read_text() for path in root.rglob("cgroup.procs") if "cell" in path.parts]
    assert procs
    assert set(procs) == {"42"}
