"""python -m numpyvae COMMAND, and the installed command numpyvae."""

import sys


def main() -> int:
    """Run the command line; Ctrl-C during its imports ends in one line too."""
    try:
        from .cli import main as run
    except KeyboardInterrupt:
        sys.stderr.write("numpyvae: interrupted\n")
        return 130
    return run()


if __name__ == "__main__":
    sys.exit(main())
