"""Amber Electric, the Australian retailer that passes on the wholesale price."""
