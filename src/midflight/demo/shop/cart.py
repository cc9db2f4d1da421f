"""Carts, of which some live as long as the program."""

from dataclasses import dataclass, field

from .prices import TAX, with_tax

LABEL = f"{TAX:.0%} tax"


@dataclass
class Cart:
    owner: str
    items: dict[str, float] = field(default_factory=dict)

    def total(self) -> float:
        return with_tax(sum(self.items.values()))

    def receipt(self) -> str:
        return f"{self.owner} pays {self.total():.2f} with {LABEL}"
