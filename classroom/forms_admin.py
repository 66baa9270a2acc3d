"""How staff sign in; and a new account, without a password: its owner sets it by link."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError

from classroom.devices import caller
from classroom.throttle import TOO_MANY_PASSWORDS


class SignInForm(AdminAuthenticationForm):
    """The administration has a door of its own: wrong passwords are counted there as at the other one."""

    def clean(self) -> dict[str, Any]:
        if self.request is None:
            raise ValueError("request: expected the one that signs in, to count its guesses; received None")
        who = caller(self.request)
        if not who.count():
            raise ValidationError(TOO_MANY_PASSWORDS)
        with who.judged():
            return dict(super().clean())


class InvitationForm(forms.ModelForm):  # type: ignore[type-arg]
    """User name and e-mail address of a person who will teach."""

    email = forms.EmailField(label="E-mail address")

    class Meta:
        model = User
        fields = ("username", "email", "first_name", "last_name")

    def save(self, commit: bool = True) -> Any:
        user = super().save(commit=False)
        user.set_unusable_password()
        if commit:
            user.save()
        return user
