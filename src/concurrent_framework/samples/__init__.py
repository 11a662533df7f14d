"""Whole applications to run, read and copy: `concurrent run NAME`."""
