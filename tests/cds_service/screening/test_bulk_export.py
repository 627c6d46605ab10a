"""`cds-service bulk-export` against a real server process with real tokens, and faults switched on one by one."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cds_service.bulk.backend import BackendTokens, read_key
from cds_service.bulk.client import Pace
from cds_service.bulk.model import BulkError, read_manifest
from cds_service.cli import main
from cds_service.fhir.outbound import Policy, open_client
from cds_service.pipeline import Brain
from cds_service.screening.decide import decide
from cds_service.screening.needs import completeness_of
from cds_service.screening.rows import to_json
from tests.cds_service.screening.bulk_stub import CANARY, ROOT, Stub, started
from tests.cds_service.screening.exports import case_charts, lines_by_type
from tests.charts import TODAY


@pytest.fixture(scope="module")
def stub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stub]:
    with started(tmp_path_factory.mktemp("bulk")) as server:
        yield server


def _run(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any], str]:
    code = main(arguments)
    printed = capsys.readouterr()
    assert CANARY not in printed.out + printed.err
    assert "sig=" not in printed.out + printed.err
    return code, json.loads(printed.out) if printed.out else {}, printed.err


def _content(out: Path) -> dict[str, list[str]]:
    """Lines of every file, by the name without the ending."""
    found = {}
    for path in sorted(out.rglob("*.ndjson*")):
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        found[str(path.relative_to(out)).partition(".ndjson")[0]] = raw.decode().splitlines()
    return found


@pytest.fixture
def whole(stub: Stub) -> dict[str, list[str]]:
    return {
        **{
            f"{kind}.{n:05d}": (stub.folder / f"{kind}.ndjson").read_text().splitlines()
            for n, kind in enumerate(("Condition", "Observation", "Patient"))
        },
        "deleted/Bundle.00000": (stub.folder / "deleted.ndjson").read_text().splitlines(),
        "error/00000": (stub.folder / "error.ndjson").read_text().splitlines(),
    }


@pytest.mark.parametrize("key", ["EC", "RSA"])
def test_a_plain_export(
    stub: Stub, tmp_path: Path, whole: dict[str, list[str]], key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    stub.faults(status=[202, 202])
    out = tmp_path / "out"
    code, summary, said = _run(stub.arguments(out, key=key), capsys)
    assert code == 0
    assert _content(out) == whole
    assert summary["transactionTime"] == "2026-11-01T00:00:00Z"
    assert summary["types"] == {"Condition": 5, "Observation": 20, "Patient": 3}
    assert (summary["deleted"], summary["errors"], summary["lost"]) == (1, {"warning": 1}, [])
    assert "(40 %)" in said
    assert {path.stat().st_mode & 0o777 for path in out.rglob("*") if path.is_file()} == {0o600}
    assert not list(out.rglob("*.part"))
    assert stub.jobs == {}, "a finished job is taken off the server"
    code, _, said = _run(stub.arguments(out), capsys)
    assert code == 0
    assert "already" in said


@pytest.mark.parametrize(
    ("faults", "more"),
    [
        ({"kickoff": [429, 503, 429], "status": [202, 429, 503, 202, 502]}, ()),
        ({"status": [202, 202], "retry_after": None}, ()),
        ({"files": {"output[1]": ["cut", 503, "fewer", 429], "deleted[0]": [500], "error[0]": [502]}}, ()),
        ({"gzip": True, "files": {"output[1]": ["cut"]}}, ()),
        ({"encoded": True}, ()),
        ({"files": {"output[0]": ["expired"], "output[2]": ["expired"]}}, ()),
        ({"token_uses": 2}, ()),
        pytest.param({"token_seconds": 1, "slow": 0.4}, ("--parallel", "1"), marks=pytest.mark.long),
        ({"files_need_token": False}, ()),
        ({"pages": True}, ()),
    ],
    ids=["busy", "no-retry-after", "broken-files", "gzip", "content-encoding", "expired-links", "token-refused",
         "token-runs-out", "no-token-for-files", "pages"],
)  # fmt: skip
def test_an_export_through_faults(
    stub: Stub,
    tmp_path: Path,
    whole: dict[str, list[str]],
    faults: dict[str, Any],
    more: tuple[str, ...],
    capsys: pytest.CaptureFixture[str],
) -> None:
    stub.faults(**faults)
    code, summary, _ = _run(stub.arguments(tmp_path / "out", *more), capsys)
    assert (code, summary["lost"]) == (0, [])
    assert _content(tmp_path / "out") == whole
    if not faults.get("files_need_token", True):
        assert {call["token"] for call in stub.calls("/files/")} == {False}
    if "token_uses" in faults or "token_seconds" in faults:
        assert len(stub.calls("/auth/token")) > 1


def test_a_token_refused_several_times_loses_no_file(
    stub: Stub, tmp_path: Path, whole: dict[str, list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    """As when other downloads have used up each renewed token before this one came."""
    stub.faults(files={"output[1]": [401] * 4})
    code, summary, _ = _run(stub.arguments(tmp_path / "out", "--tries", "1"), capsys)
    assert (code, summary["lost"]) == (0, [])
    assert _content(tmp_path / "out") == whole
    assert len(stub.calls("/auth/token")) >= 5


def test_a_token_that_is_always_refused_is_not_renewed_for_ever(
    stub: Stub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stub.faults(files={"output[1]": [401] * 100})
    code, summary, _ = _run(stub.arguments(tmp_path / "out", "--tries", "1"), capsys)
    assert code == 1
    assert [lost["file"] for lost in summary["lost"]] == ["output[1]"]
    assert len(stub.calls("/auth/token")) < 20


def test_downloads_side_by_side_ask_for_one_token(stub: Stub) -> None:
    """A server may take back the token before when it gives the next."""
    stub.faults()

    async def asked() -> tuple[list[str], list[str]]:
        policy = Policy(bases=(stub.url,), allow_private=True)
        async with open_client(policy) as http:
            key = read_key(stub.keys["EC"])
            tokens = BackendTokens(http, policy, f"{stub.url}/fhir", "registry", key, "system/Patient.rs")
            first = await asyncio.gather(*(tokens.token() for _ in range(3)))
            for token in first:
                tokens.used_up(token)
            return first, await asyncio.gather(*(tokens.token() for _ in range(3)))

    first, second = asyncio.run(asked())
    assert len(set(first)) == len(set(second)) == 1
    assert set(first).isdisjoint(second)
    assert len(stub.calls("/auth/token")) == 2


def test_a_redirect_to_an_allowed_host_takes_no_token_along(
    stub: Stub, tmp_path: Path, whole: dict[str, list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    other = stub.url.replace("127.0.0.1", "localhost")
    stub.faults(redirect=other)
    code, _, _ = _run(stub.arguments(tmp_path / "out", "--allow", other), capsys)
    assert code == 0
    assert _content(tmp_path / "out") == whole
    assert {call["token"] for call in stub.calls("/store/")} == {False}
    assert {call["token"] for call in stub.calls("/files/")} == {True}


def test_a_redirect_elsewhere_is_not_followed(stub: Stub, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stub.faults(redirect=stub.url.replace("127.0.0.1", "localhost"))
    code, summary, said = _run(stub.arguments(tmp_path / "out"), capsys)
    assert code == 1
    assert {lost["reason"] for lost in summary["lost"]} == {"server not allowed (see --allow)"}
    assert len(summary["lost"]) == 5
    assert stub.calls("/store/") == []
    assert "lost: output[1] Observation" in said
    stub.faults()
    code, summary, _ = _run(stub.arguments(tmp_path / "out"), capsys)
    assert (code, summary["files"]) == (0, 5), "the same export, once the host answers itself"


def test_a_file_that_stays_lost_is_named_and_only_it_is_fetched_again(
    stub: Stub, tmp_path: Path, whole: dict[str, list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    stub.faults(files={"output[1]": ["fewer"] * 3})
    code, summary, said = _run(stub.arguments(tmp_path / "out", "--tries", "3"), capsys)
    assert code == 1
    assert summary["lost"] == [
        {"file": "output[1]", "type": "Observation", "reason": "1 lines where the manifest says 20"}
    ]
    assert "lost: output[1] Observation: 1 lines" in said
    assert not list((tmp_path / "out").glob("Observation*"))
    stub.faults()
    assert _run(stub.arguments(tmp_path / "out"), capsys)[0] == 0
    assert [call["path"].rsplit("/", 1)[1] for call in stub.calls("/files/")] == ["output[1]"]
    assert not stub.calls("$export")
    assert _content(tmp_path / "out") == whole


def _process(arguments: list[str]) -> subprocess.Popen[str]:
    program = "import sys; from cds_service.cli import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # a shell ignores SIGINT for what it starts in the background, and children inherit that
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def _until(condition: Any) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.long
def test_killed_in_the_middle_it_goes_on_and_the_result_is_the_same(
    stub: Stub, tmp_path: Path, whole: dict[str, list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    stub.faults(slow=0.5)
    out = tmp_path / "out"
    running = _process(stub.arguments(out, "--parallel", "1"))
    _until(lambda: any(out.glob("Condition*.ndjson")))
    running.send_signal(signal.SIGKILL)
    running.communicate()
    stub.faults()
    code, _, said = _run(stub.arguments(out), capsys)
    assert code == 0
    assert "going on" in said
    assert _content(out) == whole
    fetched = {call["path"].rsplit("/", 1)[1] for call in stub.calls("/files/")}
    assert "output[0]" not in fetched
    assert not stub.calls("$export")


def test_a_file_changed_meanwhile_is_fetched_again(
    stub: Stub, tmp_path: Path, whole: dict[str, list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    stub.faults(files={"output[2]": ["fewer"] * 2})
    out = tmp_path / "out"
    assert _run(stub.arguments(out, "--tries", "2"), capsys)[0] == 1
    next(out.glob("Condition*.ndjson")).write_text("{}\n")
    stub.faults()
    assert _run(stub.arguments(out), capsys)[0] == 0
    assert _content(out) == whole


def test_a_job_that_the_server_forgot_is_begun_anew(
    stub: Stub, tmp_path: Path, whole: dict[str, list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    stub.faults(files={"output[2]": [404] * 9})
    out = tmp_path / "out"
    assert _run(stub.arguments(out), capsys)[0] == 1
    stub.faults(status=[404])
    code, _, said = _run(stub.arguments(out), capsys)
    assert code == 0
    assert "begun anew" in said
    assert _content(out) == whole


@pytest.mark.long
def test_ctrl_c_takes_the_job_off_the_server(stub: Stub, tmp_path: Path) -> None:
    stub.faults(status=[202] * 1000, retry_after="1")
    running = _process(stub.arguments(tmp_path / "out"))
    _until(lambda: stub.calls("/bulkstatus/"))
    os.kill(running.pid, signal.SIGINT)
    _, said = running.communicate(timeout=30)
    assert running.returncode == 130
    assert "Traceback" not in said
    assert [call["status"] for call in stub.calls("/bulkstatus/") if call["method"] == "DELETE"] == [202]


def test_level_since_and_filters_reach_the_server(
    stub: Stub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = ["--group", "rheumatology", "--types", "Observation", "--since", "2026-05-01T00:00:00Z", "--keep-job"]
    stub.faults()
    code, summary, _ = _run(
        stub.arguments(tmp_path / "out", *more, "--type-filter", "Observation?code=17861-6"), capsys
    )
    assert code == 0
    kept = [json.loads(line) for line in _content(tmp_path / "out")["Observation.00000"]]
    wanted = [n for n in range(20) if n % 2 and 1 + n % 9 >= 5]
    assert [one["id"] for one in kept] == [f"Observation-{n}" for n in wanted]
    assert summary["types"] == {"Observation": len(wanted)}
    assert "/fhir/Group/rheumatology/$export" in {job["path"] for job in stub.jobs.values()}, "--keep-job"
    with pytest.raises(SystemExit):
        main(stub.arguments(tmp_path / "other", "--since", "2026-05-01"))
    assert main(stub.arguments(tmp_path / "out")) == 1, "a folder of another export"
    assert "another folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("faults", "more", "said"),
    [
        ({"kickoff": [400]}, (), "kick-off: the server answered 400 (processing)"),
        ({"kickoff": [500]}, (), "kick-off: the server answered 500 (exception)"),
        ({"status": [202, 500]}, (), "status: the server answered 500 (exception)"),
        ({"kickoff": [429] * 3}, ("--tries", "3"), "kick-off: the server answered 429 (throttled)"),
        ({"manifest": {"output": [{"url": "x", "count": -1, "type": "Patient"}]}}, (), "output[0].count: negative"),
        ({"manifest": {"output": [{"url": 7, "type": "Patient"}]}}, (), "$.output[0].url"),
        ({"manifest": {"output": [{"url": "x", "type": "../etc"}]}}, (), "output[0].type: not a resource type"),
        ({}, ("--type-filter", "Claim?x=1"), "--type-filter: must be TYPE?query"),
        ({}, ("--group", "../x"), "--group: not a FHIR id"),
        ({}, ("--allow", "http://example.org"), "must be https base URLs"),
    ],
)
def test_what_went_wrong_is_said_in_one_line(
    stub: Stub,
    tmp_path: Path,
    faults: dict[str, Any],
    more: tuple[str, ...],
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    stub.faults(**faults)
    code, summary, error = _run(stub.arguments(tmp_path / "out", *more), capsys)
    assert (code, summary) == (1, {})
    assert said in error.splitlines()[-1]


def test_an_unknown_client_is_told_so(stub: Stub, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stub.faults()
    arguments = stub.arguments(tmp_path / "out")
    arguments[arguments.index("registry")] = "somebody"
    code, _, error = _run(arguments, capsys)
    assert code == 1
    assert "the authorization server refused (400, invalid_client)" in error


def test_a_folder_with_other_files_is_left_alone(
    stub: Stub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.txt").write_text("x")
    code, _, error = _run(stub.arguments(tmp_path), capsys)
    assert code == 1
    assert "is not empty" in error


def test_the_folder_of_an_export_is_screened_as_it_is(
    stub: Stub, tmp_path: Path, brain: Brain, capsys: pytest.CaptureFixture[str]
) -> None:
    """From the server to the worklist, packed files, deletions and the server's own complaints included."""
    charts = list(case_charts())[:6]
    held = lines_by_type(charts)
    gone = {"request": {"method": "DELETE", "url": f"Patient/{charts[0].patient_id}"}}
    held["deleted"] = [json.dumps({"resourceType": "Bundle", "entry": [gone]}).encode()]
    held["error"] = [(stub.folder / "error.ndjson").read_bytes().strip()]
    (stub.folder / "cases").mkdir()
    for name, lines in held.items():
        (stub.folder / "cases" / f"{name}.ndjson").write_bytes(b"".join(line + b"\n" for line in lines))
    stub.faults(data="cases", gzip=True)
    assert _run(stub.arguments(tmp_path / "export"), capsys)[0] == 0

    secret = b"a key of the tests, of no hospital at all"
    (tmp_path / "key").write_bytes(secret)
    command = ["screen", str(tmp_path / "export"), "--as-of", TODAY.isoformat(), "--key-file", str(tmp_path / "key")]
    assert main([*command, "--everyone", "--out", str(tmp_path / "w.ndjson")]) == 0
    states = completeness_of(held)
    rows = [
        decide(one.patient_id, one.resources, as_of=TODAY, brain=brain, secret=secret, completeness=states)
        for one in charts[1:]
    ]
    said = set((tmp_path / "w.ndjson").read_bytes().splitlines())
    assert said == {to_json(row) for row in rows if row.ctd != "not-met"}
    assert len(said) > 3


def test_waits_double_and_a_server_that_says_how_long_is_believed() -> None:
    pace = Pace(first=2.0, most=60.0, longest=600.0)
    waits = [pace.wait(attempt, {}) for attempt in range(12)]
    assert all(0.75 * 2 ** (n + 1) <= wait <= 2 ** (n + 1) for n, wait in enumerate(waits[:5]))
    assert max(waits) <= 60
    assert pace.wait(0, {"retry-after": "120"}) == 120
    assert pace.wait(0, {"retry-after": "86400"}) == 600


def test_a_manifest_that_is_no_json() -> None:
    with pytest.raises(BulkError, match="manifest: not JSON"):
        read_manifest(b"<html>")
