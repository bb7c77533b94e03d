"""How long what goes by its age is kept."""

from dataclasses import dataclass

from storage.settings import Settings

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US


@dataclass(frozen=True)
class Kept:
    """As a person has set it; of decisions the first of both bounds that is met counts."""

    history_hours: int
    decision_days: int
    decisions_max: int
    audit_days: int

    @property
    def history_us(self) -> int:
        return self.history_hours * HOUR_US

    @property
    def decisions_us(self) -> int:
        return self.decision_days * DAY_US

    @property
    def audit_us(self) -> int:
        return self.audit_days * DAY_US


def kept_by(settings: Settings) -> Kept:
    """What the settings say."""
    return Kept(
        settings.history_hours,
        settings.decision_days,
        settings.decisions_max,
        settings.audit_days,
    )
