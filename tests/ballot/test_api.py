from __future__ import annotations

from services.ballot.api import create_api
from tests.ballot.kit import Town


def test_exports_are_two_at_once_and_none_is_lost_to_unknown_polls_or_clients_that_leave(town: Town) -> None:
    manifest = town.open()
    api = create_api(town.application, town.views, town.box, town.log, None, lambda: None)
    client = api.test_client()
    unknown = "/polls/00000000-0000-4000-8000-000000000000/export"
    assert [client.get(unknown).status_code for _ in range(4)] == [404] * 4
    path = f"/polls/{manifest.poll}/export"
    for _ in range(4):
        client.get(path, buffered=False).close()  # left before the first line
    reading = [client.get(path, buffered=False) for _ in range(2)]
    assert [answer.status_code for answer in reading] == [200, 200]
    assert client.get(path).status_code == 503
    for answer in reading:
        answer.close()
    whole = client.get(path)
    assert whole.status_code == 200
    assert whole.data.splitlines()[-1].startswith(b'{"line":"end"')
