from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

import pytest

from concurrent_framework.code import cache as cache_module
from concurrent_framework.code.blobs import BUNDLE, PICKLE, make_blob
from concurrent_framework.code.cache import CodeCache
from concurrent_framework.code.loader import CodeError
from concurrent_framework.model.spec import CodeBlob

if TYPE_CHECKING:
    from pathlib import Path


def bundle(files: dict[str, bytes], mode: int = 0) -> CodeBlob:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = mode << 16
            archive.writestr(entry, data)
    return make_blob(BUNDLE, buffer.getvalue())


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_bundle_is_unpacked_and_a_pickle_is_stored(tmp_path: Path) -> None:
    cache = CodeCache(tmp_path / "code")
    unpacked = cache.add(bundle({"a.py": b"1", "b/__init__.py": b"2"}))
    assert (unpacked / "a.py").read_bytes() == b"1"
    assert (unpacked / "b" / "__init__.py").read_bytes() == b"2"
    pickled = make_blob(PICKLE, b"data")
    assert cache.add(pickled).read_bytes() == b"data"
    assert pickled.digest in cache
    assert cache.path(pickled.digest) == cache.add(pickled)
    assert (tmp_path / "code").stat().st_mode & 0o777 == 0o700


def test_damaged_data_is_refused(tmp_path: Path) -> None:
    cache = CodeCache(tmp_path)
    good = make_blob(PICKLE, b"data")
    with pytest.raises(CodeError, match="damaged on its way"):
        cache.add(CodeBlob(good.digest, PICKLE, b"dato"))
    assert good.digest not in cache
    assert names(tmp_path) == []
    cache.add(good)


@pytest.mark.parametrize(
    "name", ["../evil", "/etc/evil", "a/../../evil", "a//b", "./a", "c:evil", "a\\..\\evil", "a/"]
)
def test_no_file_leaves_the_folder(tmp_path: Path, name: str) -> None:
    cache = CodeCache(tmp_path / "code")
    with pytest.raises(CodeError, match="leaves its folder"):
        cache.add(bundle({"fine.py": b"", name: b""}))
    assert names(tmp_path) == ["code"]
    assert names(tmp_path / "code") == []


def test_links_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CodeError, match="is no file"):
        CodeCache(tmp_path).add(bundle({"link": b"/etc/passwd"}, mode=0o120777))


def test_what_is_no_bundle_is_refused(tmp_path: Path) -> None:
    cache = CodeCache(tmp_path)
    with pytest.raises(CodeError, match="is no bundle"):
        cache.add(make_blob(BUNDLE, b"text"))
    with pytest.raises(CodeError, match="unknown kind 'elf'"):
        cache.add(make_blob("elf", b"text"))
    assert names(tmp_path) == []


def test_bombs_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_module, "MAX_UNPACKED_BYTES", 10)
    with pytest.raises(CodeError, match="too large"):
        CodeCache(tmp_path).add(bundle({"a": b"x" * 11}))
    monkeypatch.setattr(cache_module, "MAX_UNPACKED_FILES", 1)
    with pytest.raises(CodeError, match="too large"):
        CodeCache(tmp_path).add(bundle({"a": b"", "b": b""}))


def test_trim_removes_what_was_not_used_for_longest(tmp_path: Path) -> None:
    cache = CodeCache(tmp_path, limit=20)
    first, second, third = (make_blob(PICKLE, bytes([n]) * 10) for n in range(3))
    for blob in (first, second, third):
        cache.add(blob)
    cache.path(first.digest)
    cache.trim(in_use=())
    assert [blob.digest in cache for blob in (first, second, third)] == [True, False, True]
    assert names(tmp_path) == sorted([first.digest, third.digest])
    with pytest.raises(CodeError, match="not on this machine"):
        cache.path(second.digest)


def test_trim_keeps_what_is_in_use(tmp_path: Path) -> None:
    cache = CodeCache(tmp_path, limit=0)
    used, unused = make_blob(PICKLE, b"used"), make_blob(PICKLE, b"unused")
    cache.add(used)
    cache.add(unused)
    cache.trim(in_use={used.digest})
    assert used.digest in cache
    assert unused.digest not in cache


def test_leftovers_of_an_earlier_process_go_and_nothing_else(tmp_path: Path) -> None:
    blob = make_blob(PICKLE, b"old")
    CodeCache(tmp_path).add(blob)
    (tmp_path / "arriving-x").mkdir()
    (tmp_path / "mine.txt").write_text("keep")
    assert blob.digest not in CodeCache(tmp_path)
    assert names(tmp_path) == ["mine.txt"]
