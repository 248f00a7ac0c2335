"""`penstock demo`: a bad release caught and taken back, on a server of its own. Rule: the wire API only."""
