"""`python -m nas_core`."""

from nas_core.cli import main

if __name__ == "__main__":
    main()
