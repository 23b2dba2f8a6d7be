"""Hosts: where a run trains, one module each, and how it is followed from here."""
