"""``/metrics`` for Prometheus: requests and their latency by route, embedding and search time, answers and refusals,
what the index holds and how old it is, and how jobs went.

Workers of one server count in files of a folder they share, where prometheus-client puts them because
``PROMETHEUS_MULTIPROC_DIR`` names it; whichever is asked tells the sums, those of workers that have died included.
"""

from __future__ import annotations

import os
import time
from collections import Counter as Tally
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from http import HTTPStatus

from flask import Blueprint, Response, current_app, g, has_request_context, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from kb.core.errors import IndexUnusableError, KbError
from kb.core.settings import Settings
from kb.embedding.embedder import Embedder, Vectors
from kb.embedding.wrapping import WrappedEmbedder
from kb.http.gate import may_read_metrics
from kb.http.layers import Layer
from kb.index import builds
from kb.index.places import place_of
from kb.state.runs import RunStore, Status

EXTENSION = "kb.measurements"
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
# Where a question is searched for: what is left of their time when the embedding is taken out is the search.
ASKING = frozenset({"api.search", "api.answer", "sider.ask"})
COUNTED_RUNS = 1000
SHARED_FOLDER = "PROMETHEUS_MULTIPROC_DIR"

blueprint = Blueprint("maalinger", __name__)


class Measurements:
    """One application's measurements in a registry of their own."""

    def __init__(self, settings: Settings) -> None:
        self.registry = CollectorRegistry()
        labels = ("route", "method", "status")
        self.requests = Counter("kb_requests_total", "Requests.", labels, registry=self.registry)
        self.latency = Histogram(
            "kb_request_seconds", "Time to answer a request.", ("route",), buckets=SECONDS, registry=self.registry
        )
        self.answers = Counter("kb_answers_total", "Questions by outcome.", ("outcome",), registry=self.registry)
        self.embedding = Histogram(
            "kb_embedding_seconds", "Time to embed a question.", buckets=SECONDS, registry=self.registry
        )
        self.search = Histogram(
            "kb_search_seconds", "Time to find and compose, without embedding.", buckets=SECONDS, registry=self.registry
        )
        if SHARED_FOLDER in os.environ:
            # What this process counted is in the sums already.
            self.registry = CollectorRegistry()
            MultiProcessCollector(self.registry)  # type: ignore[no-untyped-call]
        self.registry.register(_Standing(settings))


class _Standing(Collector):
    """What is looked up when it is asked for: the index in use and the jobs."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The gauges; those that cannot be told are left out."""
        yield from self._index()
        yield from self._runs()

    def _index(self) -> Iterator[GaugeMetricFamily]:
        try:
            place = place_of(self._settings)
            manifest = builds.read_manifest(place.builds_dir / place.current_id())
        except IndexUnusableError:
            yield GaugeMetricFamily("kb_index_usable", "Whether there is an index.", value=0)
            return
        age = datetime.now(UTC) - datetime.fromisoformat(manifest.created)
        yield GaugeMetricFamily("kb_index_usable", "Whether there is an index.", value=1)
        yield GaugeMetricFamily("kb_index_age_seconds", "Time since the index was made.", value=age.total_seconds())
        yield GaugeMetricFamily("kb_index_documents", "Documents in the index.", value=manifest.documents)
        yield GaugeMetricFamily("kb_index_passages", "Passages in the index.", value=manifest.passages)
        yield GaugeMetricFamily("kb_index_failures", "Files that gave no document.", value=manifest.failures)
        size = sum(size for size, _digest in manifest.files.values())
        yield GaugeMetricFamily("kb_index_bytes", "Size of the index on disk.", value=size)

    def _runs(self) -> Iterator[GaugeMetricFamily]:
        try:
            with RunStore(self._settings.state) as state:
                runs = state.runs(COUNTED_RUNS)
        except KbError:
            return
        tally = Tally(run.status.name.lower() for run in runs)
        # An index is made anew only when something has changed; that it was looked after is told by the run.
        if done := max((run.finished for run in runs if run.status is Status.DONE), default=""):
            age = datetime.now(UTC) - datetime.fromisoformat(done)
            told = "Time since an indexing run was finished, whether or not anything had changed."
            yield GaugeMetricFamily("kb_index_checked_age_seconds", told, value=age.total_seconds())
        family = GaugeMetricFamily("kb_runs", "Indexing runs that are remembered, by status.", labels=["status"])
        for status, count in sorted(tally.items()):
            family.add_metric([status], count)
        yield family


class MeasuredEmbedder(WrappedEmbedder):
    """An embedder that measures how long questions take; otherwise the one it is given."""

    def __init__(self, inner: Embedder, measurements: Measurements) -> None:
        super().__init__(inner)
        self._measurements = measurements

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """One unit vector a question, measured."""
        begun = time.perf_counter()
        vectors = self._inner.embed_queries(texts)
        seconds = time.perf_counter() - begun
        self._measurements.embedding.observe(seconds)
        if has_request_context():
            g.embedding_seconds = g.get("embedding_seconds", 0.0) + seconds
        return vectors


def _measured(response: Response) -> Response:
    measurements: Measurements = current_app.extensions[EXTENSION]
    seconds = time.perf_counter() - g.begun
    # The rule and not the path: paths are without number, and hold what people ask.
    route = request.url_rule.rule if request.url_rule else "(ukendt)"
    measurements.requests.labels(route, request.method, response.status_code).inc()
    measurements.latency.labels(route).observe(seconds)
    # Whoever answers a question, page or API, leaves word of whether it was refused.
    if "refused" in g:
        measurements.answers.labels("refused" if g.refused else "answered").inc()
    if request.endpoint in ASKING and response.status_code == HTTPStatus.OK:
        measurements.search.observe(max(0.0, seconds - g.get("embedding_seconds", 0.0)))
    return response


LAYER = Layer(after=_measured)


@blueprint.get("/metrics")
def metrics() -> Response:
    """The measurements, to those who may read them."""
    may_read_metrics()
    measurements: Measurements = current_app.extensions[EXTENSION]
    return Response(generate_latest(measurements.registry), content_type=CONTENT_TYPE_LATEST)
