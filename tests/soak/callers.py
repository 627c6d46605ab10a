"""The callers: each asks one thing, compares what comes with what is right, and puts down how it went."""

from __future__ import annotations

import asyncio
import re
import time
import uuid
from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson
from joserfc import jwt
from joserfc.jwk import ECKey

from cds_service.companion.sessions import IDLE_SECONDS
from hooks.knowledge import load_knowledge
from tests.soak.expected import Expected, plain
from tests.soak.plans import Deck, Plan
from tests.soak.service import PUBLIC, Hospital
from tests.soak.watch import total

COME_AGAIN = "told to come again"
_LIFETIME = 120
_LEEWAY = 60
"""how long after its end the service still takes a token, so that it has to remember it"""
_SWITCHED_SECONDS = 8
"""by when a change of the tenants file has taken effect."""
_JSON = {"Content-Type": "application/json"}
_PHRASES = load_knowledge().cards.phrases
_SAID = tuple(_PHRASES[key].partition("{")[0].strip() for key in ("could_not_read", "read_in_part"))
_PATIENCE = 60
"""seconds that a launch may take from its first call to its last"""
_SLACK = 15
"""seconds between the making of a token and its use, and until the next use lets go of those that ended"""
_QUESTIONS = (
    "Does diltiazem help?",
    "What is the dose of colchicine?",
    "Is warfarin useful in calcinosis?",
    "Who won the football match?",
    "What is dystrophic calcinosis cutis?",
)
_PAGES = (
    ("/cds-services", 200),
    ("/evidence", 200),
    ("/cds-services/calcinosis-patient-view/source-attributes", 200),
    ("/evidence/no-such-source", 404),
    ("/nothing/here", 404),
    ("/docs", 404),
    ("/companion", 404),
)


class ComeAgain(Exception):
    """The service was busy and said so: 503 with Retry-After, an answer in words and never a wrong one."""


def heard(answer: httpx.Response) -> httpx.Response:
    """The answer. Raises ComeAgain."""
    if answer.status_code == 503 and "Retry-After" in answer.headers:
        raise ComeAgain
    return answer


@dataclass(slots=True)
class Tally:
    """How many of each kind ended how; the first wrong ones in words (fictional patients only)."""

    verdicts: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    wrong: list[str] = field(default_factory=list)
    feedback: set[tuple[str, str]] = field(default_factory=set)

    def add(self, kind: str, verdict: str, why: str = "") -> None:
        self.verdicts[kind][verdict] += 1
        if verdict == "WRONG" and len(self.wrong) < 50:
            self.wrong.append(f"{kind}: {why}")

    @property
    def total(self) -> int:
        return sum(c.total() for c in self.verdicts.values())

    @property
    def wrong_answers(self) -> int:
        return sum(c["WRONG"] for c in self.verdicts.values())

    @property
    def refused_for_now(self) -> int:
        return sum(c[COME_AGAIN] for c in self.verdicts.values())


