"""Networks that are larger than one device: divided among processes, or with activations computed again."""
