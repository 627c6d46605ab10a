"""The command line. Exit codes: 0 done, 1 something is wrong with the input or the knowledge, 2 refused to start."""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

import msgspec

from cds_service import __version__
from cds_service.days import day
from cds_service.errors import ServiceError, SettingsError

_LAST_PORT = 65_535


def main(arguments: Sequence[str] | None = None) -> int:
    parser = _parser()
    given = parser.parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = given.command
    from hooks.knowledge.base import KnowledgeError
    from mappings.codetypes import CodelistError

    try:
        return command(given)
    except SettingsError as error:
        print(f"refused to start: {error}", file=sys.stderr)
        return 2
    except (KnowledgeError, CodelistError) as error:
        print(f"knowledge: {error}", file=sys.stderr)
        return 1
    except ServiceError as error:
        print(error.text, file=sys.stderr)
        return 1
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="cds-service", description="CDS Hooks: possible dystrophic calcinosis cutis")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_service(commands)
    _add_checks(commands)
    _add_reports(commands)
    _add_audit(commands)
    _add_screening(commands)
    _add_sandbox(commands)
    return parser


def _add_service(commands: Commands) -> None:
    serve = commands.add_parser("serve", help="start the service (settings: CDS_* environment variables)")
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=_port, default=8080)
    serve.add_argument("--workers", type=int, default=1)
    serve.set_defaults(command=_serve)

    evaluate = commands.add_parser("evaluate", help="assess one patient and print the cards")
    source = evaluate.add_mutually_exclusive_group(required=True)
    source.add_argument("--fhir-server", metavar="URL")
    source.add_argument("--bundle", type=Path, metavar="FILE")
    evaluate.add_argument("--patient", type=_patient_id, metavar="ID")
    evaluate.add_argument("--token", help="bearer token (or CDS_TOKEN in the environment)")
    evaluate.add_argument("--as-of", type=day, metavar="DATE")
    evaluate.add_argument("--json", action="store_true")
    evaluate.add_argument("--timeout-ms", type=int, default=20_000)
    evaluate.add_argument("--notes", action="store_true", help="read clinical notes too, where no lesion is found")
    evaluate.set_defaults(command=_evaluate)


def _add_checks(commands: Commands) -> None:
    check = commands.add_parser("check-knowledge", help="validate every knowledge and mapping file")
    check.add_argument("--overlay", type=Path, metavar="FILE", help="a hospital's own codes")
    check.set_defaults(command=_check_knowledge)

    config = commands.add_parser("check-config", help="what serve would refuse, and how each tenant stands")
    config.add_argument("--workers", type=int, default=1)
    config.set_defaults(command=_check_config)

    doctor = commands.add_parser("doctor", help="run the searches against a tenant's FHIR server and tell what works")
    doctor.add_argument("--tenant", required=True, metavar="ID")
    doctor.add_argument("--patient", required=True, type=_patient_id, metavar="ID", help="a test patient")
    doctor.add_argument("--tenants-file", type=Path, metavar="FILE", help="default: CDS_TENANTS_FILE")
    doctor.add_argument("--token", help="bearer token (or CDS_TOKEN in the environment)")
    doctor.add_argument("--timeout-ms", type=int, default=20_000)
    doctor.set_defaults(command=_doctor)


def _add_reports(commands: Commands) -> None:
    report = commands.add_parser("report", help="the committee report of a period, without patient data")
    report.add_argument("--from", dest="first", type=day, metavar="DATE", help="default: 90 days ago")
    report.add_argument("--to", dest="last", type=day, metavar="DATE", help="included; default: today")
    report.add_argument("--tenant", metavar="ID", help="default: all tenants together")
    report.add_argument("--format", choices=("html", "csv", "json"), default="html")
    report.add_argument("--out", type=Path, metavar="FILE", help="default: standard output")
    report.add_argument("--sample", type=int, default=20, metavar="N", help="charts of each kind to review (20)")
    report.add_argument(
        "--ignored-hours", type=int, default=24, metavar="H", help="no word after so long: ignored (24)"
    )
    report.set_defaults(command=_report)

    key = commands.add_parser("patient-key", help="the keys of patient ids, to find charts of the review sample")
    key.add_argument("--tenant", default="-", metavar="ID")
    key.add_argument("ids", nargs="+", type=_patient_id, metavar="ID")
    key.set_defaults(command=_patient_key)


