"""The safety table typed by hand, test by test: id, agents, action, and whether the order is off.

Typed from the clinical table, not from the data files; the two are compared in `test_table.py`. A line reads
"id | agents | ACTION" with " off" behind the action where no draft may be made.
"""

from __future__ import annotations

ORAL = "alendronate risedronate"
ANY_BP = f"{ORAL} pamidronate"
STS_LOCAL = "sodium-thiosulfate-topical sodium-thiosulfate-intralesional"
SPECIALIST = "pamidronate ivig rituximab sodium-thiosulfate-iv tnf-inhibitor jak-inhibitor"
HISTORICAL = "aluminium-hydroxide probenecid"
PROCEDURES = "surgical-excision co2-laser eswl"
ALL_DRUGS = (
    f"diltiazem minocycline colchicine {ANY_BP} {STS_LOCAL} sodium-thiosulfate-iv ivig rituximab tnf-inhibitor "
    f"jak-inhibitor corticosteroid-intralesional {HISTORICAL}"
)
G2_LIST = f"diltiazem colchicine minocycline {ANY_BP} rituximab jak-inhibitor"
REST = " ".join(agent for agent in ALL_DRUGS.split() if agent not in G2_LIST.split())
RENAL = f"colchicine {ANY_BP} ivig sodium-thiosulfate-iv {HISTORICAL}"
EVERY = f"{ALL_DRUGS} {PROCEDURES} warfarin"

