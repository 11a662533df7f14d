"""Code that travels: which code a class needs, and how it is loaded on another machine."""
