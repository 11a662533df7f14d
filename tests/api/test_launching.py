"""Applications are launched over the API, and followed to their end."""

from __future__ import annotations

import hashlib

import pytest

from concurrent_framework.api import Client
from concurrent_framework.api.client import ApiError
from tests.cluster.place import until


def test_a_sample_is_launched_and_followed_to_its_end(client: Client) -> None:
    followed = client.follow(kinds=["application."])
    digest = hashlib.md5(b"77").hexdigest()
    launched = client.applications.launch(
        name="md5",
        arguments=[digest, "--limit", "1000", "--size", "100"],
        settings={"application.name": "mine"},
    )
    number = launched["application"]
    assert launched["name"] == "mine"
    told = [next(followed), next(followed)]
    assert [one["kind"] for one in told] == ["application.joined", "application.ended"]
    assert {one["application"] for one in told} == {number}
    until(lambda: client.applications.outcome(application=number)["exit_code"] is not None)
    outcome = client.applications.outcome(application=number)
    assert (outcome["ended"], outcome["exit_code"], outcome["failed"]) == (True, 0, 0)
    assert f"{digest} is the MD5 digest of 77" in outcome["output"]


def test_one_that_ends_at_once_is_told(client: Client) -> None:
    with pytest.raises(ApiError, match=r"(?s)exit code 2 before it had joined.*unrecognized"):
        client.applications.launch(name="md5", arguments=["--nonsense"])


def test_what_is_installed_is_listed(client: Client) -> None:
    assert {"md5", "mandelbrot"} <= set(client.applications.installed())
    assert not {"master", "worker"} & set(client.applications.installed())


@pytest.mark.parametrize(
    ("name", "settings", "told"),
    [
        ("mandelbort", {}, "did you mean 'mandelbrot'"),
        ("master", {}, "no application is called 'master'"),
        ("md5", {"application.weight": -1}, "before it had joined: error: .*application.weight"),
    ],
)
def test_what_cannot_be_launched_is_told(
    client: Client, name: str, settings: dict[str, float], told: str
) -> None:
    with pytest.raises(ApiError, match=told):
        client.applications.launch(name=name, settings=settings)
