"""Something that was looked at on a machine: how it stands, and what mends it."""

from dataclasses import dataclass

from hpc.command import printable


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    told: str
    is_well: bool = True
    matters: bool = True
    """Whether nothing goes right without it; else something is not possible, or slow."""
    advice: str = ""

    @property
    def stops(self) -> bool:
        """Whether it has to be mended first."""
        return self.matters and not self.is_well

    def __str__(self) -> str:
        mark = "ok " if self.is_well else "BAD" if self.matters else "-- "
        line = f"{mark}  {self.what:<12} {printable(self.told)}"
        return line if self.is_well else f"{line}\n     {'':<12} -> {printable(self.advice)}"
