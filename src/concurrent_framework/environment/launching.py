"""Running the application that an environment names."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from concurrent_framework.components import IApp
from concurrent_framework.environment.lock import locked
from concurrent_framework.environment.logs import logging_to
from concurrent_framework.model.errors import ConcurrentError, UsageError

if TYPE_CHECKING:
    from concurrent_framework.environment.environment import Environment


def launch(environment: Environment) -> int:
    """Run the application an environment names, in this process, and return its exit code.

    Args:
        environment: an open environment.

    Raises:
        UsageError: if it is running already, names no application, or one that does not exist.
        ConcurrentError: whatever of this kind the application raises.

    """
    if not environment.application:
        message = (
            f"{environment.layout.root} names no application: "
            f"`concurrent env app {environment.layout.root} NAME` sets it"
        )
        raise UsageError(message)
    with locked(environment.layout, "running"), logging_to(environment):
        log = logging.getLogger("concurrent_framework.environment")
        for problem in environment.components.problems:
            log.error("%s: %s\n%s", problem.origin, problem.summary, problem.traceback)
        app = environment.components.get(IApp, environment.application)
        log.info("%s starts as %s", environment.title, environment.application)
        environment.tell("launched")
        exit_code = 1
        try:
            app.app_init()
            exit_code = app.app_main()
        except ConcurrentError as error:
            log.error("%s", error)  # noqa: TRY400 (a message of ours is told without its traceback)
            raise
        except Exception:
            log.exception("%s raised", environment.application)
            raise
        finally:
            log.info("%s ended with exit code %d", environment.title, exit_code)
            environment.tell("ended", exit_code)
        return exit_code
