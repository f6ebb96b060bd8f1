"""Erfaringsbasen: a self-hosted knowledge base of lessons learned in Danish public-sector projects."""

import os

# ONNX Runtime reports how it is used, and looks a host up, unless told not to before it is imported. Every entry point
# and every process started here imports this package before anything else.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
# Ray, where a cluster is used, likewise; whatever starts a machine of one from here hands it on.
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
