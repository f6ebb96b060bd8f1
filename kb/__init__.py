"""Erfaringsbasen: a self-hosted knowledge base of lessons learned in Danish public-sector projects."""

from importlib.metadata import version

__version__ = version("erfaringsbasen")
