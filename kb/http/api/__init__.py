"""REST v1 under ``/api/v1``: the same content as the pages, as JSON; errors as RFC 9457 problems.

``routes`` and ``change_routes`` hold the routes, ``request_models`` and ``response_models`` the pydantic models that
check what comes in and say what goes out, ``problem_details`` makes every error body.
"""
