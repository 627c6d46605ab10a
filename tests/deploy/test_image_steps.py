"""The steps of docker/Dockerfile, run as they stand in a clean environment: there is no container engine to build with.

COPY lines copy into an empty folder, RUN lines run there with /opt/venv under another prefix, and the result is started
by a user without rights, without a home, in a folder where it may not write.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from socket import socket

import pytest
import yaml

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.long


def instructions() -> list[tuple[str, str]]:
    text = (ROOT / "docker" / "Dockerfile").read_text(encoding="utf-8")
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    found = [line.split(maxsplit=1) for line in lines if line and not line.startswith("#")]
    return [(word, rest) for word, rest in found]


@pytest.fixture(scope="module")
def image() -> Iterator[Path]:
    """The build stage, carried out; gives the environment that the image would hold as /opt/venv."""
    prefix = Path(tempfile.mkdtemp(prefix="image-steps-"))
    prefix.chmod(0o755)  # pytest's own folders can't be entered by the user that the image runs as
    source = prefix / "src"
    source.mkdir()
    clean = {"PATH": f"{Path(sys.executable).resolve().parent}:/usr/bin:/bin", "HOME": str(prefix)}
    (prefix / "bin").mkdir()
    (prefix / "bin" / "python").symlink_to(Path(sys.executable).resolve())
    clean["PATH"] = f"{prefix / 'bin'}:{clean['PATH']}"
    stage = 0
    for word, rest in instructions():
        stage += word == "FROM"
        if stage != 1:
            continue
        if word == "COPY":
            *sources, target = shlex.split(rest)
            for name in sources:
                to = source / target / (Path(name).name if target == "./" else "")
                if (ROOT / name).is_dir():
                    shutil.copytree(ROOT / name, to, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
                else:
                    to.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy(ROOT / name, to)
        if word == "RUN":
            command = rest.replace("/opt/venv", str(prefix / "venv"))
            done = subprocess.run(
                ["/bin/sh", "-euc", command], cwd=source, env=clean, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
    shutil.rmtree(source)
    yield prefix / "venv"
    shutil.rmtree(prefix)


def test_it_serves_in_production_as_a_user_without_rights(image: Path) -> None:
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("dropping rights needs root and setpriv")
    with closing(socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    tenants = image.parent / "tenants.yaml"
    tenants.write_text(yaml.safe_dump({"tenants": []}), encoding="utf-8")
    data = image.parent / "data"
    data.mkdir()
    os.chown(data, 10001, 10001)
    environment = {
        "PATH": f"{image / 'bin'}:/usr/bin:/bin",
        "HOME": "/nonexistent",
        "PYTHONDONTWRITEBYTECODE": "1",
        "CDS_PROFILE": "production",
        "CDS_TENANTS_FILE": str(tenants),
        "CDS_PUBLIC_URL": "https://cds.hospital.example",
        "CDS_DATABASE_URL": f"sqlite:///{data}/cds.sqlite3",
        "CDS_PSEUDONYM_KEY": "a-key-for-this-test-only-0123456789",
    }
    command = ["setpriv", "--reuid=10001", "--regid=10001", "--clear-groups", "--no-new-privs", "--bounding-set=-all"]
    before = {str(p) for p in image.parent.rglob("*") if data not in p.parents}
    process = subprocess.Popen(
        [*command, "cds-service", "serve", "--host", "127.0.0.1", "--port", str(port)],
        cwd="/",
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert _healthy(port, process), process.stderr.read() if process.poll() is not None and process.stderr else ""
    finally:
        process.terminate()
        process.wait(timeout=20)
    assert process.returncode in (0, -15)
    assert {str(p) for p in image.parent.rglob("*") if data not in p.parents} == before


def _healthy(port: int, process: subprocess.Popen[str]) -> bool:
    for _ in range(120):
        if process.poll() is not None:
            return False
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1) as answer:
                return answer.status == 200
        except OSError:
            time.sleep(0.25)
    return False
