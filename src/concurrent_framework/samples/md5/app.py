"""Reverses the MD5 digest of a number: tries all numbers, and stops at the hit.

The search is a task system, so the decision to stop is made on the master's side: the attempts that
have not run by then are cancelled and cost nothing.
"""

from __future__ import annotations

from argparse import ArgumentDefaultsHelpFormatter, ArgumentParser
from time import perf_counter
from typing import TYPE_CHECKING

from concurrent_framework import ApplicationNode, IApp, Search, implements
from concurrent_framework.samples.md5.attempts import Attempts
from concurrent_framework.samples.md5.digest import digest_of, parse_digest

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

SECRET = 8_675_309
"""What the default digest hides."""

LARGEST_LIMIT = 10**15
"""More would take a thousand cores a week."""

NOT_FOUND = 1
"""Exit code when no number below the limit has the digest."""


class Md5(ApplicationNode):
    """Finds the number with a given MD5 digest."""

    implements(IApp)

    def app_init(self) -> None:
        self.options = parse(self.arguments)

    def get_task_system(self) -> Search:
        self.started = perf_counter()
        self.attempts = Attempts(self.options.digest, self.options.limit, self.options.size)
        return Search(self.attempts, name="md5")

    def work_finished(self, result: int | None, task_system: Search) -> None:
        self.number, self.tried = result, task_system.tried
        digest, limit = self.options.digest.hex(), self.options.limit
        seconds = perf_counter() - self.started
        if result is None:
            self.log.info(f"{digest} is the MD5 digest of no number below {limit:,}")
        else:
            self.progress(self.tried, self.tried, "found")
            self.log.info(f"{digest} is the MD5 digest of {result}")
        self.log.info(f"{self.tried:,} of {len(self.attempts):,} tasks were run, {seconds:.1f} s")
        self.shutdown_main_loop(NOT_FOUND if result is None else 0)


def parse(arguments: Sequence[str]) -> Namespace:
    """Read the arguments after ``--``; ends the program if they ask for help or are wrong."""
    parser = ArgumentParser(
        prog="concurrent run md5 --",
        description="Find the number that has a given MD5 digest, by trying them all.",
        formatter_class=ArgumentDefaultsHelpFormatter,
    )
    hidden = digest_of(SECRET).hex()
    parser.add_argument("digest", nargs="?", default=hidden, help="as md5sum prints it")
    parser.add_argument("--limit", type=int, default=100_000_000, help="first number not to try")
    parser.add_argument("--size", type=int, default=200_000, help="numbers that a task tries")
    options = parser.parse_args(arguments)
    if not 0 <= options.limit <= LARGEST_LIMIT:
        parser.error(f"--limit must be 0 to {LARGEST_LIMIT:,}")
    if options.size < 1:
        parser.error("--size must be at least 1")
    try:
        options.digest = parse_digest(options.digest)
    except ValueError as error:
        parser.error(str(error))
    return options
