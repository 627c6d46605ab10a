"""What the conditions look at in a case, one bit for each thing: two cases with the same bits are the same to them.

A condition looks at a few things only ("is the flag of infection up", "is a lesion at a joint"), and so does a therapy
or an investigation with all its conditions. Where none of its bits changes, its decision does not either."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import get_args

from hooks.knowledge.safety_schema import Condition, LesionTest, Safety, walk
from hooks.model import Extent
from hooks.therapy.conditions import Compiler, Test
from hooks.therapy.single_tests import has, lesion_test
from hooks.therapy.view import View
from mappings.facts import Lesion

_BY_NAME = ("flag", "grade", "extent", "missing", "mimic", "therapy_need")
"""conditions that hold when one of their names is the case's."""


class Looks:
    """The bits of one safety table. `reads` gives those that a condition rests on, and numbers them as it meets them;
    `seen` and `needed` tell which of them hold."""

    def __init__(self, safety: Safety) -> None:
        self._named: Mapping[str, Condition] = safety.vocabulary.conditions
        self._rules = {rule.id: rule.when for rule in safety.rules}
        self._compiler = Compiler(self._named, safety.vocabulary.analytes)
        self._bits: dict[Condition, int] = {}
        self._by_name: dict[tuple[str, str], int] = {}
        self._criteria: list[str] = []
        self._by_attribute: dict[str, int] = {}
        self._by_region: dict[str, int] = {}
        self._lesions: list[tuple[int, Callable[[Lesion], object]]] = []
        """tests of a lesion that ask for more than an attribute or a region."""
        self._asked: list[tuple[int, Test]] = []

    def reads(self, condition: Condition) -> int:
        """The bits of everything that it looks at in the case, through named conditions and other tests as well."""
        bits = 0
        for part in walk(condition):
            if part.is_ is not None:
                bits |= self.reads(self._named[part.is_])
            elif part.rule is not None:
                bits |= self.reads(self._rules[part.rule]) if part.rule in self._rules else 0
            else:
                bits |= self._bit(part)
        return bits

    def reads_any(self, conditions: Iterable[Condition]) -> int:
        """The bits of any of them."""
        bits = 0
        for condition in conditions:
            bits |= self.reads(condition)
        return bits

    def extent(self) -> int:
        """The bits of the extent as such: the order of the options follows it."""
        local, wide = (Condition.model_construct(extent=names) for names in (("localized",), get_args(Extent)[1:]))
        return self.reads(local) | self.reads(wide)  # not checked: the schema would be built for these two

    def _bit(self, part: Condition) -> int:
        """The bit of one test of the case; 0 for what the chart alone answers."""
        known = self._bits.get(part)
        if known is not None:
            return known
        bit = 1 << len(self._bits)
        kind = next((name for name in _BY_NAME if getattr(part, name) is not None), None)
        if kind is not None:
            self._name(kind, getattr(part, kind), bit)
        elif part.criterion is not None:
            self._name(part.criterion.name, part.criterion.status, bit)
            if part.criterion.name not in self._criteria:
                self._criteria.append(part.criterion.name)
        elif part.lesion is not None:
            self._lesion(part.lesion, bit)
        elif part.finding is not None and part.finding.at_lesion is not None:
            self._asked.append((bit, self._compiler.compile(part)))
        else:
            return 0
        self._bits[part] = bit
        return bit

    def _lesion(self, test: LesionTest, bit: int) -> None:
        """Most tests ask for one attribute of several, or for one region of several."""
        if test.places or test.not_places or bool(test.attributes) == bool(test.regions):
            self._lesions.append((bit, lesion_test(test)))
            return
        for name in test.attributes:
            self._by_attribute[name] = self._by_attribute.get(name, 0) | bit
        for region in test.regions:
            self._by_region[region] = self._by_region.get(region, 0) | bit

    def _name(self, kind: str, names: Iterable[str], bit: int) -> None:
        for name in names:
            self._by_name[kind, name] = self._by_name.get((kind, name), 0) | bit

    def seen(self, view: View) -> int:
        """The bits that hold for a case."""
        case, of = view.case, self._by_name
        bits = of.get(("grade", case.grade), 0) | of.get(("extent", case.criteria.lesion.extent), 0)
        for flag in case.red_flags:
            bits |= of.get(("flag", flag.id), 0)
        for mimic in case.differential:
            bits |= of.get(("mimic", mimic.id), 0)
        for missing in case.missing:
            bits |= of.get(("missing", missing), 0)
        bits |= self._criteria_seen(view)
        for lesion in case.lesions:
            bits |= self._lesion_seen(lesion, view)
        for bit, test in self._asked:
            if test(view, None, {}) is not None:
                bits |= bit
        return bits

    def _criteria_seen(self, view: View) -> int:
        """Each criterion is asked once a chart: most of them are the same whatever is supposed of the lesions."""
        memory, criteria, bits = view.chart.memory, view.case.criteria, 0
        for name in self._criteria:
            criterion, key = getattr(criteria, name), ("criterion", id(self), name)
            known: tuple[object, int] | None = memory.get(key)
            if known is None or known[0] is not criterion:
                words = (criterion.status, getattr(criterion, "category", ""))
                found = 0
                for word in words:
                    found |= self._by_name.get((name, word), 0)
                known = memory[key] = criterion, found
            bits |= known[1]
        return bits

    def _lesion_seen(self, lesion: Lesion, view: View) -> int:
        """Asked once a chart: suppositions share all its lesions but one."""
        memory, key = view.chart.memory, ("seen", id(self), id(lesion))
        known: tuple[int, Lesion] | None = memory.get(key)
        if known is None:
            bits = 0
            for name, asked in self._by_attribute.items():
                if has(lesion, name):
                    bits |= asked
            for site in lesion.sites:
                bits |= self._by_region.get(site.region, 0)
            for bit, test in self._lesions:
                if test(lesion) is not None:
                    bits |= bit
            known = memory[key] = bits, lesion  # kept with it, so that no other lesion gets its id
        return known[0]

    def needed(self, needs: Iterable[str]) -> int:
        """The bits of what the live therapies wait for."""
        bits = 0
        for need in needs:
            bits |= self._by_name.get(("therapy_need", need), 0)
        return bits