def _add_audit(commands: Commands) -> None:
    audit = commands.add_parser("audit", help="check the audit trail, or export it as FHIR AuditEvent")
    audits = audit.add_subparsers(required=True, metavar="WHAT")
    verify = audits.add_parser("verify", help="checks the whole chain; exit code 1 when it is broken")
    verify.add_argument(
        "--expect", metavar="ROW:DIGEST", help="a row that an earlier check printed must still be there"
    )
    verify.set_defaults(command=_audit_verify)
    export = audits.add_parser("export", help="AuditEvent NDJSON")
    export.add_argument("--tenant", metavar="ID", help="default: all")
    export.add_argument("--out", type=Path, metavar="FILE", help="default: standard output")
    export.set_defaults(command=_audit_export)

    erase = commands.add_parser("erase", help="remove everything kept about one patient")
    erase.add_argument("--tenant", required=True, metavar="ID")
    erase.add_argument("--patient", required=True, type=_patient_id, metavar="ID")
    erase.set_defaults(command=_erase)


def _add_screening(commands: Commands) -> None:
    """Each imports its options only: every start of the command line parses them."""
    from cds_service.bulk.options import add_parser as add_bulk_export
    from cds_service.screening.options import add_parser as add_screen
    from cds_service.screening.synthetic.options import add_parsers as add_synthetic

    add_screen(commands)
    commands.choices["screen"].set_defaults(command=_screen)
    add_bulk_export(commands)
    commands.choices["bulk-export"].set_defaults(command=_bulk_export)
    add_synthetic(commands)
    commands.choices["synthesize"].set_defaults(command=_synthesize)
    commands.choices["score"].set_defaults(command=_score)


def _add_sandbox(commands: Commands) -> None:
    sandbox = commands.add_parser("sandbox", help="start only the embedded FHIR server and the reference EHR page")
    sandbox.add_argument("--port", type=_port, default=8081)
    sandbox.add_argument("--host", default="127.0.0.1")
    sandbox.add_argument("--service-url", default="http://127.0.0.1:8080")
    sandbox.add_argument("--fhir-url", metavar="URL", help="another FHIR server that holds the charts (see load-cases)")
    sandbox.set_defaults(command=_sandbox)

    cases = commands.add_parser("load-cases", help="write the published cases to a FHIR server of your own")
    cases.add_argument("--fhir-server", required=True, metavar="URL")
    cases.add_argument("--wait", type=int, default=0, metavar="SECONDS", help="for the server to come up")
    cases.set_defaults(command=_load_cases)

    demo = commands.add_parser("demo", help="start the service and the sandbox with the published cases")
    demo.add_argument("--port", type=_port, default=8080)
    demo.set_defaults(command=_demo)


def _port(text: str) -> int:
    """A larger number would be taken for the rest of its division by 65,536."""
    if not text.isdecimal() or not 0 <= int(text) <= _LAST_PORT:
        raise argparse.ArgumentTypeError(f"must be a port, 0 to {_LAST_PORT}")
    return int(text)


def _patient_id(text: str) -> str:
    from mappings.reader.identity import SAFE_ID

    found = text.removeprefix("Patient/")
    if SAFE_ID.fullmatch(found) is None:
        raise argparse.ArgumentTypeError("not a FHIR id")
    return found


def _serve(given: argparse.Namespace) -> int:
    gc.disable()  # until the application runs: what a start makes stays
    from cds_service.settings import check_production, load_settings

    check_production(load_settings())  # a refusal needs no code lists; serve() checks again
    from cds_service.server import serve

    serve(given.host, given.port, given.workers)
    return 0


def _evaluate(given: argparse.Namespace) -> int:
    from cds_service.clinical_notes import wants_notes
    from cds_service.evaluate import EvaluationError, chart_from_file, chart_from_server, evaluate_chart
    from cds_service.overlay import read_overlay
    from cds_service.pipeline import load_brain
    from cds_service.report_text import report
    from cds_service.settings import load_settings
    from hooks.model import to_json

    settings = load_settings()
    if given.fhir_server and given.patient is None:
        raise EvaluationError("--patient is required with --fhir-server", "patient")
    if given.notes and not given.fhir_server:
        raise EvaluationError("--notes is for --fhir-server: a file is read whole", "notes")
    brain = load_brain(settings.as_of, read_overlay(settings.knowledge_overlay))
    if given.fhir_server:
        token = given.token or os.environ.get("CDS_TOKEN")
        noting = (lambda read: wants_notes(brain.understand(read, given.as_of)[1])) if given.notes else None
        chart = asyncio.run(chart_from_server(given.fhir_server, given.patient, token, given.timeout_ms, noting))
    else:
        chart = chart_from_file(given.bundle, given.patient)
    found = evaluate_chart(chart, brain, given.as_of, settings.public_url)
    if given.json:
        body = {"assessment": to_json(found.assessment), "cards": found.cards}
        encoded = msgspec.json.Encoder(decimal_format="number").encode(body)
        print(msgspec.json.format(encoded, indent=2).decode())
    else:
        print(report(found.assessment, found.cards, brain.knowledge.messages))
    if found.unread is not None:
        print(found.unread, file=sys.stderr)
        return 1
    return 0


