"""What a run found: soak.json with every figure, soak.svg with the curve, soak.md with both in words."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import matplotlib as mpl

from tests.soak.watch import MOST_RISE, MOST_SLOPE, PAST, WARM_UP, Watch

mpl.use("svg")
mpl.rcParams["svg.hashsalt"] = "soak"
_MIB = 1024 * 1024
MOST_REFUSED = 0.05
"""of all calls, that a busy service may tell to come again."""
_PAGE = Path(__file__).with_name("page.md")
_HELD = ("remembered tokens", "companion sessions")
"""held for a time by design, and shown beside the memory that they take"""
_FLAT = ("files", "tasks", "connections", "waiting records", "live blocks", *PAST)


def figures(found: dict[str, Any]) -> dict[str, Any]:
    """Everything as JSON data, and the verdict."""
    tally, watch = found["tally"], found["watch"]
    memory = watch.memory()
    counts = {
        name: {"least": min(v), "most": max(v), "last": v[-1], "grew": watch.grows(name)}
        for name in _FLAT
        if (v := watch.after_warm_up(name)[1])
    }
    cpu = watch.values["CPU seconds"]
    passed = (
        tally.wrong_answers == 0
        and tally.refused_for_now <= MOST_REFUSED * tally.total
        and not any(max(watch.values[name]) for name in PAST)
        and memory.flat
        and not any(c["grew"] for c in counts.values())
        and found["stop"]["clean"]
        and found["restart"]["clean"]
    )
    return {
        "passed": passed,
        "ended": found["begun"],
        "seconds": found["seconds"],
        "machine": f"{platform.system()}, CPython {platform.python_version()}, {found['database']}",
        "callers": found["callers"],
        "plans": found["plans"],
        "seed": found["seed"],
        "published stages checked": found["checked"],
        "calls": tally.total,
        "wrong": tally.wrong_answers,
        "told to come again": tally.refused_for_now,
        "wrong in words": tally.wrong,
        "verdicts": {kind: dict(c) for kind, c in sorted(tally.verdicts.items())},
        "milliseconds": {k: _quantiles(v) for k, v in sorted(tally.seconds.items())},
        "tenants files written": found["reloads"],
        "store failures": found["store_failures"],
        "memory": {
            "level after warm-up, MiB": round(memory.level / _MIB, 1),
            "highest later, MiB": round(memory.highest / _MIB, 1),
            "slope, MiB an hour": round(memory.slope / _MIB, 2),
            "flat": memory.flat,
        },
        "live blocks, least of each quarter after warm-up": [int(n) for n in watch.live()],
        "held for a time": {name: watch.ends(name) for name in _HELD},
        "counts after warm-up": counts,
        "CPU seconds": round(cpu[-1] - cpu[0], 1),
        "stop": found["stop"],
        "restart": found["restart"],
        "samples": {"at": [round(a, 1) for a in watch.at], **watch.values},
    }


def write(found: dict[str, Any], folder: Path) -> tuple[bool, list[str]]:
    """Writes the three files; whether it passed, and the figures in a few lines."""
    data = figures(found)
    (folder / "soak.json").write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    _picture(found["watch"], folder / "soak.svg")
    (folder / "soak.md").write_text(page(data), encoding="utf-8")
    return data["passed"], [
        f"{'passed' if data['passed'] else 'FAILED'}: {data['calls']} calls, {data['wrong']} wrong",
        *data["wrong in words"][:20],
        f"memory {data['memory']}",
        f"stop {data['stop']}",
        f"restart {data['restart']}",
    ]


def _quantiles(seconds: list[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    return {f"p{q}": round(ordered[min(len(ordered) - 1, len(ordered) * q // 100)] * 1000, 1) for q in (50, 95, 99)}


def page(data: dict[str, Any]) -> str:
    """docs/soak.md of a run."""
    memory, counts = data["memory"], data["counts after warm-up"]
    ends = (*data["stop"].items(), *data["restart"].items())
    kinds = data["verdicts"].items()
    return _PAGE.read_text(encoding="utf-8").format(
        plans=data["plans"],
        checked=data["published stages checked"],
        ended=data["ended"],
        seconds=data["seconds"],
        machine=data["machine"],
        at_once=data["callers"],
        calls=data["calls"],
        wrong=data["wrong"],
        refused=data["told to come again"],
        most_refused=MOST_REFUSED * 100,
        rate=data["calls"] / data["seconds"],
        cpu=data["CPU seconds"],
        each=data["CPU seconds"] / max(1, data["calls"]) * 1000,
        reloads=data["tenants files written"],
        failures=data["store failures"],
        verdicts=_rows((kind, how, f"{n:,}") for kind, v in kinds for how, n in sorted(v.items())),
        times=_rows((kind, *v.values()) for kind, v in data["milliseconds"].items()),
        slope=MOST_SLOPE // _MIB,
        rise=MOST_RISE,
        memory=_rows([[v if isinstance(v, float) else "yes" if v else "NO" for v in memory.values()]]),
        held=", ".join(f"{name} {first:.0f} and {last:.0f}" for name, (first, last) in data["held for a time"].items()),
        live=", ".join(f"{n:,}" for n in data["live blocks, least of each quarter after warm-up"]),
        counts=_rows(
            (name, *(f"{c[k]:.0f}" for k in ("least", "most", "last")), "YES" if c["grew"] else "no")
            for name, c in counts.items()
        ),
        stop=_rows((name, value) for name, value in ends if name != "clean"),
    )


def _rows(rows: Iterable[Iterable[object]]) -> str:
    return "\n".join(f"| {' | '.join(str(cell) for cell in row)} |" for row in rows)


def _picture(watch: Watch, file: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5.5), layout="constrained")
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=[3, 2])
    minutes = [at / 60 for at in watch.at]
    top.plot(minutes, [v / _MIB for v in watch.values["memory"]], color="#1f5f8b", linewidth=1.2)
    top.axvspan(0, minutes[-1] * WARM_UP, color="#00000010", linewidth=0)
    top.text(minutes[-1] * WARM_UP / 2, 0, "warm-up", ha="center", va="bottom", color="#555555")
    top.set_ylim(bottom=0)
    top.set_ylabel("resident memory, MiB")
    for name, colour in (("files", "#8b4513"), ("tasks", "#2e7d32"), ("connections", "#6a1b9a")):
        bottom.plot(minutes, watch.values[name], label=name, color=colour, linewidth=1)
    bottom.set_ylim(bottom=0)
    bottom.set_xlabel("minutes")
    bottom.legend(loc="upper right", frameon=False, ncols=3)
    for axes in (top, bottom):
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(file, metadata={"Date": None})
