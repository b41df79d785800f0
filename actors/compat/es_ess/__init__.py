"""The es-ESS topics, served for flows that already use them."""
