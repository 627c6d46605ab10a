"""One export from kick-off to the last file. What was done is kept in the folder, so that a killed run goes on."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from urllib.parse import urljoin

import httpx
import msgspec

from cds_service.bulk.client import Answer, BulkClient, BulkRequestError
from cds_service.bulk.folder import DamagedError, Folder, Kept
from cds_service.bulk.model import BulkError, Link, Manifest, Part, Wanted, joined, read_manifest

_GONE = frozenset({404, 410})
_EXPIRED = frozenset({400, 401, 403, 404, 410})
"""answers to a download link that has run out: fetched anew with the manifest."""
_MOST_PAGES = 10_000
_STEMS: dict[Part, str] = {"output": "", "deleted": "deleted/", "error": "error/"}


class Lost(msgspec.Struct, frozen=True):
    """A file of the manifest that could not be had."""

    file: str
    type: str
    reason: str


class Summary(msgspec.Struct, rename="camel"):
    """What came. `transaction_time` is the `--since` of the next export."""

    transaction_time: str = ""
    files: int = 0
    lines: int = 0
    bytes: int = 0
    types: dict[str, int] = {}
    """lines by resource type."""
    deleted: int = 0
    """files that name deletions."""
    errors: dict[str, int] = {}
    """issues of the server's own error files, by severity."""
    lost: list[Lost] = []


