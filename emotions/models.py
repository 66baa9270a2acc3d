"""Readings and what is computed from them. There is no image column anywhere."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from classroom.models import ClassSession, Participant
from emotions.messages import Pace, Point
from ml.labels import LABELS


class EmotionEvent(models.Model):
    """One stored reading of one student. Written in bulk, never edited."""

    class Source(models.TextChoices):
        SERVER = "server", "Server"
        DEVICE = "device", "Student's device"

    session = models.ForeignKey(ClassSession, on_delete=models.CASCADE, related_name="+", db_index=False)
    participant = models.ForeignKey(Participant, on_delete=models.CASCADE, related_name="+", db_index=False)
    # Random per socket: a reload starts sequences again, so both together name a frame.
    connection = models.UUIDField()
    sequence = models.BigIntegerField()
    captured_at = models.DateTimeField()
    received_at = models.DateTimeField()
    # (7,) in the order of ml.labels.LABELS, summing to 1.
    probabilities = ArrayField(models.FloatField(), size=len(LABELS))
    label = models.CharField(max_length=8, choices=[(label, label) for label in LABELS])
    confidence = models.FloatField()
    uncertain = models.BooleanField()
    # (x, y, width, height) as fractions of the frame.
    box = ArrayField(models.FloatField(), size=4)
    face_count = models.PositiveSmallIntegerField()
    model_version = models.CharField(max_length=40)
    source = models.CharField(max_length=6, choices=Source.choices, default=Source.SERVER)

    class Meta:
        verbose_name = "reading"
        constraints = [
            models.UniqueConstraint(fields=["participant", "connection", "sequence"], name="one_event_per_frame"),
        ]
        indexes = [models.Index(fields=["session", "captured_at"])]

    def __str__(self) -> str:
        return f"{self.label} ({self.confidence:.0%})"


class MoodPoint(models.Model):
    """The class mood of one second, as every dashboard and report shows it.

    `shares`, `low`, `high`: (7,) in the order of ml.labels.LABELS, a 90 % band; `troubled_low`, `troubled_high`: the
    band of those who look troubled together. Null under the floor. The counts say what the shares rest on.
    """

    session = models.ForeignKey(ClassSession, on_delete=models.CASCADE, related_name="mood_points", db_index=False)
    sequence = models.BigIntegerField()
    at = models.DateTimeField()
    shares = ArrayField(models.FloatField(), size=len(LABELS), null=True)
    low = ArrayField(models.FloatField(), size=len(LABELS), null=True)
    high = ArrayField(models.FloatField(), size=len(LABELS), null=True)
    troubled_low = models.FloatField(null=True)
    troubled_high = models.FloatField(null=True)
    joined = models.PositiveIntegerField()
    connected = models.PositiveIntegerField()
    measured = models.PositiveIntegerField()
    uncertain = models.PositiveIntegerField()
    not_visible = models.PositiveIntegerField()
    # Of the measured, those whose pictures are read on their own device.
    on_device = models.PositiveIntegerField(default=0, db_default=0)
    # Students whose last check-in within the window says so, by classroom.models.CheckIn.Word.
    pace = models.JSONField(default=dict)
    # Of the network that the estimate is made for; empty where it was stored by a Roomtone that did not note it.
    model_version = models.CharField(max_length=40, default="", db_default="")

    class Meta:
        verbose_name, verbose_name_plural = "second of the class mood", "class mood"
        ordering = ["sequence"]
        constraints = [models.UniqueConstraint(fields=["session", "sequence"], name="one_mood_point_per_tick")]

    def __str__(self) -> str:
        return f"{self.at:%H:%M:%S}, {self.measured} measured"

    def as_message(self) -> Point:
        """As dashboards get it."""
        return Point(
            sequence=self.sequence,
            at_ms=round(self.at.timestamp() * 1000),
            shares=self.shares,
            low=self.low,
            high=self.high,
            troubled_low=self.troubled_low,
            troubled_high=self.troubled_high,
            joined=self.joined,
            connected=self.connected,
            measured=self.measured,
            uncertain=self.uncertain,
            not_visible=self.not_visible,
            pace=Pace(**self.pace),
            on_device=self.on_device,
        )


class MinuteRollup(models.Model):
    """A student's minute: counts and sums, so that reports never read raw events. Recomputed after late events
    and erasure, hence idempotent."""

    session = models.ForeignKey(ClassSession, on_delete=models.CASCADE, related_name="rollups", db_index=False)
    participant = models.ForeignKey(Participant, on_delete=models.CASCADE, related_name="+", db_index=False)
    minute = models.DateTimeField()
    readings = models.PositiveIntegerField()
    uncertain = models.PositiveIntegerField()
    # (7,) sums of probabilities, and (7,) counts of labels.
    probability_sums = ArrayField(models.FloatField(), size=len(LABELS))
    label_counts = ArrayField(models.PositiveIntegerField(), size=len(LABELS))

    class Meta:
        verbose_name = "minute"
        ordering = ["minute"]
        constraints = [
            models.UniqueConstraint(fields=["session", "participant", "minute"], name="one_rollup_per_minute"),
        ]

    def __str__(self) -> str:
        return f"{self.minute:%H:%M}, {self.readings} readings"


class RoomReading(models.Model):
    """What was read in one picture of a room's camera: sums over its faces alone, and none of them under the floor.

    There is no face in it and no place in the room, so nobody can be found in it, or taken out.
    """

    session = models.ForeignKey(ClassSession, on_delete=models.CASCADE, related_name="room_readings", db_index=False)
    participant = models.ForeignKey(Participant, on_delete=models.CASCADE, related_name="+", db_index=False)
    connection = models.UUIDField()
    sequence = models.BigIntegerField()
    captured_at = models.DateTimeField()
    faces = models.PositiveSmallIntegerField()
    # Faces of which the network was unsure.
    uncertain = models.PositiveSmallIntegerField()
    # (7,) in the order of ml.labels.LABELS: how much of each emotion is in the faces together; sums to `faces`.
    sums = ArrayField(models.FloatField(), size=len(LABELS))
    model_version = models.CharField(max_length=40)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["participant", "connection", "sequence"], name="one_sum_per_picture"),
            models.CheckConstraint(condition=models.Q(faces__gte=5), name="no_sum_under_the_floor"),
        ]
        indexes = [models.Index(fields=["session", "captured_at"], name="room_readings_by_time")]

    def __str__(self) -> str:
        return f"{self.captured_at:%H:%M:%S}, {self.faces} faces"
