"""The server: what wraps every request, the API below ``api/`` and the Danish pages below ``web/``."""
