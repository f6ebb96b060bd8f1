"""Workers on a Ray cluster: they read files and embed texts for a run of :mod:`kb.indexing` (``KB_INDEX_CLUSTER``).

What is computed is what the local pool computes, so that the build is the same; only where differs. The run itself
(plan, caches, build) stays where ``kb index`` runs, and only its process writes to the caches, each result once:

    kb index     --tasks-->  driver, a process beside it  --Ray-->  a worker on each machine
    (client.py)              (driver.py, dispatch.py)               (worker.py, edition.py, model.py)

Files go to the workers as bytes, not by a shared folder: no machine needs a mount, a user or rights of its own to the
reports, and what is read is what was hashed. In the worker they are read as on this machine, by child processes under
the limits of time and memory (:mod:`kb.extract.isolation`). The tasks are ranges of files in the order of their hashes.
A worker that is lost, with its machine or alone, is replaced, and what it had is done again by another.

Ray is spoken to in the driver alone: its native code ends the process when the cluster's head is gone for good, waits
without end for a port that speaks something else, and takes over signals and limits. The run sees a driver that died,
and says so. What Ray tells its makers is off in every process (``RAY_USAGE_STATS_ENABLED``), and a cluster where it is
on is refused.
"""
