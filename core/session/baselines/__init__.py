"""Simple models beside a run: trained on the same rows, evaluated on the same splits."""
