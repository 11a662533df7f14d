"""Links survive being copied, and do not tell their token by accident."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concurrent_framework.model.errors import UsageError
from concurrent_framework.security.link import _Z85, Link
from concurrent_framework.transport.curve import is_key, new_keys

KEY = new_keys().public
LINK = Link("lab7.example.org", 8081, KEY, "execute-SecretSecret")


@given(
    host=st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?(\.[a-z0-9]{1,8})?", fullmatch=True),
    port=st.integers(1, 65535),
    key=st.text(sorted(_Z85), min_size=40, max_size=40),
    token=st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), max_size=40),
)
def test_round_trip(host: str, port: int, key: str, token: str) -> None:
    link = Link(host, port, key, token)
    url = link.url()
    assert Link.parse(url) == link
    assert Link.parse(f"  {url}\n") == link
    assert not set(url) & set(" \t\"'<>`\\{}|")


def test_keys_of_the_transport_are_keys_of_links() -> None:
    for _ in range(20):
        keys = new_keys()
        assert Link.parse(Link("h", 1, keys.public, "t").url()).server_key == keys.public
        assert _Z85.issuperset(keys.public)
        assert is_key(keys.public)


@pytest.mark.parametrize("path", ["/run/user/1000/concurrent/m/master.ipc", "/a b/ü?#%.ipc"])
def test_round_trip_of_local_links(path: str) -> None:
    link = Link(port=0, path=path)
    assert Link.parse(link.url()) == link
    assert link.endpoint == f"ipc://{path}"


@pytest.mark.parametrize("host", ["::1", "fe80::1", "10.0.0.7", "lab7"])
def test_endpoints(host: str) -> None:
    link = Link(host, 4711, KEY, "t")
    place = f"[{host}]" if ":" in host else host
    assert link.endpoint == f"tcp://{place}:4711"
    assert Link.parse(link.url()) == link


def test_the_port_may_be_missing() -> None:
    url = LINK.url().replace(":8081", "")
    assert Link.parse(url) == LINK


def test_the_token_may_be_missing() -> None:
    assert Link.parse(LINK.url().partition("&")[0]).token == ""


def test_printing_a_link_hides_the_token() -> None:
    assert "Secret" not in f"{LINK} {LINK!r}"
    assert "Secret" in LINK.url()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is no link: expected concurrent://HOST:PORT"),
        ("lab7:8081", "is no link: expected"),
        ("tcp://lab7:8081", "must begin with concurrent:// or ipc://"),
        ("http://lab7:8081?token=Secret", "must begin with concurrent:// or ipc://"),
        ("ipc://relative/path", "needs an absolute path"),
        ("ipc://", "needs an absolute path"),
        ("concurrent://", "has no valid host and port"),
        ("concurrent://:8081?key=x", "has no valid host and port"),
        ("concurrent://lab7:port?key=x", "has no valid host and port"),
        ("concurrent://lab7:99999?key=x", "has no valid host and port"),
        ("concurrent://lab7:0?key=x", "has no valid host and port"),
        ("concurrent://[::1?key=x", "has no valid host and port"),
        ("concurrent://Secret@lab7:8081?key=x", "has no valid host and port"),
        ("concurrent://lab7:8081/path?key=x", "is malformed after the port"),
        ("concurrent://lab7:8081", "has no key"),
        ("concurrent://lab7:8081?token=Secret", "has no key"),
        ("concurrent://lab7:8081?key=&token=Secret", "has no key"),
        ("concurrent://lab7:8081?key=abc&token=Secret", "key in the link .* is damaged"),
        (f"concurrent://lab7:8081?key={'~' * 40}", "key in the link .* is damaged"),
        ("concurrent://lab7:8081?key=x&tokn=Secret", "unknown part 'tokn'"),
    ],
)
def test_what_is_wrong_with_a_link(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        Link.parse(text)
    assert "\n" not in str(caught.value)
    assert "Secret" not in str(caught.value).replace("Secret@", "")
