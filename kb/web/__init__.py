"""The Danish pages: views, presenters, templates and static files. ``create_app`` in :mod:`kb.web.app` makes them."""
