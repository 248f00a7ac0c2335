"""Prices an order. Version 1: goods plus shipping."""

FREE_SHIPPING_FROM_CENTS = 5000
SHIPPING_CENTS = 490


def price(order):
    """Goods, shipping and total of a checked order, in cents."""
    goods = sum(line["quantity"] * line["unit_cents"] for line in order["lines"])
    shipping = 0 if goods >= FREE_SHIPPING_FROM_CENTS else SHIPPING_CENTS
    return {"goods_cents": goods, "shipping_cents": shipping, "total_cents": goods + shipping}
