"""A new account, without a password: its owner sets it by link."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.models import User


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
