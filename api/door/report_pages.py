"""Reports of simulations as pages of their own."""

from typing import Any

from fastapi.responses import HTMLResponse
from starlette.responses import Response

from api.door.describing import RATE_HEADERS
from storage.runs.simulations import Report

SANDBOX = "; sandbox allow-scripts; frame-ancestors 'none'"
"""Beside the report's own policy: it is of no origin, and in no frame."""

REPORT_HEADERS = {
    "Cache-Control": "private, no-store",
    "Referrer-Policy": "no-referrer",
}
PAGE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The report, one page that loads nothing from elsewhere",
        "headers": RATE_HEADERS,
        "content": {
            "text/html": {"schema": {"type": "string"}, "example": "<!doctype html>\n<html>…"}
        },
    }
}


def report_page(report: Report) -> Response:
    """The page, under its policy."""
    policy = {"Content-Security-Policy": report.policy + SANDBOX}
    return HTMLResponse(report.page, headers=REPORT_HEADERS | policy)
