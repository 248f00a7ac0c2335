"""Looks once, at start, at what this machine allows. Rule: it tries the real thing and takes nothing on trust.

A trial cell costs about 60 ms, which pass while the other rooms start.
"""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from penstock.execution.sandbox.groups import CONTROLLERS, Groups, Tree, find_tree
from penstock.execution.sandbox.model import Facts

TRIAL = Path(__file__).parents[1] / "bootstrap" / "trial.py"
TRIAL_S = 10.0
TRIAL_USER = 65533
DELEGATE = "give the server groups of its own, for example: systemd-run --scope -p Delegate=yes penstock up"


async def look(plan: dict[str, Any], name: str) -> tuple[Facts, Groups | None]:
    """The facts, and the groups when they are ours to use."""
    root = os.geteuid() == 0
    if sys.platform != "linux":
        return Facts(root, cells_missing="namespaces, which only Linux has"), None
    (groups, version, missing), trial = await asyncio.gather(asyncio.to_thread(_groups, name, root=root), _try(plan))
    return (
        Facts(
            root,
            cgroups=version,
            cgroups_missing=missing,
            cells_missing=f"cells, which this machine refuses: {trial['failed']}" if trial["failed"] else "",
            no_way_out=trial["no_way_out"],
        ),
        groups,
    )


async def _try(plan: dict[str, Any]) -> dict[str, str]:
    try:
        process = await asyncio.create_subprocess_exec(
            getattr(sys, "_base_executable", sys.executable), "-I", "-S", "-E", str(TRIAL),
            json.dumps({**plan, "user": TRIAL_USER}),
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            cwd="/", start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        return {"failed": f"the trial does not run: {error}", "no_way_out": ""}
    try:
        async with asyncio.timeout(TRIAL_S):
            answer, complaint = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        return {"failed": f"the trial did not end within {TRIAL_S:.0f} s", "no_way_out": ""}
    try:
        found: dict[str, str] = json.loads(answer)
    except ValueError:
        last = complaint.decode(errors="replace").strip().splitlines()[-1:] or ["it said nothing"]
        return {"failed": f"the trial broke: {last[0]}", "no_way_out": ""}
    return found


def _groups(name: str, *, root: bool) -> tuple[Groups | None, str, str]:
    """The groups, their version, and what is missing."""
    try:
        tree = find_tree(Path("/proc/self/mountinfo").read_text(), Path("/proc/self/cgroup").read_text())
    except (OSError, ValueError) as error:
        return None, "", f"cgroups, which cannot be read: {error}"
    if isinstance(tree, str):
        return None, "", f"cgroups: {tree}"
    try:
        if tree.version == "v2":
            tree = _open_v2(tree, root=root)
        groups = Groups(tree, name)
        groups.prepare()
    except OSError as error:
        where = next(iter(tree.bases.values()))
        return None, "", f"cgroup controllers to write to ({error.strerror} at {error.filename or where}; {DELEGATE})"
    return groups, tree.version, ""


def _open_v2(tree: Tree, *, root: bool) -> Tree:
    """A group that hands our controllers down; raises `OSError`.

    A group with processes in it hands nothing down, so the server moves into a leaf of its own first. Where others
    share its group, root takes the top of the hierarchy instead.
    """
    base = tree.bases["memory"]
    offered = set((base / "cgroup.controllers").read_text().split())
    if absent := [one for one in CONTROLLERS if one not in offered]:
        raise OSError(2, f"no {', '.join(absent)} controller", str(base))
    top = base
    while root and (top.parent / "cgroup.controllers").exists():
        top = top.parent
    for candidate in dict.fromkeys((base, top)):
        try:
            _hand_down(candidate)
        except OSError as error:
            refused = error
        else:
            return Tree("v2", dict.fromkeys(CONTROLLERS, candidate))
    raise refused


def _hand_down(group: Path) -> None:
    control, wanted = group / "cgroup.subtree_control", " ".join(f"+{one}" for one in CONTROLLERS)
    try:
        control.write_text(wanted)
    except OSError:
        if (group / "cgroup.procs").read_text().split() != [str(os.getpid())]:
            raise
        leaf = group / "penstock-server"
        leaf.mkdir(exist_ok=True)
        (leaf / "cgroup.procs").write_text(str(os.getpid()))
        control.write_text(wanted)
