"""A chart and where it is: what templates/chart.html needs."""

from dataclasses import dataclass

from dashboard.charts import Chart


@dataclass(frozen=True)
class Drawing:
    """A chart with its address."""

    chart: Chart
    base: str
    """The address without format."""
    query: str = ""
    """What else the address says, encoded."""
    prefix: str = ""
    """What the names of `theme`, `size` and `download` begin with, where other names might be the same."""
    output: str | None = None
    """Of a prediction with several numbers, the name of the one that it shows."""

    def url(self, form: str, **look: str | int) -> str:
        """Give the address in a format; `look`: theme, size, download."""
        pairs = [self.query] if self.query else []
        pairs += [f"{self.prefix}{name}={value}" for name, value in look.items()]
        return f"{self.base}.{form}" + (f"?{'&'.join(pairs)}" if pairs else "")
