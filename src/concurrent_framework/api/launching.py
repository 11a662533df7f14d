"""Starting applications for those who ask for it over the API, each in a process of its own."""

from __future__ import annotations


class Launcher:
    """Starts applications that are installed with the node, and knows how they ended."""

    def close(self) -> None:
        """Let go of them; they go on."""
