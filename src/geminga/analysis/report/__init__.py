"""A report of an analysis: one HTML page with everything in it, which needs no network.

`content` gathers what there is to say, `plot` and `interactive` draw it, `page` writes the page.
"""
