"""Sources that change outside the base: folders, WebDAV, SharePoint and web pages, planned purely and copied in."""
