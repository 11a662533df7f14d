"""What an application knows of the objects it has shared."""

from __future__ import annotations

import copy
import gc
import pickle
from functools import partial

import pytest

from concurrent_framework import UsageError
from concurrent_framework.application.pushing import Pushing
from concurrent_framework.application.session import ApplicationSession
from concurrent_framework.application.sharing import Sharing
from concurrent_framework.code.bundle import CodeShipper
from concurrent_framework.protocol.session import Hello
from concurrent_framework.tasks.pickling import CompressedPickler, dump_state_by
from concurrent_framework.tasks.specs import SpecBook


@pytest.fixture
def sharing() -> Sharing:
    return Sharing()


def test_data_leaves_with_its_first_use(sharing: Sharing) -> None:
    assert not sharing.active
    ref = sharing.share([1, 2, 3])
    assert sharing.active
    payload = pickle.dumps({"a": ref})
    assert sharing.used_by(payload, "it") == (ref.digest,)
    assert [blob.digest for blob in sharing.take([ref.digest])] == [ref.digest]
    assert sharing.take([ref.digest]) == []


def test_a_released_object_may_not_be_used(sharing: Sharing) -> None:
    ref = sharing.share("text")
    payload = pickle.dumps(ref)
    sharing.take([ref.digest])
    ref.release()
    ref.release()
    with pytest.raises(UsageError, match=r"'it' refers to the shared object .* released: share it"):
        sharing.used_by(payload, "it")
    assert sharing.released() == [ref.digest]
    assert sharing.released() == []
    again = sharing.share("text")
    assert sharing.used_by(payload, "it") == (again.digest,)
    assert len(sharing.take([again.digest])) == 1


def test_what_was_never_sent_need_not_be_released(sharing: Sharing) -> None:
    sharing.share("text").release()
    assert sharing.released() == []


def test_equal_objects_are_one_until_the_last_reference_is_gone(sharing: Sharing) -> None:
    one, two = sharing.share("text"), sharing.share("text")
    sharing.take([one.digest])
    one.release()
    assert sharing.released() == []
    del two
    gc.collect()
    assert sharing.released() == [one.digest]


def test_a_copy_of_a_reference_keeps_nothing(sharing: Sharing) -> None:
    ref = sharing.share("text")
    sharing.take([ref.digest])
    digest = ref.digest
    duplicate = copy.deepcopy(ref)
    assert duplicate == ref
    del ref
    gc.collect()
    duplicate.release()
    assert sharing.released() == [digest]


def test_references_can_be_made_again_from_digests(sharing: Sharing) -> None:
    ref = sharing.share("text")
    digest = ref.digest
    sharing.take([digest])
    payload = pickle.dumps([ref])
    kept = sharing.references_in(payload)
    assert kept == [ref]
    del ref
    gc.collect()
    assert sharing.released() == []
    kept.clear()
    gc.collect()
    assert sharing.released() == [digest]


def test_a_reference_cannot_be_shared(sharing: Sharing) -> None:
    with pytest.raises(UsageError, match="is a reference already"):
        sharing.share(sharing.share(1))


def test_what_came_from_elsewhere_is_not_released_from_here() -> None:
    """A system's state may hold a reference, and share an equal object for a while."""
    elsewhere, sharing = Sharing(), Sharing()
    there = elsewhere.share([1, 2, 3])
    sharing.adopt([there.digest])
    assert sharing.active
    payload = pickle.dumps(there)
    here = sharing.share([1, 2, 3])
    assert here.digest == there.digest
    assert len(sharing.take([here.digest])) == 1
    here.release()
    assert sharing.released() == []
    assert sharing.used_by(payload, "it") == (there.digest,)


def test_what_was_made_here_is_released_although_the_master_names_it() -> None:
    sharing = Sharing()
    here = sharing.share([1, 2, 3])
    sharing.take([here.digest])
    sharing.adopt([here.digest])
    here.release()
    assert sharing.released() == [here.digest]
    sharing.adopt([here.digest])
    with pytest.raises(UsageError, match="has been released"):
        sharing.used_by(pickle.dumps(here), "it")


def test_another_pickler_is_refused() -> None:
    """In what it makes, references could not be found."""
    session = ApplicationSession(Hello("submit", "5e55"), connect_timeout=1.0)
    book = SpecBook(CodeShipper())
    dump = partial(dump_state_by, CompressedPickler())
    pushing = Pushing(session, book, "me", lambda: None, lambda: 1, dump=dump)
    with pytest.raises(UsageError, match=r"share needs application\.pickler=pickle: in what"):
        pushing.share([1])
    assert not pushing.sharing.active
