"""The Danish pages: views, presenters, templates and static files. :mod:`kb.http.web.app` puts them together."""
