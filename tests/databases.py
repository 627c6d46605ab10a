"""A real PostgreSQL of our own, where its programs are installed: for the store's tests and the long runs."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class NoPostgresError(Exception):
    """PostgreSQL is not installed on this machine, or can't be started; the text says which."""


@contextmanager
def postgres_server() -> Iterator[str]:
    """The URL of a PostgreSQL on a free loopback port; stopped and removed at the end. Raises NoPostgresError."""
    programs = {name: shutil.which(name) for name in ("initdb", "pg_ctl")}
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if found:
        programs = {name: path or str(found[-1] / name) for name, path in programs.items()}
    if not all(path and Path(path).exists() for path in programs.values()):
        raise NoPostgresError("PostgreSQL is not installed on this machine")
    folder = Path(tempfile.mkdtemp(prefix="cds-postgres-"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    run: list[str] = []
    if os.geteuid() == 0:  # PostgreSQL does not run as root
        runuser = shutil.which("runuser", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
        if runuser is None:
            raise NoPostgresError("PostgreSQL does not run as root and there is no runuser on this machine")
        run = [runuser, "-u", "postgres", "--"]
        shutil.chown(folder, "postgres")
    data = str(folder / "data")

    def program(name: str, *arguments: str) -> None:
        subprocess.run(
            [*run, str(programs[name]), *arguments],
            check=True,
            cwd="/",
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=120,
        )

    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder}"
    try:
        program("initdb", "-D", data, "-A", "trust", "-U", "cds", "--no-sync", "-E", "UTF8")
        program("pg_ctl", "-D", data, "-w", "-o", options, "-l", str(folder / "log"), "start")
    except (OSError, subprocess.SubprocessError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise NoPostgresError(f"PostgreSQL can't be started on this machine: {type(error).__name__}") from None
    try:
        yield f"postgresql://cds@127.0.0.1:{port}/postgres"
    finally:
        program("pg_ctl", "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)
