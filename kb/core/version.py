"""The version of the installed package, apart from ``kb`` itself: looking it up costs every process that imports it."""

from importlib.metadata import version

VERSION = version("erfaringsbasen")