class Callers:
    """`mode_of_c` says since when tenant c is in which mode, as the hospital last wrote it."""

    def __init__(self, url: str, hospital: Hospital, expected: Expected, deck: Deck, tally: Tally) -> None:
        self.hospital, self.expected, self.deck, self.tally = hospital, expected, deck, tally
        self.http = httpx.AsyncClient(base_url=url, timeout=30, limits=httpx.Limits(max_connections=100))
        self.browsers = [httpx.AsyncClient(base_url=url, timeout=30) for _ in range(4)]
        self.mode_of_c: tuple[str, float] = ("live", 0.0)
        self.cards: list[tuple[str, str, dict[str, Any]]] = []
        self._number = 0
        self._issued: deque[float] = deque()
        self._launched: deque[float] = deque()

    @property
    def in_force(self) -> tuple[int, int]:
        """How many tokens were made, and sessions begun, that the service may still have to know."""
        for begun, life in ((self._issued, _LIFETIME + _LEEWAY), (self._launched, IDLE_SECONDS + _PATIENCE)):
            while begun and begun[0] < time.time() - life - _SLACK:
                begun.popleft()
        return len(self._issued), len(self._launched)

    async def close(self) -> None:
        for client in (self.http, *self.browsers):
            await client.aclose()

    def token(self, tenant: str, path: str, key: ECKey | None = None, **claims: Any) -> dict[str, str]:
        """The header of one call; every token is used once."""
        now = int(time.time())
        self._issued.append(time.time())
        every: dict[str, Any] = {
            "iss": f"https://{tenant}.soak.example",
            "aud": PUBLIC + path,
            "iat": now,
            "exp": now + _LIFETIME,
            "jti": str(uuid.uuid4()),
        } | claims
        used = key or self.hospital.keys[tenant]
        signed = jwt.encode({"alg": "ES384", "kid": f"key-{tenant}", "typ": "JWT"}, every, used, algorithms=["ES384"])
        return {"Authorization": f"Bearer {signed}", **_JSON}

    async def one(self) -> None:
        """One call of a kind that the deck draws."""
        kinds = ("hook", "outage", "feedback", "question", "companion", "token", "body", "repeat", "page")
        kind = self.deck.random.choices(kinds, (55, 2, 9, 9, 3, 7, 7, 3, 5))[0]
        self._number += 1
        begun = time.monotonic()
        try:
            await getattr(self, f"_{kind}")(self._number)
        except ComeAgain:
            self.tally.add(kind, COME_AGAIN)
        except (httpx.HTTPError, KeyError, ValueError, AssertionError) as error:
            self.tally.add(kind, "WRONG", f"{type(error).__name__} {error}"[:300])
        self.tally.seconds[kind].append(time.monotonic() - begun)

    async def _post(self, plan: Plan, tenant: str, number: int) -> httpx.Response:
        body = plan.body(number, self.expected.prefetch(plan.patient), self.expected.fhir)
        return await self.http.post(plan.path, content=body, headers=self.token(tenant, plan.path))

    async def _hook(self, number: int) -> None:
        plan, tenant = self.deck.hook()
        mode, since = self.mode_of_c
        answer = heard(await self._post(plan, tenant, number))
        if tenant == "c" and plan.path != "/assessments":
            if (mode, since) != self.mode_of_c or time.monotonic() - since < _SWITCHED_SECONDS:
                self.tally.add(
                    "switched tenant", "in between" if answer.status_code in (200, 412) else "WRONG", answer.text[:200]
                )
                return
            if mode == "off":
                empty = answer.status_code == 200 and answer.json() == {"cards": []}
                self.tally.add("switched tenant", "off and silent" if empty else "WRONG", answer.text[:200])
                return
        await self._judge(plan, tenant, answer)
        if answer.status_code == 200 and plan.path != "/assessments":
            service = plan.path.rpartition("/")[2]
            self.cards.extend((tenant, service, card) for card in answer.json()["cards"])
            del self.cards[:-500]

    async def _outage(self, number: int) -> None:
        plan, tenant = self.deck.outage()
        await self._judge(plan, tenant, heard(await self._post(plan, tenant, number)))

    async def _judge(self, plan: Plan, tenant: str, answer: httpx.Response) -> None:
        kind = "assessment" if plan.path == "/assessments" else plan.hook
        right = await self.expected.of(plan, tenant)
        if answer.status_code not in (200, 412):
            return self.tally.add(kind, "WRONG", f"{answer.status_code} {answer.text[:200]}")
        body = plain(answer.content)
        if answer.status_code == right.status and (right.body is None or body == right.body):
            return self.tally.add(kind, "right, partial as planned and said so" if right.partial else "right")
        verdict, why = self._less(plan, tenant, answer.status_code, body)
        return self.tally.add(kind, verdict, f"{plan} tenant {tenant}: {why}")

    def _less(self, plan: Plan, tenant: str, status: int, body: Any) -> tuple[str, str]:
        """What to say of an answer from fewer data than planned (a busy machine, a circuit that opened)."""
        right = self.expected.known(plan, tenant)
        if not plan.reads:
            return "WRONG", "another answer from the same prefetch"
        if status == 412:
            named = body["issue"][0]["diagnostics"]
            return ("less than planned, refused by name", "") if "(" in named else ("WRONG", named)
        if plan.path != "/assessments":
            said = all(any(words in card.get("detail", "") for words in _SAID) for card in body["cards"])
            fewer = len(body["cards"]) or not right.body or not right.body["cards"]
            return ("less than planned, said so", "") if said and fewer else ("WRONG", str(body)[:600])
        told, planned = body["completeness"], {n: c.state for n, c in right.chart.completeness.items()}
        if all(c["state"] == planned[need] for need, c in told.items()):
            changed = [key for key in body if body[key] != (right.body or {}).get(key)]
            reasons = {n: (c.get("reason"), right.chart.completeness[n].reason) for n, c in told.items()}
            if set(changed) and all(a == b for a, b in reasons.values()):
                return "WRONG", f"differs in {changed}"
        if any(c["state"] == "partial" and planned[need] == "complete" for need, c in told.items()):
            return "less than planned, said so", ""
        again = self.expected.with_less(plan, tenant, right, told)
        if body == again:
            return "less than planned, right for what was read", ""
        return "WRONG", f"told {told}; differs in {[k for k in body if body[k] != again.get(k)]}"

    async def _feedback(self, number: int) -> None:
        if not self.cards:
            return self.tally.add("feedback", "no card yet")
        tenant, service, card = self.deck.random.choice(self.cards)
        path = f"/cds-services/{service}/feedback"
        offered = [{"id": s["uuid"]} for s in card.get("suggestions", ())]
        outcome = self.deck.random.choice(("accepted", "overridden")) if offered else "overridden"
        item: dict[str, Any] = {"card": card["uuid"], "outcome": outcome, "outcomeTimestamp": "2026-06-01T10:00:00Z"}
        if outcome == "overridden":
            item["overrideReason"] = {"userComment": "seen"}
        else:
            item["acceptedSuggestions"] = [self.deck.random.choice(offered)]
        answer = heard(
            await self.http.post(path, content=orjson.dumps({"feedback": [item]}), headers=self.token(tenant, path))
        )
        if answer.status_code == 200:
            self.tally.feedback.add((card["uuid"], outcome))
        return self.tally.add("feedback", "right" if answer.status_code == 200 else "WRONG", answer.text[:200])

    async def _question(self, number: int) -> None:
        question = self.deck.random.choice(_QUESTIONS)
        body = orjson.dumps({"question": question})
        answer = heard(await self.http.post("/questions", content=body, headers=self.token("a", "/questions")))
        reply = self.expected.brain.answers.ask(question)
        said = answer.json()
        right = (
            answer.status_code == 200
            and said["abstained"] == reply.abstained
            and [s["text"] for s in said["answer"]] == [s.text for s in reply.answer]
        )
        self.tally.add("question", "right" if right else "WRONG", answer.text[:200])

    async def _companion(self, number: int) -> None:
        """A launch from the card's link, through the authorization server, one answer, and mostly a good-bye."""
        from cds_service.sandbox.cases import published_cases

        self._launched.append(time.time())
        browser = self.deck.random.choice(self.browsers)
        patient = self.deck.random.choice(published_cases()).id
        origin = self.expected.fhir.removesuffix("/fhir")
        async with self.outside() as outside:
            made = (await outside.post(f"{origin}/sandbox/launch", params={"patient": patient})).json()["launch"]
            asked = {"iss": self.expected.fhir, "launch": made}
            first = heard(await browser.get("/companion/launch", params=asked))
            if first.status_code == 502:
                return self.tally.add("companion", "the record system was too slow, said so")
            cookie = first.headers["set-cookie"].partition(";")[0]
            back = (await outside.get(first.headers["location"])).headers["location"]
        opened = heard(await browser.get(back.removeprefix(PUBLIC), headers={"Cookie": cookie}))
        if opened.status_code == 400 and "cookie" in opened.text:
            return self.tally.add("companion", "another launch in the same browser")
        if opened.status_code == 502:
            return self.tally.add("companion", "the record system was too slow, said so")
        page = heard(await browser.get(opened.headers["location"], headers={"Cookie": cookie}))
        key = re.search(r'data-key="([^"]+)"', page.text)
        question = re.search(r'data-question="([^"]+)"', page.text)
        if page.status_code == 410:
            return self.tally.add("companion", "another launch in the same browser")
        if page.status_code != 200 or key is None:
            return self.tally.add("companion", "WRONG", f"{page.status_code} {page.text[:200]}")
        headers = {"Cookie": cookie, "X-Companion-Key": key[1], **_JSON}
        sent = {"question": question[1] if question else "onset", "answers": ["unknown"]}
        said = heard(await browser.post(f"{opened.headers['location']}/answers", json=sent, headers=headers))
        if self.deck.random.random() < 0.8:
            await browser.post(f"{opened.headers['location']}/close", json={}, headers=headers)
        return self.tally.add("companion", "right" if said.status_code in (200, 400, 410) else "WRONG", said.text[:200])

    def outside(self) -> httpx.AsyncClient:
        """A client of the hospital's own authorization server."""
        import ssl

        return httpx.AsyncClient(verify=ssl.create_default_context(cafile=str(self.hospital.authority)), timeout=30)

    async def _token(self, number: int) -> None:
        """Wrong tokens: each a bare 401."""
        plan, _ = self.deck.hook()
        now = int(time.time())
        wrong: dict[str, str] = self.deck.random.choice(
            (
                {},
                {"Authorization": "Bearer x.y.z"},
                self.token("a", plan.path, exp=now - 600, iat=now - 900),
                self.token("a", "/somewhere-else"),
                self.token("a", plan.path, key=self.hospital.keys["b"]),
                self.token("a", plan.path, iss="https://nobody.example"),
            )
        )
        body = plan.body(number, self.expected.prefetch(plan.patient), self.expected.fhir)
        answer = heard(await self.http.post(plan.path, content=body, headers={**_JSON, **wrong}))
        bare = answer.status_code == 401 and plan.patient not in answer.text
        self.tally.add("wrong token", "refused" if bare else "WRONG", f"{answer.status_code} {answer.text[:100]}")

    async def _body(self, number: int) -> None:
        """Broken bodies: each refused with its status."""
        path = "/cds-services/calcinosis-patient-view"
        plan, _ = self.deck.hook()
        whole = plan.body(number, self.expected.prefetch(plan.patient), self.expected.fhir)
        body, status, headers = self.deck.random.choice(
            (
                (whole[:-20], 400, {}),
                (b'{"hook": "patient-view", "hook": "patient-view"}', 400, {}),
                (b'{"hook": NaN}', 400, {}),
                (b"[" * 5000, 400, {}),
                (b'{"hook": "patient-view", "hookInstance": "1", "context": {"patientId": "../x"}}', 400, {}),
                (whole, 415, {"Content-Type": "text/plain"}),
                (b" " * (9 * 1024 * 1024), 413, {}),
            )
        )
        answer = heard(await self.http.post(path, content=body, headers={**self.token("a", path), **headers}))
        right = answer.status_code == status and plan.patient not in answer.text
        verdict = "refused" if right else "WRONG"
        self.tally.add("broken body", verdict, f"{status}: {answer.status_code} {answer.text[:100]}")

    async def _repeat(self, number: int) -> None:
        """A gateway's retry gets the same bytes; the same token for another body is refused."""
        plan = Plan("/assessments", "patient-view", "lopez2017-labs", ("patient", "conditions"), False)
        headers = self.token("a", plan.path)
        body = plan.body(number, self.expected.prefetch(plan.patient), self.expected.fhir)
        first = heard(await self.http.post(plan.path, content=body, headers=headers))
        again = heard(await self.http.post(plan.path, content=body, headers=headers))
        other = heard(await self.http.post(plan.path, content=body + b" ", headers=headers))
        right = first.status_code == again.status_code == 200 and first.content == again.content
        self.tally.add("repeat", "right" if right and other.status_code == 401 else "WRONG", again.text[:100])

    async def _page(self, number: int) -> None:
        path, status = self.deck.random.choice(_PAGES)
        answer = heard(await self.http.get(path))
        self.tally.add("page", "right" if answer.status_code == status else "WRONG", f"{path} {answer.status_code}")

    async def in_flight(self, number: int) -> list[asyncio.Task[httpx.Response]]:
        """So many calls that wait for a hanging FHIR server, under way when this returns."""
        plan = Plan("/assessments", "patient-view", "lopez2017-labs", (), True, ("Procedure-hang",))
        before = total((await self.http.get("/metrics")).text, "cds_requests_in_progress")
        tasks = [asyncio.create_task(self._post(plan, "a", 9_000_000 + n)) for n in range(number)]
        for _ in range(100):
            now = total((await self.http.get("/metrics")).text, "cds_requests_in_progress")
            if now >= before + number or any(task.done() for task in tasks):
                break
            await asyncio.sleep(0.02)
        return tasks