def _check_knowledge(given: argparse.Namespace) -> int:
    from cds_service.knowledge_check import problems
    from cds_service.settings import load_settings

    found = list(problems(given.overlay or load_settings().knowledge_overlay))
    for problem in found:
        print(problem)
    print(f"{len(found)} problem(s)" if found else "knowledge and code lists are consistent")
    return 1 if found else 0


def _check_config(given: argparse.Namespace) -> int:
    from cds_service.config_check import checked

    _, lines, healthy = checked(given.workers)
    for line in lines:
        print(line)
    return 0 if healthy else 1


def _report(given: argparse.Namespace) -> int:
    from cds_service.report.command import Asked, made
    from cds_service.settings import load_settings

    asked = Asked(given.first, given.last, given.tenant, given.format, given.out, given.sample, given.ignored_hours)
    text = made(load_settings(), asked)
    if text is not None:
        print(text, end="")
    return 0


def _patient_key(given: argparse.Namespace) -> int:
    from cds_service.report.command import patient_keys
    from cds_service.settings import load_settings

    for patient, key in patient_keys(load_settings(), given.tenant, given.ids):
        print(f"{key} {patient}")
    return 0


def _audit_verify(given: argparse.Namespace) -> int:
    from cds_service.audit.command import verified
    from cds_service.settings import load_settings

    holds, line = verified(load_settings(), given.expect)
    print(line)
    return 0 if holds else 1


def _audit_export(given: argparse.Namespace) -> int:
    from cds_service.audit.command import exported, open_out
    from cds_service.settings import load_settings

    if given.out is None:
        exported(load_settings(), given.tenant, sys.stdout)
        return 0
    with open_out(given.out) as out:
        print(f"{exported(load_settings(), given.tenant, out)} AuditEvent(s)")
    return 0


def _erase(given: argparse.Namespace) -> int:
    from cds_service.audit.command import erased
    from cds_service.settings import load_settings

    print(erased(load_settings(), given.tenant, given.patient))
    return 0


def _doctor(given: argparse.Namespace) -> int:
    from cds_service.doctor import examine
    from cds_service.doctor.report import written
    from cds_service.settings import load_settings

    token = given.token or os.environ.get("CDS_TOKEN")
    found = asyncio.run(
        examine(load_settings(), given.tenants_file, given.tenant, given.patient, token, given.timeout_ms)
    )
    print(written(found))
    return 0 if found.healthy else 1


def _screen(given: argparse.Namespace) -> int:
    from cds_service.screening.command import run
    from cds_service.settings import load_settings

    return run(given, load_settings())


def _bulk_export(given: argparse.Namespace) -> int:
    from cds_service.bulk.command import run

    try:
        return run(given, os.environ.get("CDS_TOKEN"))
    except KeyboardInterrupt:
        return 130


def _synthesize(given: argparse.Namespace) -> int:
    from cds_service.screening.synthetic.command import make

    return make(given)


def _score(given: argparse.Namespace) -> int:
    from cds_service.screening.synthetic.command import compare
    from cds_service.settings import load_settings

    return compare(given, load_settings())


def _sandbox(given: argparse.Namespace) -> int:
    from cds_service.sandbox.process import run

    run(host=given.host, port=given.port, service_url=given.service_url, fhir_url=given.fhir_url)
    return 0


def _load_cases(given: argparse.Namespace) -> int:
    from cds_service.sandbox.load_cases import load_cases

    loaded = load_cases(given.fhir_server, wait_seconds=given.wait)
    print(f"{loaded} resources written")
    return 0


def _demo(given: argparse.Namespace) -> int:
    from cds_service.sandbox.process import demo

    return demo(port=given.port, say=lambda text: print(text, flush=True))
