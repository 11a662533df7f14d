"""The command ``concurrent``: reads what people type, calls the library, shows what came of it."""
