"""The components that come with Concurrent, named so that each is imported only when it is used."""

from __future__ import annotations

from concurrent_framework.components import Reference

_SCHEDULER = ("concurrent_framework.scheduling.base:ITaskScheduler",)
_STRATEGY = ("concurrent_framework.scheduling.base:IScheduleStrategy",)
_MANAGER = ("concurrent_framework.managers.base:ITaskManager",)
_STORE = ("concurrent_framework.store.base:IStore",)
_ENGINE = ("concurrent_framework.store.engine:IDatabaseEngine",)
_PICKLER = ("concurrent_framework.tasks.pickling:IPickler",)
_API = ("concurrent_framework.api.method:IApiMethods",)
_WEB = ("concurrent_framework.api.pages:IWebPages",)
_PAGE = ("concurrent_framework.dashboard.page:IDashboardPage",)
_APP = ("concurrent_framework.components.app:IApp",)

BUILTIN = (
    Reference("master", "concurrent_framework.master.node:MasterNode", _APP),
    Reference("worker", "concurrent_framework.worker.node:WorkerNode", _APP),
    Reference("application", "concurrent_framework.application.node:ApplicationNode", ()),
    Reference("push", "concurrent_framework.scheduling.push:PushScheduler", _SCHEDULER),
    Reference("pull", "concurrent_framework.scheduling.pull:PullScheduler", _SCHEDULER),
    Reference("least-loaded", "concurrent_framework.scheduling.strategies:LeastLoaded", _STRATEGY),
    Reference("fastest", "concurrent_framework.scheduling.strategies:Fastest", _STRATEGY),
    Reference("locality", "concurrent_framework.scheduling.strategies:Locality", _STRATEGY),
    Reference("random-of-two", "concurrent_framework.scheduling.strategies:RandomOfTwo", _STRATEGY),
    Reference("round-robin", "concurrent_framework.scheduling.strategies:RoundRobin", _STRATEGY),
    Reference("api", "concurrent_framework.api.options:ApiOptions", ()),
    Reference("otel", "concurrent_framework.api.options:TraceOptions", ()),
    Reference("log", "concurrent_framework.launch.logs:LogOptions", ()),
    Reference("stats", "concurrent_framework.stats.registry:StatsOptions", ()),
    Reference("api-cluster", "concurrent_framework.api.methods.cluster:ClusterMethods", _API),
    Reference("api-nodes", "concurrent_framework.api.methods.nodes:NodeMethods", _API),
    Reference(
        "api-applications", "concurrent_framework.api.methods.applications:ApplicationMethods", _API
    ),
    Reference("api-tasks", "concurrent_framework.api.methods.tasks:TaskMethods", _API),
    Reference("api-steering", "concurrent_framework.api.methods.steering:SteeringMethods", _API),
    Reference("api-tokens", "concurrent_framework.api.methods.tokens:TokenMethods", _API),
    Reference("dashboard", "concurrent_framework.dashboard.component:Dashboard", _WEB),
    *(
        Reference(
            f"page-{name.lower()}", f"concurrent_framework.dashboard.builtin:{name}Page", _PAGE
        )
        for name in (
            "Overview",
            "Applications",
            "Application",
            "Nodes",
            "Stream",
            "Failures",
            "Statistics",
            "Configuration",
            "Explorer",
        )
    ),
    Reference("processes", "concurrent_framework.managers.processes:ProcessManager", _MANAGER),
    Reference("memory", "concurrent_framework.store.memory:MemoryStore", _STORE),
    Reference("sqlite", "concurrent_framework.store.sqlite:SqliteStore", _STORE),
    Reference("postgresql", "concurrent_framework.store.postgresql:PostgresqlStore", _STORE),
    Reference("sqlite", "concurrent_framework.store.sqlite:SqliteEngine", _ENGINE),
    Reference("postgresql", "concurrent_framework.store.postgresql:PostgresqlEngine", _ENGINE),
    Reference("pickle", "concurrent_framework.tasks.pickling:PlainPickler", _PICKLER),
    Reference("compressed", "concurrent_framework.tasks.pickling:CompressedPickler", _PICKLER),
)
