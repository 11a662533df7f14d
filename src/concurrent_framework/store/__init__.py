"""Where a master keeps its journal: the port, and its adapters."""
