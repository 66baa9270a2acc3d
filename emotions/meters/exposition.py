"""The counts of all processes in the words of Prometheus. What is read here, any web process can answer."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterator, Mapping

from prometheus_client import Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from emotions.frames import slots
from emotions.meters import housekeeping, sending
from emotions.meters.counts import METERS, OPEN, Counter, Histogram
from emotions.store import sync_redis


def text() -> bytes:
    """The whole page. Raises redis.RedisError."""
    return generate_latest(_Collected())


class _Collected(Collector):
    """As prometheus_client asks for it: read anew for every page, nothing kept in this process."""

    def collect(self) -> Iterator[Metric]:
        totals = sending.totals()
        for meter in METERS.values():
            yield _counter(meter, totals) if isinstance(meter, Counter) else _histogram(meter, totals)
        yield from _now()


def _now() -> Iterator[Metric]:
    """What is not counted but looked up."""
    living = sending.processes()
    yield _gauge("roomtone_processes", "Processes that live, by kind", Tally(one.kind for one in living), "kind")
    levels = Tally[str]()
    for process in living:
        levels.update(process.levels)
    yield _gauge(OPEN.name, OPEN.words, levels, OPEN.label)
    ages = housekeeping.ages()
    yield _gauge("roomtone_housekeeping_age_seconds", "Since housekeeping ended well, by task", ages, "task")
    waiting, oldest_ms = slots.waiting(sync_redis()), slots.oldest_waiting_ms(sync_redis())
    yield GaugeMetricFamily("roomtone_frames_waiting", "Frames that wait to be analysed", waiting)
    yield GaugeMetricFamily("roomtone_queue_age_seconds", "How long the oldest of them has waited", oldest_ms / 1000)


def _gauge(name: str, words: str, values: Mapping[str, float], label: str) -> Metric:
    family = GaugeMetricFamily(name, words, labels=[label])
    for value, number in sorted(values.items()):
        family.add_metric([value], number)
    return family


def _counter(meter: Counter, totals: Mapping[str, float]) -> Metric:
    """Without a label it is there from the start, at 0: an alert on what never happened yet needs no exception."""
    if not meter.label:
        return CounterMetricFamily(meter.name, meter.words, totals.get(f"{meter.name}|", 0))
    family = CounterMetricFamily(meter.name, meter.words, labels=[meter.label])
    for value, rest in _values(meter.name, totals):
        family.add_metric([value], rest[""])
    return family


def _histogram(meter: Histogram, totals: Mapping[str, float]) -> Metric:
    family = HistogramMetricFamily(meter.name, meter.words, labels=[meter.label] if meter.label else [])
    for value, row in _values(meter.name, totals):
        family.add_metric([value] if meter.label else [], _buckets(meter, row), row.get("sum", 0))
    return family


def _buckets(meter: Histogram, row: Mapping[str, float]) -> list[tuple[str, float]]:
    """Prometheus wants how many lie under each bound, not between two."""
    buckets, under = [], 0.0
    for place, bound in enumerate((*meter.bounds, float("inf"))):
        under += row.get(str(place), 0)
        buckets.append(("+Inf" if bound == float("inf") else str(float(bound)), under))
    return buckets


def _values(name: str, totals: Mapping[str, float]) -> list[tuple[str, dict[str, float]]]:
    """A meter's fields by the label's value, then by what follows it."""
    found: dict[str, dict[str, float]] = {}
    for field, amount in totals.items():
        if field.startswith(f"{name}|"):
            value, _, rest = field.removeprefix(f"{name}|").partition("|")
            found.setdefault(value, {})[rest] = amount
    return sorted(found.items())
