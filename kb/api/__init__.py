"""REST v1 under ``/api/v1``: the same content as the pages, as JSON; errors as RFC 9457 problems.

``routes.blueprint`` holds the routes, ``schemas`` the pydantic models that check what comes in and say what goes out,
``problems.problem`` makes every error body.
"""
