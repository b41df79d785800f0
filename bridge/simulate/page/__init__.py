"""One page about simulated days: what of a run goes into it, and its text.

`picture` makes a run small enough to be shown, `write` puts runs into one HTML file that needs
neither a network nor a library; `page.css` and `page.js` stand in it as they are.
"""
