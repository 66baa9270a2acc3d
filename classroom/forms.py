"""What people type. The rules of names and codes stand in `classroom.text` and `classroom.codes`."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from classroom import codes, consent, retention
from classroom.errors import TextRefusedError
from classroom.models import ClassSession, Course, Participant, ReadingPlace
from classroom.text import tidy


class TidyField(forms.CharField):
    """One line that others will read; `what` begins the words of a refusal."""

    def __init__(self, *, what: str, **kwargs: Any) -> None:
        super().__init__(error_messages={"required": f"{what} is empty."}, **kwargs)
        self.what = what

    def clean(self, value: Any) -> str:
        text = str(super().clean(value))
        if not text:
            return ""
        try:
            return tidy(text, what=self.what, longest=self.max_length or len(text))
        except TextRefusedError as error:
            raise ValidationError(error.message) from None


class JoinCodeForm(forms.Form):
    """The code from the projector, as anybody may type it."""

    code = forms.CharField(
        label="Session code",
        max_length=20,
        error_messages={"required": "Type the code that your instructor shows."},
        widget=forms.TextInput(
            attrs={
                "autocomplete": "off",
                "autocapitalize": "characters",
                "spellcheck": "false",
                "placeholder": "KMT-4QXB",
                "class": "code-field",
            }
        ),
    )

    def clean_code(self) -> str:
        code = codes.normalise(self.cleaned_data["code"])
        if not code:
            raise ValidationError("Type the code that your instructor shows.")
        return code


class NameForm(forms.Form):
    """How a student wants to be called in this session."""

    display_name = TidyField(
        what="The name",
        label="Your name",
        max_length=Participant._meta.get_field("display_name").max_length,
        widget=forms.TextInput(attrs={"autocomplete": "given-name", "spellcheck": "false"}),
    )


class CourseForm(forms.Form):
    title = TidyField(what="The title", label="Title", max_length=Course._meta.get_field("title").max_length)


class AlertsForm(forms.Form):
    """How much has to change before the live page says so."""

    alerts = forms.ChoiceField(label="Alerts in the live page", choices=Course.Alerts.choices)


class KeepForm(forms.Form):
    """For how long a course keeps its sessions; empty: as the school says."""

    keep_days = forms.IntegerField(
        label="Days after a session's end",
        required=False,
        min_value=1,
        max_value=retention.LONGEST_DAYS,
        widget=forms.NumberInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        error_messages={"invalid": "Type a whole number of days, or leave it empty."},
    )


class PlaceForm(forms.Form):
    """Where the faces of a course's sessions are read, unless a session's start says otherwise."""

    reading_place = forms.ChoiceField(label="Where faces are read by default", choices=ReadingPlace.choices)


def _modes() -> list[tuple[str, str]]:
    """Those that the deployment's profile allows, asked for anew with each form."""
    return [(mode.value, str(mode.label)) for mode, refusal in consent.mode_refusals().items() if not refusal]


def _first_mode() -> str:
    return _modes()[0][0]


class StartSessionForm(forms.Form):
    """A new session of a course."""

    title = TidyField(
        what="The title",
        label="Title (optional)",
        required=False,
        max_length=ClassSession._meta.get_field("title").max_length,
        widget=forms.TextInput(attrs={"placeholder": "Chain rule"}),
    )
    mode = forms.ChoiceField(
        label="What students share", choices=_modes, initial=_first_mode, widget=forms.RadioSelect
    )
    reading_place = forms.ChoiceField(label="Where faces are read", choices=ReadingPlace.choices, required=False)
