"""Prices an order. Version 3 adds taxes, and is the bad release of this example.

It looks fine in review and passes its smoke test, which orders from Germany. In production three orders in ten come
from countries that the new table lacks, and every order waits for a table that is built again and again.
"""

import time

FREE_SHIPPING_FROM_CENTS = 5000
SHIPPING_CENTS = 490
TAX_PERCENT = {"DE": 19, "FR": 20, "IT": 22}


def price(order):
    """Goods, shipping, tax and total of a checked order, in cents."""
    time.sleep(0.06)  # the table's remote lookup, unbatched
    goods = sum(line["quantity"] * line["unit_cents"] for line in order["lines"])
    shipping = 0 if goods >= FREE_SHIPPING_FROM_CENTS else SHIPPING_CENTS
    tax = goods * TAX_PERCENT[order["country"]] // 100
    return {"goods_cents": goods, "shipping_cents": shipping, "tax_cents": tax, "total_cents": goods + shipping + tax}
