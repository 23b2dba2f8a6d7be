"""Documents of ``--json``: the results of commands as data, in one versioned form."""
