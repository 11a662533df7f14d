"""Tokens grant a role for a time; the book does not give them away."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

from concurrent_framework.model.errors import UsageError
from concurrent_framework.security.tokens import GRANTABLE, TokenBook, covers

if TYPE_CHECKING:
    from pathlib import Path

    from concurrent_framework.protocol.session import Role

NOW = 1_700_000_000.0


@pytest.fixture
def book(tmp_path: Path) -> TokenBook:
    return TokenBook(tmp_path / "keys" / "tokens.json")


@pytest.mark.parametrize("role", GRANTABLE)
def test_a_token_grants_its_role(book: TokenBook, role: Role) -> None:
    token = book.create(role, now=NOW)
    assert token.startswith(f"{role}-")
    assert book.role_of(token, NOW) == role
    assert book.objection(token, role, NOW) == ""


def test_tokens_are_long_and_never_alike(book: TokenBook) -> None:
    tokens = {book.create("submit") for _ in range(20)}
    assert len(tokens) == 20
    # 6 bits a character: at least 128 bits.
    assert min(len(token.partition("-")[2]) for token in tokens) * 6 >= 128


def test_the_book_keeps_no_token(book: TokenBook, tmp_path: Path) -> None:
    token = book.create("execute", note="the lab")
    file = tmp_path / "keys" / "tokens.json"
    assert token not in file.read_text()
    assert token.partition("-")[2] not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_tokens_expire(book: TokenBook) -> None:
    token = book.create("submit", expires=NOW + 60, now=NOW)
    assert book.role_of(token, NOW + 59.9) == "submit"
    assert book.role_of(token, NOW + 60) is None
    assert book.objection(token, "submit", NOW + 60) == (
        "the token expired on 2023-11-14 22:14 UTC: ask for a new link"
    )


@pytest.mark.parametrize("token", ["", "submit", "submit-", "nonsense", "submit-" + "x" * 32, "ü"])
def test_tokens_that_are_not_known(book: TokenBook, token: str) -> None:
    assert book.role_of(token, NOW) is None
    book.create("submit")
    assert book.role_of(token, NOW) is None
    says = "not known to this master" if token else "demands a token"
    assert says in book.objection(token, "submit", NOW)


def test_a_changed_role_in_the_text_grants_nothing(book: TokenBook) -> None:
    token = book.create("execute")
    assert book.role_of(token.replace("execute", "admin"), NOW) is None


def test_the_wrong_role_is_told(book: TokenBook) -> None:
    token = book.create("execute")
    assert book.objection(token, "submit", NOW) == (
        "the token is for the role 'execute', it does not allow 'submit'"
    )


@pytest.mark.parametrize(
    ("granted", "allowed"),
    [
        ("admin", {"admin", "submit", "execute", "observe"}),
        ("submit", {"submit", "observe"}),
        ("execute", {"execute"}),
        ("observe", {"observe"}),
        ("host", set()),
    ],
)
def test_what_a_role_covers(granted: Role, allowed: set[Role]) -> None:
    roles: tuple[Role, ...] = ("submit", "execute", "observe", "admin", "host")
    assert {role for role in roles if covers(granted, role)} == allowed


def test_roles_that_have_no_tokens(book: TokenBook) -> None:
    for role in ("host", "root", ""):
        with pytest.raises(UsageError, match="choose one of submit, execute, observe, admin"):
            book.create(role)  # type: ignore[arg-type]


def test_a_token_must_expire_in_the_future(book: TokenBook) -> None:
    with pytest.raises(UsageError, match="must expire in the future, not on 2023-11-14"):
        book.create("submit", expires=NOW, now=NOW)


def test_listing_and_revoking(book: TokenBook) -> None:
    assert book.entries() == []
    first = book.create("execute", note="the lab", now=NOW)
    second = book.create("submit", now=NOW + 1)
    entries = book.entries()
    assert [(one.role, one.note, one.created) for one in entries] == [
        ("execute", "the lab", NOW),
        ("submit", "", NOW + 1),
    ]
    assert book.revoke(entries[0].id) == entries[0]
    assert book.role_of(first, NOW) is None
    assert "not known" in book.objection(first, "execute", NOW)
    assert book.role_of(second, NOW) == "submit"


def test_revoking_what_is_not_there(book: TokenBook) -> None:
    with pytest.raises(UsageError, match="there is no token 'abc'; there are: none"):
        book.revoke("abc")
    book.create("submit")
    with pytest.raises(UsageError, match=book.entries()[0].id):
        book.revoke("abc")


def test_another_process_sees_changes_at_once(book: TokenBook, tmp_path: Path) -> None:
    other = TokenBook(tmp_path / "keys" / "tokens.json")
    token = book.create("submit")
    assert other.role_of(token, NOW) == "submit"
    book.revoke(book.entries()[0].id)
    assert other.role_of(token, NOW) is None


def test_a_book_open_to_others(book: TokenBook, tmp_path: Path) -> None:
    token = book.create("submit")
    file = tmp_path / "keys" / "tokens.json"
    file.chmod(0o644)
    with pytest.raises(UsageError, match="chmod 600"):
        book.role_of(token, NOW)
    assert book.objection(token, "submit", NOW) == (
        "this master cannot check tokens: its token file is damaged or open to others"
    )


@pytest.mark.parametrize("content", ["", "{}", "[1]", '[{"id": "a", "role": "root"}]', "\x00"])
def test_a_damaged_book(book: TokenBook, tmp_path: Path, content: str) -> None:
    book.create("submit")
    (tmp_path / "keys" / "tokens.json").write_text(content)
    with pytest.raises(UsageError, match=r"tokens.json is damaged .*: restore it"):
        book.role_of("x", NOW)
    with pytest.raises(UsageError, match="is damaged"):
        book.create("submit")
