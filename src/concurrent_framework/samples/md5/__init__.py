"""Find the number with a given MD5 digest by trying them all."""
