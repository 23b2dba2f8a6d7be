"""``python -m tui``, so that launchers such as torchrun can start it.

``-m`` puts the current folder before all others on the import path. It is taken off again before anything else is
imported: a package ``core`` or a file ``json.py`` there is not meant.
"""

import os
import sys

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), os.pardir))

if __name__ == "__main__":
    if not sys.flags.safe_path and os.path.realpath(sys.path[0]) != ROOT:
        del sys.path[0]
    from torchtui import main

    main()
