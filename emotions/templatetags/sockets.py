"""What a page with a socket needs beside its own data."""

from __future__ import annotations

from django import template

from emotions import page_format

register = template.Library()


@register.simple_tag(name="page_format")
def page_format_tag() -> str:
    return page_format.page_format()
