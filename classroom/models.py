"""Courses, sessions, participants and consent. No reading of an emotion is stored here."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from classroom.codes import new_join_code
from classroom.managers import ClassSessionQuerySet, CourseQuerySet, ParticipantQuerySet


class ReadingPlace(models.TextChoices):
    """Where a face is read. CHOICE: on the server, unless the student's own device is to do it."""

    CHOICE = "choice", "Each student chooses"
    SERVER = "server", "On the server"
    DEVICE = "device", "On each student’s own device"


class Course(models.Model):
    """What an instructor teaches over a term: a row of sessions."""

    class Alerts(models.TextChoices):
        """How much has to change before the live page says so (docs/alerts.md)."""

        OFF = "off", "None"
        FEW = "few", "Few: only what is large"
        NORMAL = "normal", "Normal"
        MANY = "many", "Many: also what is small"

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    title = models.CharField(max_length=120)
    instructor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="courses")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    alerts = models.CharField(max_length=6, choices=Alerts.choices, default=Alerts.NORMAL)
    # For how many days after its end a session is kept. None: as the deployment says (RETENTION_DAYS).
    keep_days = models.PositiveSmallIntegerField(null=True, blank=True)
    # Its sessions begin with this one.
    reading_place = models.CharField(max_length=6, choices=ReadingPlace.choices, default=ReadingPlace.CHOICE)

    objects = CourseQuerySet.as_manager()

    class Meta:
        ordering = ["title", "pk"]

    def __str__(self) -> str:
        return self.title


class ClassSession(models.Model):
    """One lecture. It is live until `ended_at` is set; it never becomes live again."""

    class Mode(models.TextChoices):
        CAMERA = "camera", "Faces and pace"
        CHECK_INS = "check_ins", "Pace only"

        @property
        def measures(self) -> bool:
            """Whether any face is read in such a session, wherever that is done."""
            return self is not ClassSession.Mode.CHECK_INS

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    course = models.ForeignKey(Course, on_delete=models.PROTECT, related_name="sessions")
    title = models.CharField(max_length=120, blank=True)
    mode = models.CharField(max_length=10, choices=Mode.choices, default=Mode.CAMERA)
    # What the teacher asks for; `classroom.places` says what holds, with the deployment's own rule.
    reading_place = models.CharField(max_length=6, choices=ReadingPlace.choices, default=ReadingPlace.CHOICE)
    join_code = models.CharField(max_length=12, default=new_join_code)
    joining_locked = models.BooleanField(default=False)
    started_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    # What its students are promised when they consent, so it never changes. None: until somebody deletes it.
    keep_days = models.PositiveSmallIntegerField(null=True, blank=True)
    # Since then only the session itself is left: nobody who was there, nothing that was recorded. Or it is being
    # deleted slice by slice since then, and no page shows what is left of it (classroom.actions.erasing).
    purged_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = ClassSessionQuerySet.as_manager()

    class Meta:
        verbose_name = "session"
        ordering = ["-started_at"]
        permissions = [
            ("see_every_session", "Can see the sessions of every instructor"),
            ("close_classsession", "Can end a session that was forgotten"),
            ("purge_classsession", "Can purge what was recorded in a session"),
            ("export_classsession", "Can export sessions"),
        ]
        indexes = [models.Index(fields=["started_at", "id"], name="sessions_by_time")]
        constraints = [
            # A code belongs to one live session; an ended session's code may come up again.
            models.UniqueConstraint(
                fields=["join_code"], condition=Q(ended_at__isnull=True), name="join_code_unique_while_live"
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True) | Q(ended_at__gte=models.F("started_at")),
                name="session_ends_after_start",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.course.title}, {timezone.localtime(self.started_at):%d %b %Y %H:%M}"

    @property
    def live(self) -> bool:
        return self.ended_at is None

    @property
    def measures(self) -> bool:
        """Whether its mode reads faces; whether the deployment lets it is for `classroom.consent` to say."""
        return self.Mode(self.mode).measures


class Participant(models.Model):
    """A student (or a room's camera) in one session. Held by a signed cookie; there is no student account."""

    class Kind(models.TextChoices):
        STUDENT = "student", "Student"
        ROOM = "room", "Room camera"

    class Scope(models.TextChoices):
        """What the consent in force covers. NONE: taking part without a camera, or not asked yet."""

        NONE = "none", "No camera"
        AGGREGATE = "aggregate", "Only as part of the class"
        INDIVIDUAL = "individual", "Also with the name"

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    session = models.ForeignKey(ClassSession, on_delete=models.CASCADE, related_name="participants")
    display_name = models.CharField(max_length=40)
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.STUDENT)
    # The consent in force, kept beside the ledger so that storing a batch of readings checks it under one row lock.
    # The epoch goes up with every change of consent: a frame taken under an older one is never stored.
    consent_epoch = models.PositiveIntegerField(default=0)
    scope = models.CharField(max_length=10, choices=Scope.choices, default=Scope.NONE)
    joined_at = models.DateTimeField(default=timezone.now)
    left_at = models.DateTimeField(null=True, blank=True)
    removed_at = models.DateTimeField(null=True, blank=True)
    last_seen_at = models.DateTimeField(null=True, blank=True)
    # Up since then, until it is lowered or HAND_UP (classroom.actions) has passed. Nothing of it is kept.
    hand_raised_at = models.DateTimeField(null=True, blank=True)

    objects = ParticipantQuerySet.as_manager()

    class Meta:
        ordering = ["display_name", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["session"], condition=Q(kind="room"), name="one_room_camera_per_session"),
        ]

    def __str__(self) -> str:
        return self.display_name

    @property
    def measured(self) -> bool:
        """Whether this participant's frames may be analysed now."""
        return self.scope != self.Scope.NONE and self.left_at is None and self.removed_at is None


