"""Task systems and the host processes that run user code on the master's side. PURE.

To the master a system host is an application: its tasks are those of an application record whose
parent is the application that pushed the system. Plain tasks whose class overrides `finished` pass
through a host too, one per application, before their outcome is delivered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from concurrent_framework.master import (
    applications,
    checkpoints,
    delivery,
    letters,
    relay,
    remains,
)
from concurrent_framework.master.state import HostRecord, PeerRecord, SystemRecord
from concurrent_framework.model.ids import task_key
from concurrent_framework.model.outcome import Certificate, Failure
from concurrent_framework.protocol.application import (
    Accepted,
    Finish,
    FinishTask,
    HostJob,
    Output,
    SystemEnded,
)
from concurrent_framework.protocol.session import Goodbye, Resync
from concurrent_framework.protocol.tasks import OutputLine, SpecEntry

if TYPE_CHECKING:
    from collections.abc import Hashable

    from concurrent_framework.master.events import HostEnded
    from concurrent_framework.master.reactor import MasterReactor
    from concurrent_framework.master.state import ApplicationRecord, TaskRecord
    from concurrent_framework.protocol import application as app
    from concurrent_framework.protocol.session import Hello
    from concurrent_framework.protocol.tasks import Outcome, Payload

MAX_ATTEMPTS = 3
"""Times a host is started for the same purpose, without progress, before it is given up."""


def on_push(
    reactor: MasterReactor, peer: Hashable, who: PeerRecord, message: app.PushSystem
) -> None:
    """Accept a task system and start its host."""
    application = reactor.state.applications[who.number]
    if message.sequence > application.accepted + 1:
        reactor.outbox.send(peer, Resync())
        return
    if message.sequence == application.accepted + 1:
        application.accepted += 1
        system = SystemRecord(application.number, message)
        application.systems[message.sequence] = system
        reactor.journal.system_pushed(application, message)
        start(reactor, application, system)
    reactor.outbox.acknowledge(peer, Accepted(application.accepted), reactor.now)


def start(reactor: MasterReactor, application: ApplicationRecord, system: SystemRecord) -> None:
    """Start a system's host from the system's initial state."""
    system.attempt += 1
    number = applications.open_application(
        reactor,
        f"{application.session}.{system.push.sequence}.{system.attempt}",
        system.push.name,
        parent=application.number,
    )
    child = reactor.state.applications[number]
    child.weight = application.weight
    reactor.state.queue.shares.weigh(number, application.weight)
    system.application = number
    reactor.journal.system_started(application, system)
    system.host = f"system-{number}"
    reactor.state.hosts[system.host] = HostRecord(system.host, number, system)
    reactor.outbox.start_host(system.host)
    reactor.outbox.log(
        "info",
        f"system {system.push.name} of application {application.number} starts as {number}",
        "system.started",
        application=application.number,
    )


def resume(reactor: MasterReactor, owner: ApplicationRecord, system: SystemRecord) -> None:
    """Start a system again whose host died with an earlier master: none of its own attempts."""
    child = reactor.state.applications.get(system.application)
    if child is not None and system.checkpoint:
        system.attempt -= 1
        checkpoints.restore(reactor, system)
        return
    if child is not None:
        applications.end_application(reactor, child, "its system starts again")
    system.attempt -= 1
    start(reactor, owner, system)


def on_hello(reactor: MasterReactor, peer: Hashable, hello: Hello) -> None:
    """Take in a host that was started, and tell it what it is for."""
    state = reactor.state
    host = state.hosts.get(hello.session)
    if host is None:
        reactor.refuse(peer, "unknown", f"no host {hello.session} is expected")
        return
    if host.peer is not None and host.peer != peer:
        reactor.disconnect(host.peer)
    host.peer = peer
    application = state.applications[host.application]
    who = PeerRecord("host", application.number, host.host)
    if host.system is not None:
        applications.attach(reactor, application, peer, who, hello)
        if hello.delivered < 0:
            reactor.outbox.send(peer, checkpoints.job(reactor, application, host.system))
        return
    codes = tuple(state.codes[digest] for digest in sorted(application.digests))
    state.peers[peer] = who
    reactor.outbox.send(peer, reactor.welcome(application.number))
    names = {worker.number: worker.name for worker in state.workers.values()}
    reactor.outbox.send(peer, applications.workers_changed(reactor, names))
    specs = tuple(SpecEntry(n, record.spec) for n, record in application.specs.items())
    reactor.outbox.send(peer, HostJob(None, specs, codes))
    host.waiting.extendleft(reversed(host.calling.values()))
    host.calling.clear()
    _call_waiting(reactor, host)


def call_finished(
    reactor: MasterReactor, application: ApplicationRecord, record: TaskRecord, outcome: Outcome
) -> None:
    """Have a host call `finished` of a task, starting the host if there is none."""
    host = application.finisher
    if host is None:
        host = HostRecord(f"finisher-{application.number}", application.number, None)
        application.finisher = reactor.state.hosts[host.host] = host
        reactor.outbox.start_host(host.host)
    host.waiting.append(FinishTask(record.task, outcome))
    _call_waiting(reactor, host)


def _call_waiting(reactor: MasterReactor, host: HostRecord) -> None:
    if host.peer is None or not host.waiting:
        return
    items = tuple(host.waiting)
    host.waiting.clear()
    host.calling.update((item.outcome.key, item) for item in items)
    reactor.outbox.send(host.peer, Finish(items))


def on_finished(
    reactor: MasterReactor, _peer: Hashable, who: PeerRecord, message: app.Finished
) -> None:
    """Deliver the outcomes of tasks whose `finished` has been called."""
    host = reactor.state.hosts[who.host]
    application = reactor.state.applications[host.application]
    for key in message.keys:
        item = host.calling.pop(key, None)
        if item is not None:
            application.counts.finishing -= 1
            applications.settle(reactor, application, reactor.state.tasks[key], item.outcome)
            if key in host.watched:
                host.watched.remove(key)
                reactor.chronicle.handled("task.finished", key)
                delivery.watch(reactor, key)


def on_done(
    reactor: MasterReactor, _peer: Hashable, who: PeerRecord, message: app.SystemDone
) -> None:
    """Take the result of a system and let its host go."""
    state = reactor.state
    child = state.applications[who.number]
    owner = state.applications[child.parent]
    system = state.hosts[who.host].system
    if system is None:
        return
    _conclude(reactor, owner, system, message.result, message.state, message.failure)


def _conclude(
    reactor: MasterReactor,
    owner: ApplicationRecord,
    system: SystemRecord,
    result: Payload,
    final: Payload,
    failure: Failure | None,
) -> None:
    state, sequence = reactor.state, system.push.sequence
    key = task_key(owner.number, sequence)
    ended = SystemEnded(0, sequence, result, final, failure, system.push)
    delivery.put_system(reactor, owner, ended)
    if failure is not None:
        owner.failures.append((key, system.push.name, failure))
        if failure.kind != "cancelled":
            left = remains.of_system(state, owner, system)
            name = system.push.name
            letters.keep_system(state, owner, key, name, failure, reactor.now, left)
            reactor.journal.letter(key)
    if failure is None or failure.kind != "cancelled":
        letters.attempt_ended(reactor, key, failure)
    end(reactor, owner, system)


def cancel(reactor: MasterReactor, owner: ApplicationRecord, system: SystemRecord) -> None:
    """End a system as cancelled."""
    failure = Failure("cancelled", "TaskCancelled", f"the system {system.push.name} was cancelled")
    _conclude(reactor, owner, system, b"", b"", failure)


def end(reactor: MasterReactor, owner: ApplicationRecord, system: SystemRecord) -> None:
    """Drop a system with its tasks and its host."""
    owner.systems.pop(system.push.sequence, None)
    _abandon(reactor, owner, system)
    host = reactor.state.hosts.get(system.host)
    if host is not None:
        end_host(reactor, host)
    child = reactor.state.applications.get(system.application)
    if child is not None:
        applications.end_application(reactor, child, "its system ended")


def _abandon(reactor: MasterReactor, owner: ApplicationRecord, system: SystemRecord) -> None:
    """Let a failed system that this one was to save be attempted again, from where this one was."""
    state, key = reactor.state, task_key(owner.number, system.push.sequence)
    letter = state.letters.get(state.letters.retries.get(key, 0))
    if letter is None:
        return
    child = state.applications.get(system.application)
    if letter.remains is not None and child is not None:
        left = remains.of_system(state, owner, system)
        letters.drop_code(state, state.letters.replace_remains(letter, left))
    state.letters.abandoned([key])
    reactor.journal.letter(letter.key)


def end_host(reactor: MasterReactor, host: HostRecord) -> None:
    """Send a host away and end its process."""
    reactor.state.hosts.pop(host.host, None)
    if host.peer is not None:
        reactor.outbox.send(host.peer, Goodbye("no longer needed"))
        reactor.disconnect(host.peer)
    reactor.outbox.stop_host(host.host)


def on_goodbye(reactor: MasterReactor, peer: Hashable, who: PeerRecord, _message: Goodbye) -> None:
    """Note that a host leaves; what it left undone is settled when its process has ended."""
    host = reactor.state.hosts.get(who.host)
    if host is not None:
        host.peer = None
    reactor.disconnect(peer)


def on_host_ended(reactor: MasterReactor, event: HostEnded) -> None:
    """Start a host again that died before it was through, or give up and tell the application."""
    state = reactor.state
    host = state.hosts.pop(event.host, None)
    if host is None:
        return
    if host.peer is not None:
        reactor.disconnect(host.peer)
        host.peer = None
    cause = f"signal {event.signal}" if event.signal else f"exit code {event.exit_code}"
    reactor.outbox.log(
        "warning",
        f"host {event.host} ended with {cause}: {event.stderr}",
        "host.died",
        application=state.owner_of(state.applications[host.application]).number
        if host.application in state.applications
        else host.application,
    )
    if host.system is not None:
        _system_died(reactor, host.system, cause, event)
    else:
        _finisher_died(reactor, host, cause, event)


def _system_died(
    reactor: MasterReactor, system: SystemRecord, cause: str, event: HostEnded
) -> None:
    state = reactor.state
    owner = state.applications[system.owner]
    if system.attempt < MAX_ATTEMPTS:
        if system.checkpoint:
            checkpoints.restore(reactor, system)
            return
        applications.end_application(
            reactor, state.applications[system.application], f"its host ended with {cause}"
        )
        start(reactor, owner, system)
        return
    failure = Failure(
        "worker_lost",
        "WorkerLost",
        f"the host of system {system.push.name} died {system.attempt} times without progress, last"
        f" with {cause}",
        certificate=Certificate(
            exit_code=event.exit_code, signal=event.signal, stderr=event.stderr, suspect="task"
        ),
    )
    _conclude(reactor, owner, system, b"", b"", failure)


def _finisher_died(reactor: MasterReactor, host: HostRecord, cause: str, event: HostEnded) -> None:
    application = reactor.state.applications[host.application]
    application.finisher = None
    left = [*host.calling.values(), *host.waiting]
    if host.attempt < MAX_ATTEMPTS:
        again = HostRecord(f"{event.host.partition('.')[0]}.{host.attempt}", host.application, None)
        again.attempt = host.attempt + 1
        again.waiting.extend(left)
        again.watched = host.watched
        application.finisher = reactor.state.hosts[again.host] = again
        reactor.outbox.start_host(again.host)
        return
    text = f"the host that calls finished() died {host.attempt} times, last with {cause}"
    names = ", ".join(item.task.name for item in left[:3])
    line = OutputLine(
        task_key(application.number, 0), "master", "", "error", f"{text}; not called for {names}"
    )
    relay.show(reactor, application, Output((line,)))
    for item in left:
        application.counts.finishing -= 1
        record = reactor.state.tasks[item.outcome.key]
        applications.settle(reactor, application, record, item.outcome)
