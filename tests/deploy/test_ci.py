""".ci/run on a machine that lacks nearly everything: it says what is missing and goes on to the tests."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

RUN = Path(__file__).parents[2] / ".ci" / "run"


def _program(folder: Path, name: str, text: str) -> None:
    file = folder / name
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)


def test_without_root_browser_or_network(tmp_path: Path) -> None:
    """Programs of this machine but for what is named here; `make` stands in for installing and testing."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("sh", "dirname", "ls"):
        found = shutil.which(name)
        assert found is not None
        (programs / name).symlink_to(found)
    _program(programs, "id", "echo 1000")
    _program(programs, "python3", "exit 0")
    _program(programs, "make", f'echo "$1" >> {tmp_path}/asked; [ "$1" != deploy-tools ]')
    checkout = tmp_path / "checkout" / ".ci"
    checkout.mkdir(parents=True)
    shutil.copy(RUN, checkout / "run")
    environment = {"PATH": str(programs), "HOME": os.environ.get("HOME", "/")}
    done = subprocess.run(["sh", str(checkout / "run")], env=environment, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "asked").read_text().split() == ["deploy-tools", "test"]
    assert "chromium" in done.stderr
    assert "could not be installed" in done.stderr


def test_a_red_suite_is_red(tmp_path: Path) -> None:
    checkout = tmp_path / ".ci"
    checkout.mkdir()
    shutil.copy(RUN, checkout / "run")
    (tmp_path / "Makefile").write_text("deploy-tools:\n\ttrue\ntest:\n\tfalse\n")
    programs = tmp_path / "bin"
    programs.mkdir()
    _program(programs, "id", "echo 1000")
    environment = os.environ | {"PATH": f"{programs}:{os.environ['PATH']}"}
    done = subprocess.run(["sh", str(checkout / "run")], env=environment, capture_output=True, text=True, timeout=30)
    assert done.returncode != 0
