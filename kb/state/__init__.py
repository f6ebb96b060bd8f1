"""What survives a deleted index, in SQLite below ``state/``: runs, jobs, keys, sessions, audit, feedback."""
