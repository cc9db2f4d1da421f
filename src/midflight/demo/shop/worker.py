"""The loop's work, and what it remembers."""

from .cart import Cart

CARTS = [Cart("Ada", {"tea": 3.5, "cake": 6.5}), Cart("Bob", {"coffee": 5.0})]
served = 0


def serve() -> dict[str, object]:
    global served
    served += 1
    return {"receipts": [cart.receipt() for cart in CARTS], "served": served, "carts": [id(cart) for cart in CARTS]}
