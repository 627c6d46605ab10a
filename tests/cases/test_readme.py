"""The command of README.md, run as it stands against `make demo`, and its output compared."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.demo import Demo

pytestmark = pytest.mark.xdist_group("demo")

README = Path(__file__).parents[2] / "README.md"
_BLOCK = re.compile(
    r"<!-- run: [^>]*-->\n```console\n\$ (?P<command>.*?\n    python3 [^\n]*\n)(?P<output>.*?)```\n<!-- /run -->", re.S
)


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl on this machine")
def test_curl_gives_the_output_shown(demo: Demo) -> None:
    text = README.read_text(encoding="utf-8")
    match = _BLOCK.search(text)
    assert match, "README.md has one executable block"
    command = (
        match["command"].replace("http://127.0.0.1:8080", demo.service).replace("http://127.0.0.1:8081", demo.page)
    )
    command = command.replace("python3 -c", f"{sys.executable} -c")
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60, check=True)
    shown = done.stdout.replace(demo.service, "http://127.0.0.1:8080").replace(demo.page, "http://127.0.0.1:8081")
    if os.environ.get("CDS_WRITE_DOCS"):
        README.write_text(text[: match.start("output")] + shown + text[match.end("output") :], encoding="utf-8")
    else:
        assert shown == match["output"], "CDS_WRITE_DOCS=1 pytest tests/cases/test_readme.py writes it"
