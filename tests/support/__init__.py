"""Parts that many tests share: brokers, proxies and the like."""
