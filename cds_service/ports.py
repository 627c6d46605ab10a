"""Whether a server could listen at an address, asked before anything is loaded: uvicorn finds out seconds later and
says it in a log line."""

from __future__ import annotations

import errno
import socket

from cds_service.errors import SettingsError


def check_address(host: str, port: int) -> None:
    """Raises SettingsError where nobody can listen at any address of the host, or somebody does at one of them."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError:
        raise SettingsError(f"--host {host}: no such host") from None
    errors = [problem for problem in (_problem(entry) for entry in found) if problem is not None]
    if any(error.errno == errno.EADDRINUSE for error in errors):
        raise SettingsError(f"--port {port} is in use; choose another")
    if len(errors) == len(found):
        raise SettingsError(f"--host {host} --port {port}: {errors[0].strerror or 'nobody can listen there'}")


def _problem(entry: tuple[int, int, int, str, tuple[object, ...]]) -> OSError | None:
    family, kind, protocol, _, address = entry
    try:
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            probe.bind(address)
    except OSError as error:
        return error
    return None
