"""Shared by several tests: data, networks, terminals, and ways to wait."""
