"""Taking an endpoint, and what people are told when that cannot be."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from concurrent_framework.model.errors import UsageError
from concurrent_framework.transport.binding import IPC_LIMIT
from concurrent_framework.transport.curve import new_keys
from concurrent_framework.transport.zmq import ZmqClient, ZmqServer
from tests.transport.wires import Wire

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEYS = new_keys()


@pytest.fixture
def private() -> Iterator[Path]:
    wire = Wire("memory")
    yield wire.directory
    wire.close()


def refusal(**endpoints: object) -> str:
    with pytest.raises(UsageError) as caught:
        ZmqServer(keys=KEYS, **endpoints)  # type: ignore[arg-type]
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_two_servers_on_one_port() -> None:
    server = ZmqServer(tcp="tcp://127.0.0.1:*", keys=KEYS)
    text = refusal(tcp=server.tcp_endpoint)
    server.close(0)
    assert text == (
        f"another process listens on {server.tcp_endpoint}; choose another port with --listen, "
        "or stop it"
    )


def test_a_port_is_free_again_after_closing() -> None:
    first = ZmqServer(tcp="tcp://127.0.0.1:*", keys=KEYS)
    first.close(0)
    second = ZmqServer(tcp=first.tcp_endpoint, keys=KEYS)
    assert second.tcp_endpoint == first.tcp_endpoint
    second.close(0)


@pytest.mark.parametrize(
    "endpoint",
    [
        "",
        "8081",
        "0.0.0.0:8081",
        "tcp://",
        "tcp://:8081",
        "tcp://host",
        "tcp://host:",
        "udp://h:1",
        "tcp://127.0.0.1:99999",
        "tcp://127.0.0.1:-1",
        "tcp://127.0.0.1:http",
    ],
)
def test_malformed_endpoints(endpoint: str) -> None:
    assert f"{endpoint!r} is no endpoint to listen on: expected tcp://" in refusal(tcp=endpoint)


@pytest.mark.parametrize("host", ["203.0.113.7", "no-such-interface"])
def test_addresses_of_other_machines(host: str) -> None:
    text = refusal(tcp=f"tcp://{host}:8081")
    assert f"{host} is no address of this machine" in text


@pytest.mark.parametrize("port", ["*", "0"])
def test_any_free_port(port: str) -> None:
    server = ZmqServer(tcp=f"tcp://127.0.0.1:{port}", keys=KEYS)
    assert int(server.tcp_endpoint.rpartition(":")[2]) > 0
    server.close(0)


def test_ipv6() -> None:
    try:
        server = ZmqServer(tcp="tcp://[::1]:*", keys=KEYS)
    except UsageError:
        pytest.skip("this machine has no IPv6")
    assert server.tcp_endpoint.startswith("tcp://[::1]:")
    client = ZmqClient(server.tcp_endpoint, KEYS.public)
    client.close(0)
    server.close(0)


def test_tcp_needs_keys() -> None:
    with pytest.raises(ValueError, match="needs keys"):
        ZmqServer(tcp="tcp://127.0.0.1:*")


def test_two_servers_on_one_path(private: Path) -> None:
    server = ZmqServer(ipc=private / "m")
    text = refusal(ipc=private / "m")
    assert text.startswith(f"another process listens on ipc://{private / 'm'}: stop it")
    client = ZmqClient(server.ipc_endpoint)
    client.close(0)
    server.close(0)


def test_a_closed_server_leaves_no_file(private: Path) -> None:
    server = ZmqServer(ipc=private / "m")
    assert (private / "m").stat().st_mode & 0o777 == 0o600
    server.close(0)
    assert list(private.iterdir()) == []


def test_the_socket_of_a_dead_master_is_replaced(private: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(private / "m"))
    server = ZmqServer(ipc=private / "m")
    server.close(0)


def test_another_master_that_took_the_path_keeps_it(private: Path) -> None:
    first = ZmqServer(ipc=private / "m")
    (private / "m").unlink()
    second = ZmqServer(ipc=private / "m")
    first.close(0)
    assert (private / "m").exists()
    second.close(0)


def test_a_file_in_the_way_is_not_removed(private: Path) -> None:
    (private / "m").write_text("precious")
    assert "a file of that name is in the way" in refusal(ipc=private / "m")
    assert (private / "m").read_text() == "precious"


def test_a_directory_open_to_others_is_refused(private: Path) -> None:
    private.chmod(0o755)
    text = refusal(ipc=private / "m")
    private.chmod(0o700)
    assert f"{private} is open to other users (mode 755): run `chmod 700 {private}`" in text


def test_a_missing_directory(private: Path) -> None:
    assert "No such file or directory" in refusal(ipc=private / "none" / "m")


def test_a_path_too_long_for_a_socket(private: Path) -> None:
    longest = private / ("x" * (IPC_LIMIT - len(os.fsencode(private)) - 1))
    server = ZmqServer(ipc=longest)
    server.close(0)
    too_long = longest.with_name(f"{longest.name}x")
    text = refusal(ipc=too_long)
    assert f"has {IPC_LIMIT + 1} bytes, {IPC_LIMIT} at most" in text
    with pytest.raises(UsageError, match="at most"):
        ZmqClient(f"ipc://{too_long}")


def test_a_relative_path() -> None:
    assert "must be absolute" in refusal(ipc="m")


@pytest.mark.parametrize("endpoint", ["", "host:1", "tcp://host", "tcp://host:x", "inproc://x"])
def test_malformed_targets(endpoint: str) -> None:
    with pytest.raises(UsageError, match="is no endpoint: expected"):
        ZmqClient(endpoint, KEYS.public)


@pytest.mark.parametrize("key", ["", "x" * 39, "~" * 40, "ä" * 40])
def test_malformed_keys(key: str) -> None:
    with pytest.raises(UsageError, match="is no public key: copy the master's link again"):
        ZmqClient("tcp://127.0.0.1:1", key)
