"""What things cost."""

TAX = 0.20


def with_tax(net: float) -> float:
    return round(net * (1 + TAX), 2)
