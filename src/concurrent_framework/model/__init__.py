"""The nouns of the system: plain data that every other package may import."""
