"""The command line, ``kb``: its verbs, and what they share."""

from kb.cli.commands import main

__all__ = ["main"]
