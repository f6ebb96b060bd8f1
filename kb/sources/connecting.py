"""The connector of each kind of source."""

from __future__ import annotations

from kb.sources.configuration import FolderSource, SharePointSource, Source, WebDavSource
from kb.sources.folder import FolderConnector
from kb.sources.listing import Connector


def connector_of(source: Source) -> Connector:
    """What a source is reached by; nothing is asked yet. Raises :class:`SettingsError` where a secret is missing."""
    if isinstance(source, FolderSource):
        return FolderConnector(source)
    # Only who fetches over the network loads what does it.
    if isinstance(source, WebDavSource):
        from kb.sources.webdav import WebDavConnector

        return WebDavConnector(source)
    if isinstance(source, SharePointSource):
        from kb.sources.sharepoint import SharePointConnector

        return SharePointConnector(source)
    from kb.sources.website import WebsiteConnector

    return WebsiteConnector(source)