class ConsentEvent(models.Model):
    """The ledger of consent: rows are only added."""

    class Kind(models.TextChoices):
        GIVEN = "given", "Given"
        DECLINED = "declined", "Declined"
        WITHDRAWN = "withdrawn", "Withdrawn"

    participant = models.ForeignKey(Participant, on_delete=models.CASCADE, related_name="consent_events")
    epoch = models.PositiveIntegerField()
    kind = models.CharField(max_length=10, choices=Kind.choices)
    scope = models.CharField(max_length=10, choices=Participant.Scope.choices)
    # sha256 (hex) of the text that was shown.
    text_hash = models.CharField(max_length=64)
    at = models.DateTimeField(default=timezone.now)
    # Of a room's camera: the instructor who answered, for everybody in its view. A student answers alone.
    declared_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True, blank=True, db_index=False
    )

    class Meta:
        verbose_name = "consent"
        ordering = ["at", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["participant", "epoch"], name="one_consent_event_per_epoch"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({self.get_scope_display()})"


class ShownText(models.Model):
    """The words behind a hash of the ledger, kept when somebody first answered them. Rows are only added."""

    sha256 = models.CharField(max_length=64, unique=True)
    version = models.CharField(max_length=40)
    # As `classroom.consent.ConsentText`, whole.
    words = models.JSONField()
    first_answered_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name, verbose_name_plural = "text that was shown", "texts that were shown"
        ordering = ["-first_answered_at"]

    def __str__(self) -> str:
        return self.version


class Marker(models.Model):
    """A moment that the instructor names: "slide 4", "quiz"."""

    session = models.ForeignKey(ClassSession, on_delete=models.CASCADE, related_name="markers")
    label = models.CharField(max_length=60)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["at", "pk"]

    def __str__(self) -> str:
        return self.label


class CheckIn(models.Model):
    """A student's own word about the pace. Anonymous to the class."""

    class Word(models.TextChoices):
        LOST = "lost", "Lost"
        TOO_FAST = "too_fast", "Too fast"
        TOO_SLOW = "too_slow", "Too slow"
        GOT_IT = "got_it", "Got it"

    participant = models.ForeignKey(Participant, on_delete=models.CASCADE, related_name="check_ins")
    word = models.CharField(max_length=10, choices=Word.choices)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name, verbose_name_plural = "word about the pace", "words about the pace"
        ordering = ["at", "pk"]
        indexes = [models.Index(fields=["participant", "at"])]

    def __str__(self) -> str:
        return self.get_word_display()


class Erasure(models.Model):
    """A receipt of what was erased: it names nobody, refers to no row, and outlives what it tells of."""

    class What(models.TextChoices):
        MINUTES = "minutes", "What was recorded about a student in the last minutes"
        PARTICIPANT = "participant", "Everything about a student"
        SESSION = "session", "A whole session"
        RECORDS = "records", "What was recorded in a session, which stays as such"

    class Why(models.TextChoices):
        STUDENT = "student", "The student asked for it"
        SCHOOL = "school", "The school decided it"
        EXPIRED = "expired", "It was kept as long as was said"

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    at = models.DateTimeField(default=timezone.now)
    what = models.CharField(max_length=12, choices=What.choices)
    why = models.CharField(max_length=8, choices=Why.choices)
    # Of the session: which course's, and when it began.
    course = models.CharField(max_length=120)
    session_started_at = models.DateTimeField()
    # Of MINUTES: from when to when.
    since = models.DateTimeField(null=True, blank=True)
    until = models.DateTimeField(null=True, blank=True)
    # How many rows went, by the name of their model.
    rows = models.JSONField(default=dict)
    # Of whom it tells, for a database that was restored from an older copy (classroom.traces); shown to nobody. Not
    # indexed: it is compared with those of one session. Empty: from before there were traces.
    trace = models.CharField(max_length=64, blank=True, default="", editable=False)

    class Meta:
        ordering = ["-at"]

    def __str__(self) -> str:
        return f"{self.get_what_display()}, {timezone.localtime(self.at):%d %b %Y %H:%M}"
