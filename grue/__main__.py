"""``python -m grue``: the ``grue`` command where its script is not on the path."""

from grue.cli.main import main

if __name__ == "__main__":
    main()