LINES = f"""
G1.1 | {ALL_DRUGS} eswl | BLOCK
G1.2 | {ALL_DRUGS} {PROCEDURES} | NEED
G1.3 | surgical-excision co2-laser | WARN off
G2.1 | {ALL_DRUGS} | BLOCK
G2.2 | {G2_LIST} | BLOCK
G2.3 | {G2_LIST} | NEED
G2.4 | {REST} | WARN
G3.1 | {EVERY} | BLOCK
G3.2 | {EVERY} | CAP
G3.3 | {STS_LOCAL} | WARN
G4.1 | {ALL_DRUGS} {PROCEDURES} | NONE off
G4.2 | {ALL_DRUGS} | BLOCK
G4.3 | {RENAL} | NEED
G4.4 | {ALL_DRUGS} | NEED
G4.5 | {EVERY} | BLOCK
G4.6 | {SPECIALIST} {HISTORICAL} | WARN off
G4.7 | {EVERY} | BLOCK
G4.8 | {ALL_DRUGS} | WARN off
D1.1 | diltiazem | BLOCK
D1.2 | diltiazem | WARN off
D1.3 | diltiazem | BLOCK
D1.4 | diltiazem | BLOCK
D1.5 | diltiazem | BLOCK
D2.1 | diltiazem | BLOCK
D2.2 | diltiazem | BLOCK
D2.3 | diltiazem | BLOCK
D2.4 | diltiazem | NEED
D2.5 | diltiazem | WARN
D3.1 | diltiazem | BLOCK
D3.2 | diltiazem | BLOCK
D3.3 | diltiazem | WARN off
D3.4 | diltiazem | WARN off
D3.5 | diltiazem | WARN
D4.1 | diltiazem | BLOCK
D4.2 | diltiazem | WARN
D4.3 | diltiazem | WARN
D4.4 | diltiazem | WARN off
D4.5 | diltiazem | WARN
D4.6 | diltiazem | WARN
D4.7 | diltiazem | NEED
D5.1 | diltiazem | REPLACE
D5.2 | diltiazem | BLOCK
D6.1 | diltiazem | WARN off
D6.2 | diltiazem | WARN off
D7.1 | diltiazem | BLOCK
D7.2 | diltiazem | CAP
D7.3 | diltiazem | BLOCK
D7.4 | diltiazem | WARN
D7.5 | diltiazem | NEED
D7.6 | diltiazem | WARN
D8.1 | diltiazem | BLOCK
D8.2 | diltiazem | NEED
D8.3 | diltiazem | WARN off
D8.4 | diltiazem colchicine | WARN
D9.1 | diltiazem | WARN off
D9.2 | diltiazem | WARN
D9.3 | diltiazem | WARN
D9.4 | diltiazem | WARN
D9.5 | diltiazem | WARN
D9.6 | diltiazem | WARN
D9.7 | diltiazem | WARN
D9.8 | diltiazem | WARN
D9.9 | diltiazem | WARN
D9.10 | diltiazem | WARN
D10.1 | diltiazem | NONE
D11.1 | diltiazem | WARN
C1.1 | colchicine | BLOCK
C1.2 | colchicine | NEED
C1.3 | colchicine | WARN off
C2.1 | colchicine | BLOCK
C2.2 | colchicine | NEED
C2.3 | colchicine | CAP off
C3.1 | colchicine | BLOCK
C3.2 | colchicine | CAP
C3.3 | colchicine | NEED
C4.1 | colchicine | WARN
C4.2 | colchicine | WARN
C4.3 | colchicine | WARN
B1.1 | alendronate | BLOCK
B1.2 | risedronate | BLOCK
B1.3 | pamidronate | BLOCK
B1.4 | {ANY_BP} | NEED
B1.5 | pamidronate | NEED
B1.6 | pamidronate | CAP
B2.1 | {ORAL} | BLOCK
B2.2 | {ORAL} | BLOCK
B2.3 | {ORAL} | NEED
B2.4 | {ORAL} | WARN
B3.1 | {ANY_BP} | BLOCK
B3.2 | {ANY_BP} | NEED
B4.1 | {ANY_BP} | BLOCK
B4.2 | {ANY_BP} | BLOCK
B4.3 | {ANY_BP} | WARN
B5.1 | {ORAL} | WARN
M1.1 | minocycline | BLOCK
M1.2 | minocycline | WARN off
M2.1 | minocycline | BLOCK
M2.2 | minocycline | BLOCK
M2.3 | minocycline | BLOCK
M2.4 | minocycline | BLOCK
M2.5 | minocycline | BLOCK
M2.6 | minocycline | NEED
M2.7 | minocycline | WARN
M3.1 | minocycline | WARN off
M3.2 | minocycline | WARN
M3.3 | minocycline | WARN
M3.4 | minocycline | WARN
M3.5 | minocycline | WARN
M3.6 | minocycline | WARN off
W1w.1 | warfarin | BLOCK
W1w.2 | card-text | WARN
P1.1 | probenecid | BLOCK
P1.2 | probenecid | BLOCK
P1.3 | probenecid | BLOCK
P1.4 | probenecid | BLOCK
P1.5 | probenecid | NEED
P1.6 | probenecid | WARN
A1.1 | aluminium-hydroxide | BLOCK
A1.2 | aluminium-hydroxide | BLOCK
A1.3 | aluminium-hydroxide | NEED
A1.4 | aluminium-hydroxide | WARN
A1.5 | aluminium-hydroxide | WARN
T1.1 | sodium-thiosulfate-iv | WARN off
T1.2 | sodium-thiosulfate-iv | WARN off
T1.3 | sodium-thiosulfate-iv | WARN off
R1r.1 | rituximab | BLOCK
R1r.2 | rituximab | NEED
R1r.3 | rituximab | BLOCK
R1r.4 | rituximab | NEED
R1r.5 | rituximab | WARN off
R1r.6 | rituximab | BLOCK
I1.1 | ivig | BLOCK
I1.2 | ivig | NEED
I1.3 | ivig | WARN off
I1.4 | ivig | WARN off
I1.5 | ivig | CAP off
S1.1 | surgical-excision co2-laser skin-biopsy | WARN
S1.2 | surgical-excision co2-laser corticosteroid-intralesional sodium-thiosulfate-intralesional | BLOCK
S1.3 | skin-biopsy | BLOCK
E1.1 | eswl | BLOCK
E1.2 | eswl | BLOCK
E1.3 | eswl | BLOCK
E1.4 | eswl | WARN off
E1.5 | eswl | NEED
E1.6 | eswl | WARN
N1n.1 | tnf-inhibitor | BLOCK
N1n.2 | tnf-inhibitor | BLOCK
N1n.3 | tnf-inhibitor | BLOCK
N1n.4 | tnf-inhibitor | NEED
"""


def typed() -> dict[str, tuple[frozenset[str], str, bool]]:
    """Test id -> (agents, action in lower case, order off)."""
    table = {}
    for line in LINES.strip().splitlines():
        rule, agents, action = (part.strip() for part in line.split("|"))
        word, _, off = action.partition(" ")
        table[rule] = (frozenset(agents.split()), word.lower(), off == "off")
    return table
