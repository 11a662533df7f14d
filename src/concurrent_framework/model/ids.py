"""Identities of tasks and nodes.

A task is known by its *sequence* (an int that its application counts up from 1) and, to master and
workers, by its *key*: the application's number and the sequence in one int.
"""

SEQUENCE_BITS = 40
SEQUENCE_MASK = (1 << SEQUENCE_BITS) - 1
FIRST_SPAWNED = 1 << (SEQUENCE_BITS - 1)
"""Sequences from here on are given by the master to tasks that were made by tasks."""
SPEC_BITS = 32
"""Workers know a spec by its application's number << SPEC_BITS | its number there."""
SPEC_MASK = (1 << SPEC_BITS) - 1
FIRST_SPAWNED_SPEC = 1 << 24
"""Specs from here on are given their numbers by the master: those that came with spawned tasks."""

FENCE_BITS = 20
"""A key that is used again, after its task was rolled back, counts attempts from a multiple of this
power of two: an answer to the earlier task is then none to the later one."""

ATTEMPT_BITS = 2 * FENCE_BITS
"""An attempt is the master's life << ATTEMPT_BITS | rollbacks before it was pushed << FENCE_BITS | how
many attempts the task has had."""
ATTEMPT_MASK = (1 << ATTEMPT_BITS) - 1


def task_key(application: int, sequence: int) -> int:
    """Join an application's number (>= 1) and a task's sequence (1 to 2**40-1)."""
    return application << SEQUENCE_BITS | sequence


def application_of(key: int) -> int:
    """Return the number of the application a task's key belongs to."""
    return key >> SEQUENCE_BITS


def sequence_of(key: int) -> int:
    """Return the sequence within its application of a task's key."""
    return key & SEQUENCE_MASK


def application_of_spec(number: int) -> int:
    """Return the application of a spec, out of the number under which workers know it."""
    return number >> SPEC_BITS


def nth_attempt(attempt: int) -> int:
    """Return which of its task's attempts one is, as people count."""
    return attempt & ((1 << FENCE_BITS) - 1)


def format_key(key: int) -> str:
    """Write a key as people type it: ``application/sequence``, children as ``application/+n``."""
    sequence = sequence_of(key)
    if sequence >= FIRST_SPAWNED:
        return f"{application_of(key)}/+{sequence - FIRST_SPAWNED}"
    return f"{application_of(key)}/{sequence}"


def parse_key(text: str) -> int:
    """Read what `format_key` wrote; raises ValueError naming the expected form."""
    number, slash, sequence = text.partition("/")
    plain = sequence.removeprefix("+")
    if not slash or not number.isdecimal() or not plain.isdecimal():
        message = f"{text!r} is no task: expected APPLICATION/TASK, as in 3/17"
        raise ValueError(message)
    offset = FIRST_SPAWNED if sequence.startswith("+") else 0
    return task_key(int(number), int(plain) + offset)
