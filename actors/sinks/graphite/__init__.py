"""Graphite: the plaintext protocol over TCP or UDP."""
