"""``python -m tui``, so that launchers such as torchrun can start it."""

from tui.cli import main

if __name__ == "__main__":
    main()