class Export:
    """`say`: a line for the person at the terminal; counts only."""

    def __init__(
        self, wanted: Wanted, client: BulkClient, folder: Folder, parallel: int, say: Callable[[str], None]
    ) -> None:
        self._wanted, self._client, self._folder, self._say = wanted, client, folder, say
        self._turns = asyncio.Semaphore(parallel)
        self._renewing = asyncio.Lock()
        self._manifest: Manifest | None = None
        self._renewals = 0

    async def run(self) -> Summary:
        """BulkError when there is no export; files that could not be had are in the summary."""
        state = self._folder.state
        if state.job is None:
            await self._kick_off()
        else:
            self._say("going on with the export that was begun")
        manifest = await self._finished()
        if manifest is None:
            self._say("the server no longer knows the export: begun anew")
            await self._kick_off()
            manifest = await self._finished()
        if manifest is None:
            raise BulkError("status: the server does not know the export that it began")
        self._manifest = manifest
        self._folder.begin(manifest.transaction_time)
        return await self._download(manifest)

    async def cancel(self) -> None:
        """Tells the server that nobody waits any more, or that everything was fetched. Never raises."""
        job = self._folder.state.job
        if job is None:
            return
        try:
            async with asyncio.timeout(20), self._client.stream("DELETE", job, {}) as response:
                self._say("job removed from the server" if response.status_code < 300 else "job left on the server")
        except (BulkRequestError, BulkError, TimeoutError, httpx.HTTPError):
            self._say("job left on the server")
        self._folder.state.job = None
        self._folder.save()

    async def _kick_off(self) -> None:
        headers = {"Accept": "application/fhir+json", "Prefer": "respond-async"}
        answer = await self._client.ask("GET", self._wanted.url, headers, doing="kick-off")
        place = answer.headers.get("content-location")
        if answer.status != 202 or not place:
            raise BulkError(f"kick-off: {_refusal(answer)}")
        self._folder.state.job = urljoin(self._wanted.url, place)
        self._folder.save()
        self._say("export begun")

    async def _finished(self) -> Manifest | None:
        """The whole manifest, once it is there; None when the server does not know the job (any more)."""
        job = self._folder.state.job
        assert job is not None  # noqa: S101 - kicked off before
        pages: list[Manifest] = []
        url: str | None = job
        while url is not None:
            answer = await self._polled(url)
            if answer.status in _GONE and not pages:
                self._folder.state.job = None
                return None
            if answer.status != 200:
                raise BulkError(f"status: {_refusal(answer)}")
            page = read_manifest(answer.body)
            pages.append(page)
            if len(pages) > _MOST_PAGES:
                raise BulkError("manifest: has too many pages", "link")
            url = urljoin(url, page.following) if page.following else None
        return joined(pages)

    async def _polled(self, url: str) -> Answer:
        waits = 0
        while True:
            answer = await self._client.ask("GET", url, {"Accept": "application/json"}, doing="status")
            if answer.status != 202:
                return answer
            wait = self._client.pace.wait(waits, answer.headers)
            waits += 1
            self._say(f"the server is working{_percent(answer)}; asked again in {wait:.0f} s")
            await self._client.sleep(wait)

    async def _download(self, manifest: Manifest) -> Summary:
        found = Summary(manifest.transaction_time)
        files = manifest.files
        self._say(f"{len(files):,} files")
        tasks = [asyncio.create_task(self._file(part, place, link)) for part, place, link in files]
        try:
            for number, ((part, _, link), task) in enumerate(zip(files, tasks, strict=True), 1):
                kept = await task
                if isinstance(kept, Lost):
                    found.lost.append(kept)
                else:
                    _count(found, part, link, kept)
                self._say(f"{number:,} of {len(files):,} files, {found.lines:,} lines, {found.bytes / 1e6:,.1f} MB")
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        found.errors = self._issues()
        if not found.lost:
            self._folder.state.done = True
        self._folder.save()
        return found

    async def _file(self, part: Part, place: int, link: Link) -> Kept | Lost:
        name = f"{part}[{place}]"
        async with self._turns:
            if self._folder.holds(name):
                return self._folder.state.files[name]
            stem = f"{_STEMS[part]}{link.type or 'Bundle'}.{place:05d}" if part != "error" else f"error/{place:05d}"
            pace, attempt, renewed = self._client.pace, 0, False
            while True:
                headers: httpx.Headers = httpx.Headers()
                try:
                    return await self._once(name, stem, link, headers)
                except DamagedError as error:
                    reason, status = str(error), 0
                except BulkRequestError as error:
                    reason, status = error.reason, error.status
                if status in _EXPIRED and not renewed and reason == _status(status):
                    fresh = await self._renewed(part, place, link)
                    renewed = True
                    if fresh is not None:
                        link = fresh
                        continue
                attempt += 1
                lasting = status != 0 and status not in (408, 429) and status < 500
                if lasting or attempt >= pace.tries:
                    return Lost(name, link.type, reason)
                await self._client.sleep(pace.wait(attempt - 1, headers))

    async def _once(self, name: str, stem: str, link: Link, headers: httpx.Headers) -> Kept:
        """`headers`: filled with the answer's, for the Retry-After of a refusal."""
        assert self._manifest is not None  # noqa: S101 - set before files are fetched
        asked = {"Accept": "application/fhir+ndjson"}
        with_token = self._manifest.requires_access_token
        async with self._client.stream("GET", link.url, asked, with_token=with_token) as response:
            if response.status_code != 200:
                headers.update(response.headers)
                raise BulkRequestError(_status(response.status_code), response.status_code)
            return await self._folder.store(name, stem, response.aiter_bytes(), link.count)

    async def _renewed(self, part: Part, place: int, old: Link) -> Link | None:
        """The same file's link of a new manifest; None when the server has none of the same moment."""
        seen = self._renewals
        async with self._renewing:
            if self._renewals == seen:
                self._renewals += 1
                try:
                    fresh = await self._finished()
                except BulkError:
                    fresh = None
                if fresh is None or fresh.transaction_time != self._folder.state.transaction_time:
                    return None
                self._manifest = fresh
        assert self._manifest is not None  # noqa: S101
        links = {(p, n): link for p, n, link in self._manifest.files}
        found = links.get((part, place))
        return found if found is not None and (found.type, found.count) == (old.type, old.count) else None

    def _issues(self) -> dict[str, int]:
        """The server's error files: how many issues of which severity."""
        from cds_service.bulk.issues import severities

        names = [kept.name for name, kept in self._folder.state.files.items() if name.startswith("error[")]
        counts: Counter[str] = Counter()
        for name in sorted(names):
            counts.update(severities(self._folder.path / name))
        return dict(sorted(counts.items()))


def _count(found: Summary, part: Part, link: Link, kept: Kept) -> None:
    found.files += 1
    found.bytes += kept.bytes
    if part == "deleted":
        found.deleted += 1
    elif part == "output":
        found.lines += kept.lines
        found.types[link.type] = found.types.get(link.type, 0) + kept.lines


def _status(status: int) -> str:
    return f"refused ({status})"


def _refusal(answer: Answer) -> str:
    codes = ", ".join(sorted(code for code in answer.codes if code.replace("-", "").isalpha()))
    return f"the server answered {answer.status}" + (f" ({codes})" if codes else "")


def _percent(answer: Answer) -> str:
    """X-Progress is free text; only a percentage is repeated."""
    text = answer.headers.get("x-progress", "").strip().removesuffix("complete").strip()
    number = text.removesuffix("%").strip()
    return f" ({number} %)" if text.endswith("%") and number.isdecimal() and len(number) <= 3 else ""
