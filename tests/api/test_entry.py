"""Who gets in: tokens, roles, hosts and pages of others."""

from __future__ import annotations

import re

import pytest

from concurrent_framework.api import Client
from concurrent_framework.api.client import ApiError
from concurrent_framework.model.errors import MasterNotFoundError, RefusedError
from tests.api.reach import Reach
from tests.cluster.swarm import Swarm

CALL = {"jsonrpc": "2.0", "method": "cluster.status", "id": 1}


def test_anybody_here_may_ping(reach: Reach) -> None:
    answer = reach.get("/ping", token=False)
    assert (answer.status, answer.json) == (200, {"answer": "pong"})


@pytest.mark.parametrize("path", ["/", "/status", "/stats", "/metrics", "/events", "/nothing"])
def test_nothing_else_is_told_without_a_token(reach: Reach, path: str) -> None:
    answer = reach.get(path, token=False)
    assert answer.status == 401
    assert "needs a token" in answer.json["error"]


@pytest.mark.parametrize("token", ["wrong", "", "admin-", "Bearer"])
def test_a_wrong_token_lets_nobody_in(reach: Reach, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    assert reach.get("/status", headers, token=False).status == 401
    assert reach.send("POST", "/api/1", CALL, headers, token=False).status == 401


def test_a_browser_gets_a_cookie_for_the_link(reach: Reach) -> None:
    answer = reach.get(f"/status?token={reach.token}&x=1", {"Accept": "text/html"}, token=False)
    assert (answer.status, answer.headers["location"]) == (303, "/status?x=1")
    cookie = answer.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
    answer = reach.get("/status", {"Cookie": cookie.partition(";")[0]}, token=False)
    assert answer.status == 200


def test_a_program_may_give_the_token_in_the_address(reach: Reach) -> None:
    assert reach.get(f"/status?token={reach.token}", token=False).status == 200


def test_a_redirect_leads_nowhere_else(reach: Reach) -> None:
    answer = reach.get(f"//evil.example/?token={reach.token}", {"Accept": "text/html"}, token=False)
    assert answer.headers.get("location", "/").startswith("/")
    assert not answer.headers.get("location", "/").startswith("//")


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", ""])
def test_other_names_for_this_machine_are_refused(reach: Reach, host: str) -> None:
    assert reach.get("/ping", {"Host": host}).status in {400, 421}
    assert reach.get("/status", {"Host": host}).status in {400, 421}


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:1", "[::1]:80", "LOCALHOST:99"])
def test_its_own_names_are_accepted(reach: Reach, host: str) -> None:
    assert reach.get("/status", {"Host": host}).status == 200


def test_pages_of_others_cannot_call(reach: Reach) -> None:
    for origin in ("http://evil.example", "null", "http://127.0.0.1:1"):
        assert reach.send("POST", "/api/1", CALL, {"Origin": origin}).status == 403
    assert reach.send("POST", "/api/1", CALL, {"Origin": reach.url}).status == 200


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_form_cannot_call(reach: Reach, kind: str) -> None:
    assert reach.send("POST", "/api/1", CALL, {"Content-Type": kind}).status == 415


def test_a_request_is_bounded(reach: Reach) -> None:
    assert reach.send("POST", "/api/1", b" " * (9 * 2**20)).status == 413


def test_the_file_with_the_token_is_private(swarm: Swarm) -> None:
    (file,) = swarm.place.runtime.glob("concurrent/m-*/api.json")
    assert file.stat().st_mode & 0o777 == 0o600


def test_the_link_printed_at_the_start_lets_in(swarm: Swarm) -> None:
    (link,) = re.findall(r"http://127\.0\.0\.1:\d+/\?token=\S+", swarm.master.out)
    assert Client(link).cluster.status()["master"] == "m"


def test_tokens_have_roles_and_can_be_revoked(reach: Reach, client: Client) -> None:
    made = client.tokens.create(role="observe", note="the wall", days=1)
    guest = Client(reach.url, made["token"])
    assert guest.cluster.status()["master"] == "m"
    with pytest.raises(ApiError, match="role 'admin', not 'observe'") as caught:
        guest.tokens.list()
    assert caught.value.code == -32003
    (entry,) = [one for one in client.tokens.list() if one["note"] == "the wall"]
    assert (entry["role"], entry["expired"]) == ("observe", False)
    assert made["token"] not in str(client.tokens.list())
    client.tokens.revoke(entry["id"])
    with pytest.raises(RefusedError, match="needs a token"):
        guest.cluster.status()


def test_a_token_for_workers_is_none_for_the_api(reach: Reach, client: Client) -> None:
    made = client.tokens.create(role="execute")
    with pytest.raises(RefusedError):
        Client(reach.url, made["token"]).cluster.status()


def test_nothing_there_is_told() -> None:
    with pytest.raises(MasterNotFoundError, match=r"no API answers at http://127\.0\.0\.1:1"):
        Client("http://127.0.0.1:1", "x").cluster.status()
