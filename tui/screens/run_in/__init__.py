"""Where runs and the workers of studies train: the fields of a host, and its profiles."""
