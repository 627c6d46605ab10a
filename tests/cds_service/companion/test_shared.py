"""Sessions between processes, on both databases: either goes on with them, the database alone tells nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from cds_service.companion.session_cipher import SessionCipher
from cds_service.store import Store
from cds_service.store.tables import sessions
from tests.cds_service.companion.hospital import KEY, OTHER, PATIENT, hospital, post


def test_another_process_goes_on(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with hospital(tmp_path, monkeypatch) as place:
        one, two = (place.app(session_key=KEY, database=database) for _ in range(2))
        path = place.opened(one)
        two.cookies = one.cookies
        assert post(two, path, "answers", {"question": "q1", "answers": ["hard"]}).status_code == 200
        assert "How does the lesion feel?" in one.get(path).text.partition('class="given"')[2], "one knows the answer"
        assert post(one, path, "save", {"consent": True}).status_code == 200
        page = two.get(path).text
        assert "stated here, not saved" not in page, "two reads the chart anew after a save"
        assert two.get(f"{path}/alive", headers={"Cookie": "companion=other"}).status_code == 410

        store: Store = one.app.state.cds.async_store.store  # type: ignore[attr-defined]
        with store.engine.connect() as connection:
            rows = connection.execute(select(sessions)).all()
        (row,) = rows
        told = " ".join(str(value) for value in row) + bytes(row.sealed).decode("latin-1")
        session = one.app.state.cds.sessions._sessions[path.rpartition("/")[2]]  # type: ignore[attr-defined]
        assert [r["resourceType"] for r in session.chart.resources] == ["Patient"], "its facts are kept, not the chart"
        token = session.client.token
        for secret in (token, PATIENT, "hard", path.rpartition("/")[2]):
            assert secret not in told
        assert SessionCipher(KEY).open(row.sealed, row.name) is not None
        assert SessionCipher(KEY[::-1]).open(row.sealed, row.name) is None
        assert SessionCipher(KEY).open(row.sealed, "another row") is None

        place.opened(two, OTHER)
        assert one.get(path).status_code == 410, "another patient in the same browser ends it everywhere"


def test_a_launch_returns_to_any_process_once(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with hospital(tmp_path, monkeypatch) as place:
        one, two = (place.app(session_key=KEY, database=database) for _ in range(2))
        answer = place.callback(one)
        assert answer.status_code == 303
        two.cookies = one.cookies
        assert two.get(answer.headers["location"]).status_code == 200
        assert two.get("/companion/callback?state=unknown&code=x").status_code == 400


def test_closing_erasing_and_another_key_end_it(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with hospital(tmp_path, monkeypatch) as place:
        one, two = (place.app(session_key=KEY, database=database) for _ in range(2))
        path = place.opened(one)
        two.cookies = one.cookies
        stranger = place.app(session_key=KEY[::-1], database=database)
        stranger.cookies = one.cookies
        assert stranger.get(path).status_code == 410
        assert post(two, path, "close", {}).status_code == 204
        assert one.get(path).status_code == 410
        path = place.opened(one)
        store: Store = one.app.state.cds.async_store.store  # type: ignore[attr-defined]
        assert store.erase("hospital", store.key("hospital", "patient", PATIENT), 0) >= 1
        assert one.get(path).status_code == 410
        place.opened(one)
        store.expire(4_102_444_800_001, {}, 1)
        with store.engine.connect() as connection:
            assert connection.execute(select(sessions)).all() == []
